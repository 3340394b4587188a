"""Reads the head of a GGUF file: what model it is and how much memory its context takes. No weights, no llama.cpp.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.model.sizing import kv_bytes_per_token

MAGIC = b"GGUF"
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
ENTRIES_LIMIT = 10_000
STRING_LIMIT_BYTES = 16 * 1024 * 1024
SKIP_LIMIT_BYTES = 1 << 32

Value = int | float | str | tuple[int | float, ...] | None


class NotGguf(ValueError):
    """The file is none, or is cut off in its head."""


@dataclass(frozen=True)
class Head:
    entries: dict[str, Value]

    @property
    def architecture(self) -> str:
        return str(self.entries.get("general.architecture", ""))

    @property
    def name(self) -> str:
        return str(self.entries.get("general.name", ""))

    @property
    def context_length(self) -> int | None:
        """Tokens that the model was made for."""
        return self._whole("context_length")

    @property
    def kv_bytes_per_token(self) -> int | None:
        """What one token of context takes in a 16-bit KV cache; None for architectures that keep no such cache."""
        layers, heads, width = self._whole("block_count"), self._whole("attention.head_count"), self._head_width()
        if not layers or not heads or not width:
            return None
        shared = self.entries.get(f"{self.architecture}.attention.head_count_kv", heads)
        cached_heads = sum(map(int, shared)) if isinstance(shared, tuple) else int(shared or heads) * layers
        return kv_bytes_per_token(cached_heads, width)

    def _head_width(self) -> int | None:
        width, heads = self._whole("embedding_length"), self._whole("attention.head_count")
        return self._whole("attention.key_length") or (width // heads if width and heads else None)

    def _whole(self, key: str) -> int | None:
        value = self.entries.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) else None


def read_head(file: Path) -> Head:
    """Raises NotGguf, OSError."""
    with file.open("rb") as stream:
        if stream.read(4) != MAGIC:
            raise NotGguf("it does not begin with GGUF")
        version, _tensors, count = number(stream, "I"), number(stream, "Q"), number(stream, "Q")
        if version not in (2, 3) or count > ENTRIES_LIMIT:
            raise NotGguf(f"version {version} with {count} entries")
        return Head(dict(entry(stream) for _ in range(count)))


def entry(stream: BinaryIO) -> tuple[str, Value]:
    key = string(stream)
    return key, value(stream, number(stream, "I"))


def value(stream: BinaryIO, kind: int) -> Value:
    """Long lists, such as the vocabulary, are passed over."""
    if kind == STRING:
        return string(stream)
    if kind != ARRAY:
        return number(stream, scalar(kind))
    inner, length = number(stream, "I"), number(stream, "Q")
    if inner == STRING:
        for _ in range(length):
            skip(stream, number(stream, "Q"))
        return None
    width = struct.calcsize("<" + scalar(inner))
    if length > ENTRIES_LIMIT:
        skip(stream, length * width)
        return None
    return struct.unpack(f"<{length}{scalar(inner)}", exactly(stream, length * width))


def scalar(kind: int) -> str:
    if kind not in SCALARS:
        raise NotGguf(f"an entry of the unknown type {kind}")
    return SCALARS[kind]


def number(stream: BinaryIO, form: str) -> int:
    (found,) = struct.unpack(f"<{form}", exactly(stream, struct.calcsize(f"<{form}")))
    return found  # type: ignore[no-any-return]


def string(stream: BinaryIO) -> str:
    length = number(stream, "Q")
    if length > STRING_LIMIT_BYTES:
        raise NotGguf(f"a string of {length} bytes")
    return exactly(stream, length).decode(errors="replace")


def exactly(stream: BinaryIO, length: int) -> bytes:
    found = stream.read(length)
    if len(found) < length:
        raise NotGguf("it is cut off")
    return found


def skip(stream: BinaryIO, length: int) -> None:
    """The next read raises if that is behind the end."""
    if length > SKIP_LIMIT_BYTES:
        raise NotGguf(f"an entry of {length} bytes")
    stream.seek(length, 1)
