"""Which layers go to GPUs, how large the KV cache is, and what is tried if a driver refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from core.model.hardware.model_shape import LayerSize, ModelShape, can_quantize, check_kv_type
from core.model.hardware.offload import CachePlan, assign_layers, held_bytes, plan_offload, usable_bytes
from core.model.hardware.placement import Placement, PlacementOptions, Room, choose_placement, choose_placements

MIB, GIB = 1 << 20, 1 << 30
WINDOW = 8192
# About Llama 3.1 8B in 4 bits: 32 layers, 8 KV heads of 128 values.
SHAPE = ModelShape(
    layers=(LayerSize(136 * MIB, 1024, 1024),) * 32,
    input_bytes=280 * MIB,
    output_bytes=410 * MIB,
    context_length=131_072,
    vocabulary=128_256,
    embedding_width=4096,
    feed_forward_width=14_336,
    heads=32,
    head_sizes=(128,),
    architecture="llama",
)
PLENTY = Room(host_bytes=64 * GIB)
AUTO = PlacementOptions()


def place(room: Room, options: PlacementOptions = AUTO, shape: ModelShape = SHAPE) -> Placement:
    return choose_placement(shape, WINDOW, options, room)


def test_a_machine_without_gpus_caches_two_windows() -> None:
    """Many short conversations share them."""
    assert Placement(2 * WINDOW, "f16", None, gpu_layers=0) == place(PLENTY)


def test_a_short_memory_caches_less() -> None:
    """A part of what the weights leave free is for the cache: 128 KiB a token here."""
    assert 12_800 == place(Room(SHAPE.weight_bytes + 4000 * MIB)).cells


def test_a_window_is_cached_in_any_case() -> None:
    """A conversation needs one. In 8 bits a value it takes half of the memory."""
    tight = place(Room(SHAPE.weight_bytes + 1100 * MIB))
    assert (WINDOW, "q8_0") == (tight.cells, tight.kv_type)
    hopeless = place(Room(0))
    assert (WINDOW, 0) == (hopeless.cells, hopeless.gpu_layers)


def test_all_layers_go_to_a_large_gpu() -> None:
    """The output counts as a layer more. The cache lies there too, so the machine's memory does not limit it."""
    found = place(Room(8 * GIB, (24 * GIB,)))
    assert (33, 2 * WINDOW, "f16") == (found.gpu_layers, found.cells, found.kv_type)


def test_a_smaller_cache_is_better_than_fewer_layers() -> None:
    """One layer with the processor slows down all others."""
    found = place(Room(64 * GIB, (int(6.9 * GIB),)))
    assert (33, WINDOW, "f16") == (found.gpu_layers, found.cells, found.kv_type)
    found = place(Room(64 * GIB, (int(6.4 * GIB),)))
    assert (33, WINDOW, "q8_0") == (found.gpu_layers, found.cells, found.kv_type)


def test_as_many_layers_as_fit_go_to_a_small_gpu() -> None:
    """The weights, the cache and the buffers of a batch stay within the free memory, with a margin."""
    found = place(Room(64 * GIB, (4 * GIB,)))
    assert 0 < found.gpu_layers < 33
    cache = CachePlan(found.cells, found.kv_type, 512, flash_attention=True)
    buffers = SHAPE.compute_bytes(512, found.cells, flash_attention=True)
    (held,) = held_bytes(SHAPE, found.split, found.gpu_layers, cache, buffers)
    (more,) = held_bytes(SHAPE, found.split, found.gpu_layers + 1, cache, buffers)
    assert held <= usable_bytes(4 * GIB) < more


def test_a_full_gpu_gets_nothing() -> None:
    """Buffers alone would not fit."""
    assert 0 == place(Room(64 * GIB, (200 * MIB,))).gpu_layers


def test_two_gpus_share_the_layers() -> None:
    """In the proportions of their free memory. Neither holds more than it has."""
    found = place(Room(64 * GIB, (6 * GIB, 3 * GIB)))
    assert 33 == found.gpu_layers
    assert found.split[0] > found.split[1]
    gpus = [gpu for _, gpu in assign_layers(32, found.split, 33)]
    assert gpus == sorted(gpus)
    assert gpus.count(0) > gpus.count(1) > 0


def test_a_gpu_with_the_machines_memory_limits_the_cache() -> None:
    """What lies on an integrated GPU takes the machine's memory too."""
    found = place(Room(SHAPE.weight_bytes + 4000 * MIB, (SHAPE.weight_bytes + 4000 * MIB,), unified=True))
    assert 33 == found.gpu_layers
    assert found.cells < 2 * WINDOW


@pytest.mark.parametrize(("setting", "layers"), [(0, 0), (10, 10), (-1, 33), (99, 33)])
def test_a_setting_decides_the_layers(setting: int, layers: int) -> None:
    """Also more than seem to fit. -1 means all."""
    assert layers == place(Room(64 * GIB, (2 * GIB,)), PlacementOptions(gpu_layers=setting)).gpu_layers
    assert 0 == place(PLENTY, PlacementOptions(gpu_layers=setting)).gpu_layers


