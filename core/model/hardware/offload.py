"""Plans which layers of a model go to GPUs, as llama.cpp assigns them: the last ones, in the proportions of a split.

A GPU must hold its layers' weights, their part of the KV cache, and the buffers of a batch, with a margin for what its
driver and kernels take while they run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.model.hardware.model_shape import KvType, ModelShape

MARGIN_BYTES = 1 << 30  # llama.cpp's own fitting leaves as much by default
MARGIN_SHARE = 0.1  # of a small GPU


@dataclass(frozen=True, slots=True)
class CachePlan:
    """The KV cache that is planned for, and the batch."""

    cells: int
    kv_type: KvType
    ubatch: int
    flash_attention: bool
    sequences: int = 1


@dataclass(frozen=True, slots=True)
class OffloadPlan:
    """`gpu_layers` counts the output as a layer. `split`: each GPU's share; `gpu_bytes`: what each would hold."""

    gpu_layers: int
    split: tuple[float, ...] = ()
    gpu_bytes: tuple[int, ...] = ()


def plan_offload(shape: ModelShape, free_bytes: Sequence[int], cache: CachePlan) -> OffloadPlan:
    """Returns the plan with the most layers on GPUs that have `free_bytes`."""
    room = [usable_bytes(free) for free in free_bytes]
    buffers = shape.compute_bytes(cache.ubatch, cache.cells, flash_attention=cache.flash_attention)
    split = tuple(float(max(each - buffers, 0)) for each in room)
    if not sum(split):
        return OffloadPlan(0)
    for gpu_layers in range(len(shape.layers) + 1, 0, -1):
        used = held_bytes(shape, split, gpu_layers, cache, buffers)
        if all(held <= each for held, each in zip(used, room, strict=True)):
            return OffloadPlan(gpu_layers, split, used)
    return OffloadPlan(0)


def usable_bytes(free: int) -> int:
    return max(free - min(MARGIN_BYTES, int(free * MARGIN_SHARE)), 0)


def held_bytes(
    shape: ModelShape, split: Sequence[float], gpu_layers: int, cache: CachePlan, buffers: int
) -> tuple[int, ...]:
    """Returns the bytes on each GPU. A GPU without a layer needs no buffers."""
    held = [0.0] * len(split)
    for layer, gpu in assign_layers(len(shape.layers), split, gpu_layers):
        if layer == len(shape.layers):
            held[gpu] += shape.output_bytes + (shape.input_bytes if shape.output_is_input else 0)
        else:
            held[gpu] += shape.layers[layer].held_bytes(cache.kv_type, cache.cells, cache.sequences)
    return tuple(int(each) + buffers if each else 0 for each in held)


def assign_layers(layers: int, split: Sequence[float], gpu_layers: int) -> list[tuple[int, int]]:
    """Returns (layer, GPU) pairs for the last `gpu_layers` of `layers` + 1. The last of these is the output."""
    offloaded = min(gpu_layers, layers + 1)
    first, total = layers + 1 - offloaded, sum(split)
    bounds = [sum(split[: gpu + 1]) / total for gpu in range(len(split))]
    pairs = []
    for layer in range(first, layers + 1):
        position = (layer - first) / offloaded
        gpu = next((index for index, bound in enumerate(bounds) if bound > position), len(split) - 1)
        pairs.append((layer, gpu))
    return pairs
