"""The choice of the best model for a machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import PROJECT_ROOT
from core.model.library.catalogue import load_models
from core.model.library.fit import (
    BANDWIDTH_SHARE,
    DISK_RESERVE_BYTES,
    SPEED_FLOOR,
    Resources,
    choose_best,
    judge,
    judge_all,
    needed_bytes,
)

GIB = 1 << 30
GB = 10**9
MODELS = load_models(PROJECT_ROOT / "config" / "models.toml")
CHAT = [name for name, model in MODELS.items() if model.kind == "chat"]
PLENTY = Resources(
    memory_total_bytes=256 * GIB,
    memory_available_bytes=250 * GIB,
    bandwidth_bytes_per_s=400 * GB,
    disk_free_bytes=1000 * GB,
)


def chosen(resources: Resources) -> str | None:
    return choose_best(MODELS, judge_all(MODELS, resources))


def rank(resources: Resources) -> int:
    """The place of the choice in the catalogue; beyond its end if nothing fits."""
    best = chosen(resources)
    return CHAT.index(best) if best else len(CHAT)


@pytest.mark.parametrize(
    ("total_gib", "free_gib", "bandwidth_gb", "expected"),
    [
        (2, 1.5, 10, None),  # the smallest cloud machine: the starter
        (4, 3.2, 15, "qwen-1-5b"),
        (8, 6.5, 20, "ministral-3b"),
        (16, 14, 20, "ministral-3b"),  # two slow cores: an 8B would give three tokens a second
        (16, 14, 50, "ministral-8b"),  # a new laptop
        (64, 60, 200, "ministral-14b"),  # a server
        (64, 60, 9, "qwen-1-5b"),  # much memory behind a slow bus
        (64, 60, 0, None),  # not measurable
    ],
)
def test_typical_machines(total_gib: float, free_gib: float, bandwidth_gb: float, expected: str | None) -> None:
    machine = replace(
        PLENTY,
        memory_total_bytes=int(total_gib * GIB),
        memory_available_bytes=int(free_gib * GIB),
        bandwidth_bytes_per_s=bandwidth_gb * GB,
    )
    assert expected == chosen(machine)


@pytest.mark.parametrize(
    ("vram_gib", "expected"), [(4, "ministral-3b"), (8, "ministral-8b"), (12, "ministral-14b"), (0, "qwen-1-5b")]
)
def test_a_gpu_needs_no_bandwidth(vram_gib: int, expected: str) -> None:
    """A model that fits into its memory is fast enough; the others are judged as without it."""
    slow = replace(PLENTY, bandwidth_bytes_per_s=9 * GB, gpu_total_bytes=vram_gib * GIB, gpu_free_bytes=vram_gib * GIB)

    assert expected == chosen(slow)


@pytest.mark.parametrize(("cores", "expected"), [(1, "qwen-1-5b"), (2, "ministral-3b"), (4, "ministral-8b")])
def test_few_cores_decode_slowly(cores: int, expected: str) -> None:
    """One core reads memory faster than it computes."""
    assert expected == chosen(replace(PLENTY, cores=cores, bandwidth_bytes_per_s=50 * GB))


def test_an_embedder_is_never_chosen() -> None:
    """It does not chat."""
    embedders = {name: model for name, model in MODELS.items() if model.kind == "embedder"}

    assert embedders
    assert choose_best(embedders, judge_all(embedders, PLENTY)) is None


def test_an_embedder_has_no_speed() -> None:
    """It computes a whole text at once."""
    slow = replace(PLENTY, bandwidth_bytes_per_s=1e9)
    verdict = judge("bge-m3", MODELS["bge-m3"], slow)

    assert (True, None) == (verdict.fits, verdict.tokens_per_s)


def test_each_obstacle_has_its_numbers() -> None:
    """People are shown what is needed and what there is."""
    model = MODELS["ministral-8b"]
    tight = Resources(
        memory_total_bytes=4 * GIB,
        memory_available_bytes=3 * GIB,
        bandwidth_bytes_per_s=10 * GB,
        disk_free_bytes=2 * GB,
    )
    memory, speed, disk = judge("ministral-8b", model, tight).obstacles

    assert ("memory", needed_bytes(model, None)) == (memory.kind, memory.needed)
    assert 0 < memory.available < 3 * GIB
    assert ("speed", SPEED_FLOOR) == (speed.kind, speed.needed)
    assert pytest.approx(BANDWIDTH_SHARE * 10 * GB / model.size_bytes) == speed.available
    assert ("disk", model.size_bytes, 2 * GB - DISK_RESERVE_BYTES) == (disk.kind, disk.needed, disk.available)


def test_a_larger_window_needs_more_memory() -> None:
    """The context window of the settings counts, up to what the model was trained for."""
    model = MODELS["qwen-1-5b"]
    small, default, large = (needed_bytes(model, window) for window in (2048, None, 1_000_000))

    assert small < default < large
    assert large == needed_bytes(model, model.context_window)


def test_a_downloaded_model_needs_no_disk() -> None:
    full = replace(PLENTY, disk_free_bytes=0)

    assert chosen(full) is None
    assert "ministral-8b" == chosen(replace(full, downloaded=frozenset({"ministral-8b", "qwen-1-5b"})))


def test_the_rest_of_a_download_is_what_counts() -> None:
    """Resuming needs only the missing bytes."""
    model = MODELS["ministral-14b"]
    nearly = replace(PLENTY, disk_free_bytes=DISK_RESERVE_BYTES + 1000)

    assert "ministral-14b" == chosen(replace(nearly, stored_bytes={"ministral-14b": model.size_bytes - 1000}))
    assert chosen(replace(nearly, stored_bytes={"ministral-14b": model.size_bytes - 1001})) is None


def test_the_model_in_use_stays_the_choice_while_it_fills_the_memory() -> None:
    """A model that is here is judged by the machine's memory, not by what it leaves free itself."""
    before = replace(
        PLENTY, memory_total_bytes=16 * GIB, memory_available_bytes=14 * GIB, bandwidth_bytes_per_s=50 * GB
    )
    assert "ministral-8b" == chosen(before)
    running = replace(before, memory_available_bytes=5 * GIB, downloaded=frozenset({"ministral-8b"}))

    assert "ministral-8b" == chosen(running)