def test_settings_decide_the_cache() -> None:
    """Cells below one window are raised to it."""
    chosen = PlacementOptions(cells=100_000, kv_type="q4_0", flash_attention=True)
    assert (100_000, "q4_0", True) == (
        place(Room(0), chosen).cells,
        place(Room(0), chosen).kv_type,
        place(Room(0), chosen).flash_attention,
    )
    assert WINDOW == place(PLENTY, PlacementOptions(cells=10)).cells


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        (replace(SHAPE, head_sizes=(80,)), AUTO),
        (SHAPE, PlacementOptions(flash_attention=False)),
        (SHAPE, PlacementOptions(kv_type="f16")),
    ],
)
def test_the_cache_is_only_quantized_where_it_can_be(shape: ModelShape, options: PlacementOptions) -> None:
    """Heads must be made of blocks of 32 values, and quantized values need flash attention."""
    assert "f16" == place(Room(0), options, shape).kv_type


def test_without_flash_attention_the_scores_need_room() -> None:
    """Their buffer grows with the cache, so fewer layers fit."""
    room = Room(64 * GIB, (5 * GIB,))
    assert place(room, PlacementOptions(flash_attention=False)).gpu_layers < place(room).gpu_layers


def test_recurrent_layers_keep_a_state_for_each_sequence() -> None:
    """It takes memory of the GPU too."""
    hybrid = replace(SHAPE, layers=(LayerSize(136 * MIB, state_values=500_000), SHAPE.layers[0]) * 16)
    room = Room(64 * GIB, (5 * GIB,))
    one, many = (place(room, PlacementOptions(sequences=n), hybrid).gpu_layers for n in (1, 64))
    assert many < one


def test_refused_placements_are_followed_by_smaller_ones() -> None:
    """Down to the processor alone, at last with one window."""
    tried = list(choose_placements(SHAPE, WINDOW, AUTO, Room(64 * GIB, (24 * GIB,))))
    layers = [each.gpu_layers for each in tried]
    assert 33 == layers[0]
    assert layers == sorted(layers, reverse=True)
    assert 0 == layers[-1]
    assert (WINDOW, "f16") == (tried[-1].cells, tried[-1].kv_type)
    assert len(tried) < 15


def test_an_automatic_8_bit_cache_is_given_up_first() -> None:
    """The device may have no kernel for it."""
    tried = list(choose_placements(SHAPE, WINDOW, AUTO, Room(SHAPE.weight_bytes + 1100 * MIB)))
    assert ["q8_0", "f16"] == [each.kv_type for each in tried]


def test_a_machine_without_gpus_has_nothing_to_try_but_a_window() -> None:
    """A setting is never changed."""
    assert [2 * WINDOW, WINDOW] == [each.cells for each in choose_placements(SHAPE, WINDOW, AUTO, PLENTY)]
    fixed = PlacementOptions(cells=50_000)
    assert [50_000] == [each.cells for each in choose_placements(SHAPE, WINDOW, fixed, PLENTY)]


@pytest.mark.parametrize(
    ("kv_type", "flash_attention", "shape", "problem"),
    [
        ("q8_0", False, SHAPE, "LLM_KV_TYPE=q8_0 needs flash attention, and LLM_FLASH_ATTENTION is off"),
        ("q4_0", None, replace(SHAPE, head_sizes=(80,)), "this model's heads have 80"),
        ("q4_0", True, replace(SHAPE, head_sizes=()), "this model's heads have unknown"),
    ],
)
def test_settings_that_exclude_each_other(
    kv_type: str, flash_attention: bool | None, shape: ModelShape, problem: str
) -> None:
    """The message names both, and what to do."""
    with pytest.raises(ConfigError, match=problem):
        check_kv_type(kv_type, flash_attention, shape)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kv_type", "flash_attention"), [(None, False), ("f16", False), ("q8_0", True), ("q8_0", None)]
)
def test_settings_that_go_together(kv_type: str | None, flash_attention: bool | None) -> None:
    """A model whose sizes are unknown may have any."""
    check_kv_type(kv_type, flash_attention, SHAPE)  # type: ignore[arg-type]
    check_kv_type(kv_type, flash_attention, None)  # type: ignore[arg-type]
    assert can_quantize(SHAPE)
    assert not can_quantize(None)


@given(
    free=st.lists(st.integers(0, 100 * GIB), min_size=1, max_size=4),
    cells=st.integers(256, 200_000),
    layers=st.integers(1, 80),
)
def test_no_plan_holds_more_than_is_free(free: list[int], cells: int, layers: int) -> None:
    """Whatever the GPUs have."""
    shape = replace(SHAPE, layers=SHAPE.layers[:1] * layers)
    plan = plan_offload(shape, free, CachePlan(cells, "f16", 512, flash_attention=True))
    assert 0 <= plan.gpu_layers <= layers + 1
    assert all(held <= usable_bytes(each) for held, each in zip(plan.gpu_bytes, free, strict=False))
