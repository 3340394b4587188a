"""Reads the sizes of a model from the header of its GGUF file: of each tensor, by layer. Reads no weights.

The widths of keys and values come from the tensors themselves: architectures name them differently, and only some of
the layers of a hybrid one cache anything. Sliding windows count in full, because the worker keeps them in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.model.hardware.model_shape import LayerSize, ModelShape
from core.model.library.gguf_header import (
    ENTRIES_LIMIT,
    GgufHeader,
    InvalidGguf,
    open_gguf,
    read_number,
    read_string,
)

DIMENSIONS_LIMIT = 8
LAYER = re.compile(r"blk\.(\d+)\.(.+)\.weight")
ALIGNMENT = 32
SPLIT = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


@dataclass(frozen=True, slots=True)
class TensorSize:
    name: str
    dimensions: tuple[int, ...]
    size_bytes: int


def read_shape(file: Path) -> ModelShape | None:
    """Returns the sizes; None if the file has no layers that they could be read from. Raises InvalidGguf, OSError."""
    header, tensors = read_tensors(file)
    for part in other_parts(file):
        tensors += read_tensors(part)[1]
    layers = read_layers(header, tensors)
    if not layers:
        return None
    by_name = {tensor.name: tensor for tensor in tensors}
    embeddings = by_name.get("token_embd.weight", TensorSize("", (0, 0), 0))
    in_layers = sum(layer.weight_bytes for layer in layers)
    output = sum(tensor.size_bytes for tensor in tensors) - in_layers - embeddings.size_bytes
    heads = header.integer("attention.head_count") or max(header.integers("attention.head_count"), default=0)
    return ModelShape(
        layers=tuple(layers),
        input_bytes=embeddings.size_bytes,
        output_bytes=output,
        output_is_input="output.weight" not in by_name,
        context_length=header.context_length or 0,
        vocabulary=embeddings.dimensions[-1],
        embedding_width=header.integer("embedding_length") or embeddings.dimensions[0],
        feed_forward_width=header.integer("feed_forward_length")
        or max(header.integers("feed_forward_length"), default=0),
        heads=heads,
        head_sizes=head_sizes(header, heads),
        architecture=header.architecture,
    )


def read_tensors(file: Path) -> tuple[GgufHeader, list[TensorSize]]:
    """Returns the header and the tensors of one file. A tensor's size is the distance to the next one."""
    with open_gguf(file) as (stream, tensor_count, header):
        if tensor_count > ENTRIES_LIMIT:
            raise InvalidGguf("entries", tensor_count)
        found = []
        for _ in range(tensor_count):
            name, count = read_string(stream), read_number(stream, "I")
            if count > DIMENSIONS_LIMIT:
                raise InvalidGguf("length", count)
            dimensions = tuple(read_number(stream, "Q") for _ in range(count))
            read_number(stream, "I")  # its type
            found.append((read_number(stream, "Q"), name, dimensions))
        alignment = header.entries.get("general.alignment")
        padding = alignment if isinstance(alignment, int) and alignment > 0 else ALIGNMENT
        data_start = -(-stream.tell() // padding) * padding
    if not found:
        return header, []
    found.sort()
    ends = [offset for offset, _, _ in found[1:]] + [max(file.stat().st_size - data_start, 0)]
    return header, [
        TensorSize(name, dimensions, max(end - offset, 0))
        for (offset, name, dimensions), end in zip(found, ends, strict=True)
    ]


def other_parts(file: Path) -> list[Path]:
    """Returns the other parts of a split model, of which `file` is one."""
    match = SPLIT.search(file.name)
    if not match or int(match[2]) > ENTRIES_LIMIT:
        return []
    stem = file.name[: match.start()]
    names = (f"{stem}-{number:05d}-of-{match[2]}.gguf" for number in range(1, int(match[2]) + 1))
    return [file.with_name(name) for name in names if name != file.name and file.with_name(name).is_file()]


def read_layers(header: GgufHeader, tensors: Iterable[TensorSize]) -> list[LayerSize]:
    weights: dict[int, int] = {}
    widths: dict[int, dict[str, int]] = {}
    for tensor in tensors:
        if match := re.match(r"blk\.(\d+)\.", tensor.name):
            index = int(match[1])
            weights[index] = weights.get(index, 0) + tensor.size_bytes
            if (named := LAYER.fullmatch(tensor.name)) and len(tensor.dimensions) >= 2:
                widths.setdefault(index, {})[named[2]] = tensor.dimensions[1]
    if not weights or max(weights) >= ENTRIES_LIMIT:
        return []
    count = max(weights) + 1
    # The last layers of some architectures read the cache of earlier ones.
    caching = count - (header.integer("attention.shared_kv_layers") or 0)
    layers = []
    for index in range(count):
        mine = widths.get(index, {})
        key, value = cache_widths(header, index, mine) if index < caching else (0, 0)
        layers.append(LayerSize(weights.get(index, 0), key, value, state_values(header, mine)))
    return layers


def cache_widths(header: GgufHeader, layer: int, widths: dict[str, int]) -> tuple[int, int]:
    """Returns the values that a token caches in one layer, as key and value."""
    if "attn_k" in widths:
        return widths["attn_k"], widths.get("attn_v", widths["attn_k"])
    if "attn_kv_a_mqa" in widths:  # multi-head latent attention caches one compressed vector
        return widths["attn_kv_a_mqa"], 0
    if "attn_qkv" not in widths or "ssm_out" in widths:
        return 0, 0
    heads = header.integer("attention.head_count") or 0
    shared = header.integer("attention.head_count_kv") or heads
    by_layer = header.integers("attention.head_count_kv")
    cached = by_layer[layer] if layer < len(by_layer) else shared
    key = header.head_width or 0
    return cached * key, cached * (header.integer("attention.value_length") or key)


def head_sizes(header: GgufHeader, heads: int) -> tuple[int, ...]:
    width = header.head_width or 0
    names = ("key_length", "value_length", "key_length_swa", "value_length_swa")
    found = {header.integer(f"attention.{name}") or 0 for name in names} - {0}
    return tuple(sorted(found or {width} - {0}))


def state_values(header: GgufHeader, widths: dict[str, int]) -> int:
    """Estimates what one sequence keeps in a recurrent layer: the states of a convolution and of the recurrence."""
    if "ssm_out" not in widths:
        return 0
    inner, state = header.integer("ssm.inner_size") or 0, header.integer("ssm.state_size") or 0
    kernel, groups = header.integer("ssm.conv_kernel") or 1, header.integer("ssm.group_count") or 0
    return (kernel - 1) * (inner + 2 * groups * state) + state * inner
