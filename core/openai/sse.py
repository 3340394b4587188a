"""Encodes and decodes server-sent events. Knows no HTTP.

The decoder splits lines as bytes. A character that spans two network chunks is then decoded whole, and U+2028 inside a
JSON string does not end a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from core.contract import Json

LINE_LIMIT_BYTES = 2**20
CONTENT_TYPE = "text/event-stream; charset=utf-8"
DONE = "[DONE]"  # OpenAI's data of a stream's last event


def encode_event(data: Json) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def encode_comment(text: str) -> bytes:
    """Encode a line that ordinary clients skip."""
    return f": {text}\n\n".encode()


def encode_done() -> bytes:
    return f"data: {DONE}\n\n".encode()


@dataclass(frozen=True, slots=True)
class SseComment:
    """A comment line, which ordinary clients skip."""

    text: str


@dataclass(frozen=True, slots=True)
class SseData:
    """The data of one event."""

    text: str


class LineTooLongError(ValueError):
    """A line or an event has more than LINE_LIMIT_BYTES."""


class SseDecoder:
    """Takes bytes in any chunks and yields whole events."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[SseComment | SseData]:
        """Raises LineTooLongError."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from self._line(line.removesuffix(b"\r"))
        if len(self._rest) + sum(map(len, self._data)) > LINE_LIMIT_BYTES:
            raise LineTooLongError

    def _line(self, line: bytes) -> Iterator[SseComment | SseData]:
        if line.startswith(b":"):
            yield SseComment(decode_value(line[1:]))
        elif line.startswith(b"data:"):
            self._data.append(line[5:])
        elif not line and self._data:
            yield SseData("\n".join(map(decode_value, self._data)))
            self._data = []


def decode_value(line: bytes) -> str:
    return line.removeprefix(b" ").decode("utf-8", "replace")
