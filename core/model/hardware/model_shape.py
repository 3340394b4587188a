"""The sizes of a model that decide where it fits: its layers, and what a token caches in each. Knows no file format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import ConfigError

KvType = Literal["f16", "q8_0", "q4_0"]

# Bytes of one cached value: llama.cpp stores 32 quantized values with one 16-bit scale. Its CUDA kernels for flash
# attention are compiled for these types by default.
KV_VALUE_BYTES: dict[KvType, float] = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
KV_BLOCK = 32  # values that share a scale
STATE_BYTES = 4  # recurrent layers keep 32-bit floats


@dataclass(frozen=True, slots=True)
class LayerSize:
    """One layer. A token caches `key_width` and `value_width` values in it, a sequence `state_values`."""

    weight_bytes: int
    key_width: int = 0
    value_width: int = 0
    state_values: int = 0  # of a recurrent layer

    def kv_bytes_per_token(self, kv_type: KvType) -> float:
        return (self.key_width + self.value_width) * KV_VALUE_BYTES[kv_type]

    def held_bytes(self, kv_type: KvType, cells: int, sequences: int) -> float:
        """Returns the bytes of weights and caches together."""
        states = sequences * self.state_values * STATE_BYTES
        return self.weight_bytes + states + cells * self.kv_bytes_per_token(kv_type)


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A model. `input_bytes` (the embeddings) always stay with the processor; the output counts as a layer more.

    `output_is_input`: the output uses the embeddings, of which a GPU gets a copy.
    """

    layers: tuple[LayerSize, ...]
    input_bytes: int
    output_bytes: int
    context_length: int  # tokens that it was trained for
    vocabulary: int
    embedding_width: int
    feed_forward_width: int
    heads: int
    head_sizes: tuple[int, ...] = ()  # of cached keys and values
    output_is_input: bool = False
    architecture: str = ""

    @property
    def weight_bytes(self) -> int:
        return self.input_bytes + self.output_bytes + sum(layer.weight_bytes for layer in self.layers)

    def kv_bytes_per_token(self, kv_type: KvType = "f16") -> float:
        return sum(layer.kv_bytes_per_token(kv_type) for layer in self.layers)

    def compute_bytes(self, ubatch: int, cells: int, *, flash_attention: bool) -> int:
        """Estimates the buffers of one batch, from above: llama.cpp reuses their memory from layer to layer."""
        logits = self.vocabulary * 4
        scores = 0 if flash_attention else self.heads * cells * 4
        mask = cells * 4
        activations = 4 * (6 * self.embedding_width + 3 * self.feed_forward_width)
        return ubatch * (max(logits, scores) + mask + activations)


def can_quantize(shape: ModelShape | None) -> bool:
    """Tells whether the model's heads can be cached in blocks of 32 values."""
    return shape is not None and bool(shape.head_sizes) and all(size % KV_BLOCK == 0 for size in shape.head_sizes)


def check_kv_type(kv_type: KvType | None, flash_attention: bool | None, shape: ModelShape | None) -> None:
    """Raises ConfigError if the settings exclude each other or the model excludes them."""
    if kv_type in (None, "f16"):
        return
    if flash_attention is False:
        raise ConfigError(
            f"LLM_KV_TYPE={kv_type} needs flash attention, and LLM_FLASH_ATTENTION is off: unset one of them"
        )
    if shape is not None and not can_quantize(shape):
        sizes = ", ".join(map(str, shape.head_sizes)) or "unknown"
        raise ConfigError(
            f"LLM_KV_TYPE={kv_type} stores blocks of {KV_BLOCK} values, and this model's heads have {sizes}: unset it"
        )


def check_cache_size(cells: int, shape: ModelShape, kv_type: KvType, most_bytes: int) -> None:
    """Raises ConfigError for a cache above all memory: the kernel would kill the process, without a message."""
    needed = cells * shape.kv_bytes_per_token(kv_type)
    if 0 < most_bytes < needed:
        raise ConfigError(
            f"LLM_CACHE_TOKENS is {cells}: this model's cache would take {needed / 2**30:.1f} GiB, and this machine has"
            f" {most_bytes / 2**30:.1f} GiB"
        )
