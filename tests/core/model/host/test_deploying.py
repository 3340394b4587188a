"""The memory that the host expects a model to take is what its worker takes at most."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.configuration import settings
from core.model.hardware.placement import Room
from core.model.host.deploying import deploy
from core.model.host.deployment import Deployment
from core.model.library.gguf_shape import read_shape
from core.model.library.specs import LocalFile, ModelSpec
from core.model.library.starter import bundled_starter
from core.model.worker.llama.loading import find_placements
from core.model.worker.options import MEBIBYTE
from core.model.worker.runner_config import TunedValues, runner_config

TOKEN_BYTES = 23_040  # of the starter's cache
WINDOW = 8192


def deployed(folder: Path, room: Room, **variables: str) -> Deployment:
    chosen = settings.load({"CSPS_LLM_DATA": str(folder), **variables})
    path = bundled_starter()
    return deploy(ModelSpec("m", "M", LocalFile(path)), path, chosen, room)


@pytest.mark.parametrize("budget_mb", [150, 400, 700, 900, 4000])
def test_the_worker_never_takes_a_larger_cache(tmp_path: Path, budget_mb: int) -> None:
    """However much memory is free when it starts: both use one plan, and the host's budget bounds the worker's."""
    deployment = deployed(tmp_path, Room(budget_mb * MEBIBYTE))
    config = runner_config(deployment.options, TunedValues())
    shape = read_shape(deployment.path)
    assert shape is not None
    assert budget_mb * MEBIBYTE == config.memory_bytes
    one_window = deployed(tmp_path, Room(0), LLM_CACHE_TOKENS=str(WINDOW)).memory.private_bytes
    expected = deployment.memory.private_bytes - one_window + WINDOW * TOKEN_BYTES
    for free_mb in (100, 500, 800, 100_000):
        room = Room(min(free_mb * MEBIBYTE, config.memory_bytes))
        placement = next(find_placements(shape, config, room))
        taken = placement.cells * shape.kv_bytes_per_token(placement.kv_type)
        assert taken <= expected


def test_a_short_budget_halves_the_expected_cache(tmp_path: Path) -> None:
    """A model is not refused for a second window that it would not take."""
    plenty, short = (deployed(tmp_path, Room(size)).memory.private_bytes for size in (8 << 30, 600 * MEBIBYTE))
    assert WINDOW * TOKEN_BYTES == pytest.approx(plenty - short, rel=0.3)


def test_settings_decide_the_expected_cache(tmp_path: Path) -> None:
    """Its tokens and their type."""
    room = Room(8 << 30)
    whole, half = (
        deployed(tmp_path, room, LLM_CACHE_TOKENS=tokens).memory.private_bytes for tokens in ("40000", "20000")
    )
    assert 20_000 * TOKEN_BYTES == whole - half
    small = deployed(tmp_path, room, LLM_CACHE_TOKENS="40000", LLM_KV_TYPE="q8_0").memory.private_bytes
    assert 40_000 * TOKEN_BYTES * 15 // 32 == whole - small


def test_another_budget_is_the_same_deployment(tmp_path: Path) -> None:
    """A loaded model is not loaded again because the machine has counted its GPUs."""
    assert deployed(tmp_path, Room(1 << 30)) == deployed(tmp_path, Room(2 << 30))


def test_a_window_for_the_default_model_does_not_stop_the_others(tmp_path: Path) -> None:
    """The starter, trained for less, answers while the default one is downloaded. As the default itself it refuses."""
    chosen = settings.load({"CSPS_LLM_DATA": str(tmp_path), "LLM_CONTEXT_WINDOW": "16384"})
    path = bundled_starter()
    for is_default, window in ((False, WINDOW), (True, 16_384)):
        found = deploy(ModelSpec("m", "M", LocalFile(path)), path, chosen, Room(8 << 30), is_default=is_default)
        assert (window, window) == (found.options.context_window, found.window)


def test_a_damaged_header_is_guessed(tmp_path: Path) -> None:
    """Its worker says what is wrong with it."""
    file = tmp_path / "bad.gguf"
    file.write_bytes(b"GGUF\x03")
    chosen = settings.load({"CSPS_LLM_DATA": str(tmp_path)})
    found = deploy(ModelSpec("m", "M", LocalFile(file)), file, chosen, Room(1 << 30))
    assert found.memory.private_bytes > 1 << 30
    assert found.window is None
