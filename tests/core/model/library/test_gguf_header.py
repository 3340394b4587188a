"""The header of a model file: it is read for `doctor`, and hostile bytes are refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.library.gguf_header import InvalidGguf, read_header
from core.model.library.starter import bundled_starter

Typed = tuple[int, bytes]


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def whole(value: int) -> Typed:
    return 4, struct.pack("<I", value)


def gguf(**entries: Typed) -> bytes:
    """A header with these entries; `__` in a name stands for a dot."""
    body = b"".join(
        text(key.replace("__", ".")) + struct.pack("<I", kind) + value for key, (kind, value) in entries.items()
    )
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries)) + body


LLAMA = {
    "general__architecture": (8, text("llama")),
    "general__name": (8, text("Tiny")),
    "tokenizer__tokens": (9, struct.pack("<IQ", 8, 2) + text("a") + text("b")),
    "llama__block_count": whole(2),
    "llama__context_length": whole(2048),
    "llama__embedding_length": whole(64),
    "llama__attention__head_count": whole(4),
}


def written(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    return file


def test_the_starter() -> None:
    """The real file tells its architecture and the context that it was trained for."""
    header = read_header(bundled_starter())
    assert (header.architecture, header.context_length) == ("llama", 8192)


def test_a_number_may_differ_from_layer_to_layer(tmp_path: Path) -> None:
    """It is a list then."""
    by_layer = {**LLAMA, "llama__attention__head_count_kv": (9, struct.pack("<IQII", 4, 2, 4, 0))}
    header = read_header(written(tmp_path, gguf(**by_layer)))
    assert (4, 0) == header.integers("attention.head_count_kv")
    assert header.integer("attention.head_count_kv") is None


@pytest.mark.parametrize("block", [9, 10, 64, 4096])
def test_a_vocabulary_is_skipped_block_by_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """A string or its length may lie across the border of two blocks, and be longer than a block."""
    monkeypatch.setattr("core.model.library.gguf_header.BLOCK_BYTES", block)
    words = ["", "a", "bc" * 40, "d" * 9, *map(str, range(200))]
    vocabulary = struct.pack("<IQ", 8, len(words)) + b"".join(map(text, words))
    header = read_header(written(tmp_path, gguf(tokens=(9, vocabulary), general__name=(8, text("Behind")))))

    assert ("Behind", None) == (header.name, header.entries["tokens"])


def test_an_architecture_may_have_no_context_length(tmp_path: Path) -> None:
    """Nothing is guessed."""
    header = read_header(written(tmp_path, gguf(general__architecture=(8, text("mamba")))))
    assert header.head_width is None
    assert header.context_length is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 a zip file",
        gguf(**LLAMA)[:-3],
        b"GGUF" + struct.pack("<IQQ", 9, 0, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60),
        gguf(a=(8, struct.pack("<Q", 1 << 60))),
        gguf(a=(9, struct.pack("<IQ", 10, 1 << 60))),
        gguf(a=(99, b"")),
        gguf(a=(9, struct.pack("<IQ", 9, 1))),
    ],
    ids=["empty", "zip", "cut", "version", "entries", "string", "array", "type", "nested"],
)
def test_an_incomplete_header_is_refused(tmp_path: Path, content: bytes) -> None:
    """So are lengths that would take all memory or never end."""
    with pytest.raises(InvalidGguf):
        read_header(written(tmp_path, content))


@settings(max_examples=100)
@given(data=st.data())
def test_damaged_headers_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any changed byte gives a header or InvalidGguf, and nothing else."""
    content = bytearray(gguf(**LLAMA))
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "damaged.gguf"
    file.write_bytes(content)
    try:
        header = read_header(file)
    except InvalidGguf:
        return
    assert isinstance(header.architecture, str)
    assert header.context_length is None or header.context_length >= 0
