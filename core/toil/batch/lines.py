"""Cuts bytes into lines as they arrive, holding no more than one of them. Pure; knows nothing of what a line means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1, blank lines too. `raw` is None for a line that was too long to be kept."""

    number: int
    raw: bytes | None


class Lines:
    """Feed it bytes, then `end`. Blank lines are counted and left out; so is a byte order mark."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._rest = bytearray()
        self._number = 0
        self._too_long = False

    def feed(self, chunk: bytes) -> Iterator[Line]:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            self._keep(piece)
            yield from self._line()
        self._keep(rest)

    def end(self) -> Iterator[Line]:
        """The last line need not end in a line feed."""
        if self._rest or self._too_long:
            yield from self._line()

    def _keep(self, piece: bytes) -> None:
        if len(self._rest) + len(piece) > self._limit_bytes:
            self._too_long = True
            self._rest.clear()
        if not self._too_long:
            self._rest += piece

    def _line(self) -> Iterator[Line]:
        self._number += 1
        raw, too_long = bytes(self._rest), self._too_long
        self._rest.clear()
        self._too_long = False
        if too_long:
            yield Line(self._number, None)
            return
        if self._number == 1:
            raw = raw.removeprefix(BOM)
        if stripped := raw.strip():
            yield Line(self._number, stripped)
