"""How a model is loaded: where its layers lie, its KV cache, its threads. With the real starter."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as llama
import pytest
from structlog.testing import capture_logs

from core.errors import ConfigError
from core.model.hardware.model_shape import ModelShape
from core.model.hardware.placement import Placement, Room
from core.model.hardware.tuning import TunedValues, TuningRecord, machine_key, model_key, write_record
from core.model.library.gguf_shape import read_shape
from core.model.worker import runner_config
from core.model.worker.llama import loading
from core.model.worker.llama.devices import list_devices
from core.model.worker.llama.loading import PlacementRefused, RunnerConfig, load, silence_log
from core.model.worker.options import WorkerOptions

CONFIG = RunnerConfig(window=256, cache_tokens=None, sequences=2, threads=1)
MIB = 1 << 20


def placed(file: Path, config: RunnerConfig) -> dict[str, Any]:
    """Loads the model, and returns the line of the log that says how."""
    with capture_logs() as logs:
        load(file, config).close()
    return dict(next(line for line in logs if line["event"] == "model_placed"))


def test_the_log_says_what_was_chosen(starter_file: Path) -> None:
    """Without settings it is the automatic choice."""
    line = placed(starter_file, CONFIG)
    assert (0, 512, "f16", "auto", 1, 1) == tuple(
        line[key] for key in ("gpu_layers", "cells", "kv_type", "flash_attention", "threads", "threads_batch")
    )


@pytest.mark.parametrize(("kv_type", "flash_attention"), [("q8_0", None), ("q4_0", True), ("f16", False), (None, True)])
def test_settings_are_followed(starter_file: Path, kv_type: Any, flash_attention: bool | None) -> None:
    """The starter's heads of 64 values allow every type."""
    line = placed(starter_file, replace(CONFIG, kv_type=kv_type, flash_attention=flash_attention, threads_batch=2))
    assert (kv_type or "f16", 2) == (line["kv_type"], line["threads_batch"])
    assert {None: "auto", True: "on", False: "off"}[flash_attention] == line["flash_attention"]


def test_layers_for_a_gpu_that_is_not_there_are_reported(starter_file: Path) -> None:
    """The model answers on the processor, and a line of the log says so."""
    with capture_logs() as logs:
        load(starter_file, replace(CONFIG, gpu_layers=-1)).close()
    events = {line["event"]: line for line in logs}
    assert 0 == events["model_placed"]["gpu_layers"]
    assert -1 == events["gpu_layers_ignored"]["gpu_layers"]


def test_settings_that_exclude_each_other_are_explained(starter_file: Path) -> None:
    """Before the weights are loaded."""
    with pytest.raises(ConfigError, match="LLM_KV_TYPE=q8_0 needs flash attention"):
        load(starter_file, replace(CONFIG, kv_type="q8_0", flash_attention=False))


