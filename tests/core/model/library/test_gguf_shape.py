"""The sizes of a model, from the tensors in its header."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.library.gguf_header import InvalidGguf
from core.model.library.gguf_shape import read_shape
from core.model.library.starter import bundled_starter
from tests.core.model.library.test_gguf_header import LLAMA, Typed, text, whole

Tensors = dict[str, tuple[int, ...]]
EMBEDDINGS: Tensors = {"token_embd.weight": (64, 100)}


def write_model(file: Path, tensors: Tensors, size_bytes: int = 64, **entries: Typed) -> Path:
    """Writes a file whose tensors have `size_bytes` each."""
    body = b"".join(
        text(key.replace("__", ".")) + struct.pack("<I", kind) + value
        for key, (kind, value) in {**LLAMA, **entries}.items()
    )
    for number, (name, dimensions) in enumerate(tensors.items()):
        body += text(name) + struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions)
        body += struct.pack("<IQ", 0, number * size_bytes)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len({**LLAMA, **entries})) + body
    file.write_bytes(head + b"\0" * (-len(head) % 32) + b"\1" * size_bytes * len(tensors))
    return file


def widths(file: Path) -> list[tuple[int, int]]:
    shape = read_shape(file)
    assert shape is not None
    return [(layer.key_width, layer.value_width) for layer in shape.layers]


def attention(layer: int, keys: int = 32, values: int = 32) -> Tensors:
    return {
        f"blk.{layer}.attn_q.weight": (64, 64),
        f"blk.{layer}.attn_k.weight": (64, keys),
        f"blk.{layer}.attn_v.weight": (64, values),
    }


def test_the_starters_sizes() -> None:
    """They add up to its file, but for its header."""
    file = bundled_starter()
    shape = read_shape(file)
    assert shape is not None
    assert (30, 8192, 49_152, 9, (64,)) == (
        len(shape.layers),
        shape.context_length,
        shape.vocabulary,
        shape.heads,
        shape.head_sizes,
    )
    assert 23_040 == shape.kv_bytes_per_token()
    assert 0 < file.stat().st_size - shape.weight_bytes < 4 << 20
    assert shape.output_is_input


def test_the_widths_come_from_the_tensors(tmp_path: Path) -> None:
    """Keys and values may have different ones."""
    file = write_model(tmp_path / "m.gguf", {**EMBEDDINGS, **attention(0, 32, 16), **attention(1)})
    assert [(32, 16), (32, 32)] == widths(file)


def test_the_output_may_have_weights_of_its_own(tmp_path: Path) -> None:
    """Without them a GPU gets a copy of the embeddings."""
    shared = read_shape(write_model(tmp_path / "m.gguf", {**EMBEDDINGS, **attention(0), "output_norm.weight": (64,)}))
    own = read_shape(write_model(tmp_path / "n.gguf", {**EMBEDDINGS, **attention(0), "output.weight": (64, 100)}))
    assert shared is not None
    assert own is not None
    assert (64, 64, 192) == (shared.input_bytes, shared.output_bytes, shared.layers[0].weight_bytes)
    assert (64, 64) == (own.input_bytes, own.output_bytes)
    assert (True, False) == (shared.output_is_input, own.output_is_input)


def test_only_attention_layers_cache_tokens(tmp_path: Path) -> None:
    """A recurrent layer keeps a state for each sequence."""
    recurrent: Tensors = {"blk.1.ssm_out.weight": (64, 64), "blk.1.attn_qkv.weight": (64, 96)}
    ssm = {"inner_size": 128, "state_size": 16, "conv_kernel": 4, "group_count": 1}
    entries = {f"llama__ssm__{name}": whole(value) for name, value in ssm.items()}
    shape = read_shape(write_model(tmp_path / "m.gguf", {**EMBEDDINGS, **attention(0), **recurrent}, **entries))
    assert shape is not None
    first, second = shape.layers
    assert (32, 32, 0) == (first.key_width, first.value_width, first.state_values)
    assert (0, 0, 3 * (128 + 2 * 16) + 16 * 128) == (second.key_width, second.value_width, second.state_values)


def test_layers_that_share_a_cache_have_none(tmp_path: Path) -> None:
    """Gemma's last layers read the cache of earlier ones."""
    tensors = {**EMBEDDINGS, **attention(0), **attention(1), **attention(2)}
    file = write_model(tmp_path / "m.gguf", tensors, llama__attention__shared_kv_layers=whole(2))
    assert [(32, 32), (0, 0), (0, 0)] == widths(file)


def test_latent_attention_caches_one_vector(tmp_path: Path) -> None:
    """It is the compressed form of all heads' keys and values."""
    file = write_model(tmp_path / "m.gguf", {**EMBEDDINGS, "blk.0.attn_kv_a_mqa.weight": (64, 576)})
    assert [(576, 0)] == widths(file)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({}, [(64, 64)]),
        ({"llama__attention__head_count_kv": whole(2)}, [(32, 32)]),
        ({"llama__attention__key_length": whole(24), "llama__attention__value_length": whole(8)}, [(96, 32)]),
        ({"llama__attention__head_count_kv": (9, struct.pack("<IQII", 4, 2, 1, 3))}, [(16, 16)]),
    ],
)
def test_fused_weights_leave_the_widths_to_the_header(
    tmp_path: Path, entries: dict[str, Typed], expected: list[tuple[int, int]]
) -> None:
    """Query, key and value are one tensor then."""
    file = write_model(tmp_path / "m.gguf", {**EMBEDDINGS, "blk.0.attn_qkv.weight": (64, 192)}, **entries)
    assert expected == widths(file)


def test_all_parts_of_a_split_model_count(tmp_path: Path) -> None:
    """Their layers are in different files."""
    first = write_model(tmp_path / "m-00001-of-00002.gguf", {**EMBEDDINGS, **attention(0)})
    write_model(tmp_path / "m-00002-of-00002.gguf", attention(1))
    assert [(32, 32), (32, 32)] == widths(first)


def test_a_file_without_layers_has_no_shape(tmp_path: Path) -> None:
    """Such as a vocabulary alone."""
    assert read_shape(write_model(tmp_path / "m.gguf", {})) is None
    assert read_shape(write_model(tmp_path / "n.gguf", EMBEDDINGS)) is None


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damaged_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """No byte makes the reader fail otherwise, or allocate without bounds."""
    file = write_model(tmp_path_factory.mktemp("damaged") / "m.gguf", {**EMBEDDINGS, **attention(0)})
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(bytes(content[: data.draw(st.integers(4, len(content)))]))
    with contextlib.suppress(InvalidGguf):
        shape = read_shape(file)
        assert shape is None or shape.weight_bytes >= 0
