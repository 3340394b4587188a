"""Server-sent events out of bytes that arrive in any pieces. Knows no HTTP and no JSON.

Lines are split as bytes: a character that two network chunks share is then whole when it is decoded, and U+2028 inside
a JSON string is not taken for the end of a line.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

LINE_LIMIT_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that ordinary clients skip."""

    text: str


@dataclass(frozen=True, slots=True)
class Data:
    """The data of one event."""

    text: str


class LineTooLongError(ValueError):
    """More than LINE_LIMIT_BYTES without an end of line, or in one event."""


class SseDecoder:
    """Feed it bytes as they come; it gives whole events."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[Comment | Data]:
        """Raises LineTooLongError."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from self._line(line.removesuffix(b"\r"))
        if len(self._rest) + sum(map(len, self._data)) > LINE_LIMIT_BYTES:
            raise LineTooLongError

    def _line(self, line: bytes) -> Iterator[Comment | Data]:
        if line.startswith(b":"):
            yield Comment(text_of(line[1:]))
        elif line.startswith(b"data:"):
            self._data.append(line[5:])
        elif not line and self._data:
            yield Data("\n".join(map(text_of, self._data)))
            self._data = []


def text_of(line: bytes) -> str:
    return line.removeprefix(b" ").decode("utf-8", "replace")


class WholeCharacters:
    """Joins the halves of characters that a JSON string carried as two `\\u` escapes in two pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-16-le")("replace")

    def feed(self, piece: str, *, last: bool = False) -> str:
        """`piece` without a half character at its end, which is held back for the next one."""
        return self._decoder.decode(piece.encode("utf-16-le", "surrogatepass"), last)