def test_a_refused_placement_is_followed_by_a_smaller_one(starter_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver may refuse memory that it reported as free. Each refusal is a line of the log."""
    real = loading.load_weights

    def refuse(path: Path, placement: Placement) -> Any:
        if placement.gpu_layers:
            raise PlacementRefused(f"{placement.gpu_layers} layers")
        return real(path, placement)

    monkeypatch.setattr(loading, "find_room", lambda *_: Room(8 << 30, (8 << 30,)))
    monkeypatch.setattr(loading, "load_weights", refuse)
    with capture_logs() as logs:
        load(starter_file, CONFIG).close()
    assert 31 == next(line["gpu_layers"] for line in logs if line["event"] == "placement_refused")
    assert [0] == [line["gpu_layers"] for line in logs if line["event"] == "model_placed"]


def test_if_nothing_fits_the_first_refusal_is_the_reason(starter_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is about the placement that would have been best."""

    def refuse(path: Path, placement: Placement) -> Any:
        raise PlacementRefused(f"{placement.cells} cells")

    monkeypatch.setattr(loading, "load_weights", refuse)
    with pytest.raises(ConfigError, match="512 cells"):
        load(starter_file, CONFIG)


def test_a_cache_above_all_memory_is_refused(starter_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the kernel kills the process. Where the memory is unknown, llama.cpp refuses it."""
    with pytest.raises(ConfigError, match="LLM_CACHE_TOKENS is 2000000000: this model's cache would take 42915"):
        load(starter_file, replace(CONFIG, cache_tokens=2_000_000_000))
    monkeypatch.setattr(loading, "find_room", lambda *_: Room(8 << 30))
    with pytest.raises(ConfigError, match="no memory for a KV cache of 4000000 tokens"):
        load(starter_file, replace(CONFIG, cache_tokens=4_000_000))


def test_this_engines_devices_have_memory() -> None:
    """An engine for the processor has none."""
    assert all(device.total_bytes > 0 for device in list_devices())


@pytest.fixture
def sizes(starter_file: Path) -> tuple[ModelShape, dict[str, float]]:
    """Our sizes of the starter, and llama.cpp's own in MiB: it simulates the allocations."""
    lines: list[str] = []

    @llama.llama_log_callback  # type: ignore[untyped-decorator]
    def record(_level: int, text: bytes, _user: Any) -> None:
        lines.append(text.decode("utf-8", "replace"))

    llama.llama_log_set(record, None)
    parameters = llama.llama_model_default_params()
    parameters.no_alloc = True
    parameters.load_mode = llama.LLAMA_LOAD_MODE_NONE
    model = llama.llama_model_load_from_file(os.fsencode(starter_file), parameters)
    placement = Placement(8192, "f16", True, gpu_layers=0)
    context = llama.llama_init_from_model(model, loading.context_parameters(CONFIG, placement))
    found = re.findall(r"(compute|KV) buffer size =\s*([\d.]+) MiB|size =\s*([\d.]+) MiB \(", "".join(lines))
    silence_log()
    llama.llama_free(context)
    llama.llama_model_free(model)
    shape = read_shape(starter_file)
    assert shape is not None
    return shape, {kind or "cache": float(size or total) for kind, size, total in found}


def test_our_sizes_are_llama_cpps(sizes: tuple[ModelShape, dict[str, float]]) -> None:
    """The cache is exact. The buffers are estimated from above, by less than 100 MiB."""
    shape, theirs = sizes
    assert theirs["cache"] == pytest.approx(8192 * shape.kv_bytes_per_token("f16") / MIB, abs=0.1)
    ours = shape.compute_bytes(512, 8192, flash_attention=True) / MIB
    assert theirs["compute"] <= ours < theirs["compute"] + 100


# ---------------------------------------------------------------- measured values


OPTIONS = WorkerOptions(
    path="", name="m", starter=True, data_folder="", threads=None, slots=2, queue_limit=1, suspend_mb=0
)
TUNED = TunedValues(threads=3, threads_batch=2, ubatch=128, flash_attention=False)


def test_measured_values_count_without_settings() -> None:
    """They fill what no setting decides."""
    config = runner_config.runner_config(OPTIONS, TUNED)
    assert (3, 2, 128, False) == (config.threads, config.threads_batch, config.ubatch, config.flash_attention)


def test_a_setting_wins_over_a_measured_value() -> None:
    """A quantized cache needs the flash attention that the measurement switched off."""
    config = runner_config.runner_config(replace(OPTIONS, threads=1, kv_type="q8_0", gpu_layers=5), TUNED)
    assert (1, 1, "q8_0", None, 5) == (
        config.threads,
        config.threads_batch,
        config.kv_type,
        config.flash_attention,
        config.gpu_layers,
    )
    off = runner_config.runner_config(replace(OPTIONS, flash_attention=False), TunedValues(kv_type="q8_0"))
    assert (None, False) == (off.kv_type, off.flash_attention)


def test_values_are_found_for_this_file_and_machine(tmp_path: Path, starter_file: Path) -> None:
    """Without them the automatic choice holds."""
    options = replace(OPTIONS, path=str(starter_file), data_folder=str(tmp_path))
    assert TunedValues() == runner_config.find_tuned(options)
    here = machine_key(runner_config.inspect_machine())
    write_record(tmp_path, TuningRecord(model_key(starter_file), "elsewhere", TunedValues(threads=9), 1.0, 0.0))
    assert TunedValues() == runner_config.find_tuned(options)
    write_record(tmp_path, TuningRecord(model_key(starter_file), here, TUNED, 1.0, 0.0))
    assert TUNED == runner_config.find_tuned(options)
