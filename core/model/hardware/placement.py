"""Chooses how a model is loaded: layers on GPUs, the size and type of the KV cache, threads, flash attention.

Settings come first, then measured values (`tuning`), then what the memory allows. The KV cache is sized by the memory
in which it lies: that of GPUs for the layers on them, the machine's for the others. Several placements are returned, in
the order in which they should be tried: a driver may refuse memory that it reported as free.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.model.hardware.model_shape import KvType, LayerSize, ModelShape, can_quantize
from core.model.hardware.offload import CachePlan, OffloadPlan, plan_offload
from core.model.hardware.sizing import KV_MEMORY_SHARE

UBATCH_TOKENS = 512
CACHE_LIMIT = 0.8  # of the free memory: above, the cache is stored in fewer bits
FEWER_LAYERS = 0.75  # of the layers that did not fit


@dataclass(frozen=True, slots=True)
class PlacementOptions:
    """The values that settings, a personality or `tune` give. None is chosen here."""

    cells: int | None = None
    kv_type: KvType | None = None
    flash_attention: bool | None = None
    gpu_layers: int | None = None  # -1: all
    ubatch: int = UBATCH_TOKENS
    sequences: int = 1


@dataclass(frozen=True, slots=True)
class Placement:
    """One way to load a model. `flash_attention` None: llama.cpp uses it where the device can."""

    cells: int
    kv_type: KvType
    flash_attention: bool | None
    gpu_layers: int
    split: tuple[float, ...] = ()
    ubatch: int = UBATCH_TOKENS


@dataclass(frozen=True, slots=True)
class Room:
    """The free memory of the machine, within the limits of its control groups, and of each GPU.

    `unified`: the GPUs' memory is the machine's own. `most_bytes`: all memory together, free or not; 0 if unknown.
    """

    host_bytes: int
    gpu_bytes: tuple[int, ...] = ()
    unified: bool = False
    most_bytes: int = 0


def choose_placements(shape: ModelShape, window: int, options: PlacementOptions, room: Room) -> Iterator[Placement]:
    """Yields the best placement, then those to try if it is refused: fewer layers on GPUs, at last none."""
    best = choose_placement(shape, window, options, room)
    yield best
    layers = min(best.gpu_layers, len(shape.layers) + 1)
    while layers > 0:
        layers = int(layers * FEWER_LAYERS)
        yield fit_to_host(shape, window, options, room, replace(best, gpu_layers=layers))
    kv_type = options.kv_type or "f16"
    cells = best.cells if options.cells else window
    if (cells, kv_type) != (best.cells, best.kv_type):
        yield replace(best, cells=cells, kv_type=kv_type, gpu_layers=0)


def choose_placement(shape: ModelShape, window: int, options: PlacementOptions, room: Room) -> Placement:
    """Returns the placement with the most layers on GPUs; among those, the first whose cache the memory can hold."""
    placements = [place(shape, window, options, room, cache) for cache in candidates(shape, window, options)]
    return max(
        placements,
        key=lambda each: (
            each.gpu_layers,
            cached_host_bytes(shape, room, each) <= CACHE_LIMIT * host_rest(shape, room, each),
        ),
    )


def place(shape: ModelShape, window: int, options: PlacementOptions, room: Room, cache: CachePlan) -> Placement:
    plan = fixed_plan(shape, options, room) or plan_offload(shape, room.gpu_bytes, cache)
    placement = Placement(
        cache.cells, cache.kv_type, options.flash_attention, plan.gpu_layers, plan.split, options.ubatch
    )
    return fit_to_host(shape, window, options, room, placement)


def candidates(shape: ModelShape, window: int, options: PlacementOptions) -> Iterator[CachePlan]:
    """Yields the caches to plan for, best first: two windows, one window, one window in 8 bits a value."""
    flash = options.flash_attention is not False
    sizes = [max(options.cells, window)] if options.cells else [2 * window, window]
    kv_types: list[KvType] = [options.kv_type or "f16"] * len(sizes)
    if options.kv_type is None and flash and can_quantize(shape):
        sizes, kv_types = [*sizes, sizes[-1]], [*kv_types, "q8_0"]
    for cells, kv_type in zip(sizes, kv_types, strict=True):
        yield CachePlan(cells, kv_type, options.ubatch, flash, options.sequences)


def fixed_plan(shape: ModelShape, options: PlacementOptions, room: Room) -> OffloadPlan | None:
    """Returns the plan that a setting dictates, in the proportions of the GPUs' free memory."""
    if options.gpu_layers is None:
        return None
    if not room.gpu_bytes:
        return OffloadPlan(0)
    most = len(shape.layers) + 1
    layers = most if options.gpu_layers < 0 else min(options.gpu_layers, most)
    return OffloadPlan(layers, tuple(float(each) for each in room.gpu_bytes))


def fit_to_host(
    shape: ModelShape, window: int, options: PlacementOptions, room: Room, placement: Placement
) -> Placement:
    """Reduces the cells, to one window at the least, to what the machine's memory holds of the cache."""
    per_token = host_bytes_per_token(shape, room, placement)
    if options.cells or not per_token:
        return placement
    affordable = int(KV_MEMORY_SHARE * host_rest(shape, room, placement) / per_token)
    return replace(placement, cells=max(window, min(placement.cells, affordable)))


def cached_host_bytes(shape: ModelShape, room: Room, placement: Placement) -> float:
    return placement.cells * host_bytes_per_token(shape, room, placement)


def host_bytes_per_token(shape: ModelShape, room: Room, placement: Placement) -> float:
    layers = host_layers(shape, room, placement)
    return sum(layer.kv_bytes_per_token(placement.kv_type) for layer in layers)


def host_rest(shape: ModelShape, room: Room, placement: Placement) -> int:
    """Returns the machine's memory that is free once the weights are loaded."""
    weights = sum(layer.weight_bytes for layer in host_layers(shape, room, placement)) + shape.input_bytes
    if room.unified or not placement.gpu_layers:
        weights += shape.output_bytes
    return max(room.host_bytes - weights, 0)


def host_layers(shape: ModelShape, room: Room, placement: Placement) -> Sequence[LayerSize]:
    """Returns the layers whose weights and cache are in the machine's memory."""
    return shape.layers if room.unified else shape.layers[: max(len(shape.layers) + 1 - placement.gpu_layers, 0)]
