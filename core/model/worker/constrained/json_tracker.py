"""Follows a JSON text piece by piece: the string, number and containers in which it stands. Knows no grammar."""

from __future__ import annotations

from copy import copy

QUOTE, BACKSLASH = ord('"'), ord("\\")
OPENING, CLOSING, SEPARATORS = b"[{", b"]}", b":,"
NUMBER_START = b"-0123456789"
NUMBER_BYTES = b"-+.eE0123456789"
START = 0


class JsonTracker:
    """The position in a JSON text that is correct so far."""

    def __init__(self) -> None:
        self.inside = False  # a string
        self.key = False  # the string is the name of a property
        self.strings = 0  # opened so far
        self.content = bytearray()  # of the open or the last string, with its escapes
        self.number = bytearray()  # the open number so far
        self.containers = bytearray()  # the open brackets and braces, outermost first
        self._escaped = False
        self._last = START  # the last byte outside of strings that is no white space

    @property
    def expects_value(self) -> bool:
        """True if a value may begin here."""
        if self.inside:
            return False
        return self._last in (START, ord(":")) or (self._last in b"[," and self.containers[-1:] == b"[")

    def feed(self, data: bytes) -> None:
        if self.inside and not self._escaped and b'"' not in data and b"\\" not in data:
            self.content += data
            return
        for byte in data:
            if self.inside:
                self._feed_inside(byte)
            else:
                self._feed_outside(byte)

    def _feed_inside(self, byte: int) -> None:
        if not self._escaped and byte == QUOTE:
            self.inside = False
            return
        self._escaped = not self._escaped and byte == BACKSLASH
        self.content.append(byte)

    def _feed_outside(self, byte: int) -> None:
        if byte in NUMBER_BYTES and (self.number or byte in NUMBER_START):
            self.number.append(byte)
        elif self.number:
            self.number = bytearray()
        if byte == QUOTE:
            self.key = self._last in b"{," and self.containers[-1:] == b"{"
            self.inside, self.content = True, bytearray()
            self.strings += 1
        elif byte in OPENING:
            self.containers.append(byte)
        elif byte in CLOSING:
            del self.containers[-1:]
        if not chr(byte).isspace():
            self._last = byte

    def copy(self) -> JsonTracker:
        twin = copy(self)
        twin.content, twin.number, twin.containers = self.content[:], self.number[:], self.containers[:]
        return twin
