"""Reads the header of a GGUF file: the model's name and its other properties. Reads no weights.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

MAGIC = b"GGUF"
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
ENTRIES_LIMIT = 10_000
STRING_LIMIT_BYTES = 16 * 1024 * 1024
SKIP_LIMIT_BYTES = 1 << 32
BLOCK_BYTES = 1 << 16
STRING_LENGTH = struct.Struct("<Q")

GgufValue = int | float | str | tuple[int | float, ...] | None
GgufFault = Literal["magic", "version", "entries", "type", "length", "cut"]


class InvalidGguf(ValueError):
    """The file is not a GGUF file, or its header is damaged. `value`: the version, number, type or length at fault."""

    def __init__(self, fault: GgufFault, value: int = 0) -> None:
        super().__init__(fault, value)
        self.fault = fault
        self.value = value


@dataclass(frozen=True)
class GgufHeader:
    entries: dict[str, GgufValue]

    @property
    def architecture(self) -> str:
        return str(self.entries.get("general.architecture", ""))

    @property
    def name(self) -> str:
        return str(self.entries.get("general.name", ""))

    @property
    def context_length(self) -> int | None:
        """The context in tokens that the model was trained for."""
        return self.integer("context_length")

    @property
    def head_width(self) -> int | None:
        """The values of one cached key."""
        width, heads = self.integer("embedding_length"), self.integer("attention.head_count")
        return self.integer("attention.key_length") or (width // heads if width and heads else None)

    def integer(self, key: str) -> int | None:
        """Returns a number of this architecture, such as "block_count"; None without it."""
        value = self.entries.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) else None

    def integers(self, key: str) -> tuple[int, ...]:
        """Returns a number of this architecture that each layer has; empty without it."""
        value = self.entries.get(f"{self.architecture}.{key}")
        return tuple(map(int, value)) if isinstance(value, tuple) else ()


def read_header(file: Path) -> GgufHeader:
    """Raises InvalidGguf, OSError."""
    with open_gguf(file) as (_, _, header):
        return header


@contextlib.contextmanager
def open_gguf(file: Path) -> Iterator[tuple[BinaryIO, int, GgufHeader]]:
    """Yields the file after its entries, the number of its tensors, and the entries. Raises InvalidGguf, OSError."""
    with file.open("rb") as stream:
        if stream.read(4) != MAGIC:
            raise InvalidGguf("magic")
        version, tensors, count = read_number(stream, "I"), read_number(stream, "Q"), read_number(stream, "Q")
        if version not in (2, 3):
            raise InvalidGguf("version", version)
        if count > ENTRIES_LIMIT:
            raise InvalidGguf("entries", count)
        yield stream, tensors, GgufHeader(dict(read_entry(stream) for _ in range(count)))


def read_entry(stream: BinaryIO) -> tuple[str, GgufValue]:
    key = read_string(stream)
    return key, read_value(stream, read_number(stream, "I"))


def read_value(stream: BinaryIO, kind: int) -> GgufValue:
    """Skips long lists, such as the vocabulary, and returns None for them."""
    if kind == STRING:
        return read_string(stream)
    if kind != ARRAY:
        return read_number(stream, scalar_format(kind))
    inner, length = read_number(stream, "I"), read_number(stream, "Q")
    if inner == STRING:
        skip_strings(stream, length)
        return None
    width = struct.calcsize("<" + scalar_format(inner))
    if length > ENTRIES_LIMIT:
        skip(stream, length * width)
        return None
    return struct.unpack(f"<{length}{scalar_format(inner)}", read_exactly(stream, length * width))


def scalar_format(kind: int) -> str:
    if kind not in SCALARS:
        raise InvalidGguf("type", kind)
    return SCALARS[kind]


def read_number(stream: BinaryIO, form: str) -> int:
    (number,) = struct.unpack(f"<{form}", read_exactly(stream, struct.calcsize(f"<{form}")))
    return number  # type: ignore[no-any-return]


def read_string(stream: BinaryIO) -> str:
    length = read_number(stream, "Q")
    if length > STRING_LIMIT_BYTES:
        raise InvalidGguf("length", length)
    return read_exactly(stream, length).decode(errors="replace")


def read_exactly(stream: BinaryIO, length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise InvalidGguf("cut")
    return content


def skip_strings(stream: BinaryIO, count: int) -> None:
    """Reads in blocks: a vocabulary has a hundred thousand strings. The next read raises beyond the end."""
    block, at = b"", 0
    for _ in range(count):
        if at + STRING_LENGTH.size > len(block):
            block, at = block[at:] + stream.read(BLOCK_BYTES), 0
            if len(block) < STRING_LENGTH.size:
                raise InvalidGguf("cut")
        (length,) = STRING_LENGTH.unpack_from(block, at)
        at += STRING_LENGTH.size + length
        if at > len(block):
            skip(stream, at - len(block))
            block, at = b"", 0
    stream.seek(at - len(block), 1)


def skip(stream: BinaryIO, length: int) -> None:
    """The next read raises if this goes beyond the end."""
    if length > SKIP_LIMIT_BYTES:
        raise InvalidGguf("length", length)
    stream.seek(length, 1)