def test_a_begun_download_goes_on_while_other_programs_take_memory() -> None:
    """A restart at a busy moment begins no second download."""
    busy = replace(PLENTY, memory_total_bytes=16 * GIB, memory_available_bytes=7 * GIB, bandwidth_bytes_per_s=50 * GB)

    assert "ministral-3b" == chosen(busy)
    assert "ministral-8b" == chosen(replace(busy, stored_bytes={"ministral-8b": 1}))


# --- properties ------------------------------------------------------------------------------------------------------

BYTES = st.integers(0, 128 * GIB)
RESOURCES = st.builds(
    lambda total, used, bandwidth, disk, vram, vram_used, downloaded, window: Resources(
        memory_total_bytes=total,
        memory_available_bytes=max(total - used, 0),
        bandwidth_bytes_per_s=bandwidth,
        disk_free_bytes=disk,
        gpu_total_bytes=vram,
        gpu_free_bytes=max(vram - vram_used, 0),
        window_tokens=window,
        downloaded=frozenset(downloaded),
    ),
    BYTES,
    BYTES,
    st.floats(0, 500 * GB),
    BYTES,
    st.integers(0, 24 * GIB),
    BYTES,
    st.sets(st.sampled_from(CHAT)),
    st.one_of(st.none(), st.integers(256, 262_144)),
)


@given(RESOURCES, BYTES, st.floats(0, 500 * GB), BYTES, BYTES)
def test_more_of_anything_never_gives_a_worse_model(
    resources: Resources, memory: int, bandwidth: float, disk: int, vram: int
) -> None:
    """More memory, bandwidth, disk or memory of a GPU."""
    more = replace(
        resources,
        memory_total_bytes=resources.memory_total_bytes + memory,
        memory_available_bytes=resources.memory_available_bytes + memory,
        bandwidth_bytes_per_s=resources.bandwidth_bytes_per_s + bandwidth,
        disk_free_bytes=resources.disk_free_bytes + disk,
        gpu_total_bytes=resources.gpu_total_bytes + vram,
        gpu_free_bytes=resources.gpu_free_bytes + vram,
    )
    assert rank(more) <= rank(resources)


@given(RESOURCES, st.sampled_from(CHAT))
def test_a_finished_download_never_gives_a_worse_model(resources: Resources, name: str) -> None:
    here = replace(resources, downloaded=resources.downloaded | {name})

    assert rank(here) <= rank(resources)


@given(RESOURCES, st.integers(0, 16 * GIB))
def test_the_choice_stays_when_it_is_downloaded_and_loaded(resources: Resources, loaded: int) -> None:
    """No start downloads a second model because the first one takes memory."""
    first = chosen(resources)
    if first is None:
        return
    after = replace(
        resources,
        memory_available_bytes=max(resources.memory_available_bytes - loaded, 0),
        gpu_free_bytes=max(resources.gpu_free_bytes - loaded, 0),
        downloaded=resources.downloaded | {first},
    )
    assert first == chosen(after)


@given(RESOURCES)
def test_every_better_model_has_a_reason(resources: Resources) -> None:
    """`models list` says why each was not taken."""
    verdicts = [each for each in judge_all(MODELS, resources) if each.id in CHAT]

    assert all(each.obstacles for each in verdicts[: rank(resources)])
    assert all(each.needed > each.available for verdict in verdicts for each in verdict.obstacles)
