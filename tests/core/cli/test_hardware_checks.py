"""The checks of `doctor` on the machine, and on how a model would be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.cli import hardware_checks
from core.cli.findings import Finding, FindingBuilder
from core.cli.hardware_checks import ask_engine, check_cores, check_gpus, check_placement, check_processor
from core.configuration import settings
from core.model.hardware.cgroups import ControlGroups
from core.model.hardware.gpus import Gpu, GpuKind
from core.model.hardware.machine import Machine
from core.model.hardware.memory import MachineMemory
from core.model.hardware.tuning import TunedValues, TuningRecord, machine_key, model_key, write_record
from tests.core.model.hardware.support_machine import write

ENGLISH = FindingBuilder("en")
GIB = 1 << 30
L4 = Gpu("NVIDIA L4", "cuda", 24 * GIB, 23 * GIB)
IRIS = Gpu("Intel Iris Xe", "vulkan", 8 * GIB, 8 * GIB, unified=True)


def machine(*gpus: Gpu, backends: tuple[GpuKind, ...] = (), features: tuple[str, ...] = ("AVX2",)) -> Machine:
    return Machine(
        4, 8 * GIB, 4 * GIB, gpus, processor="Test CPU", features=features, engine_backends=frozenset(backends)
    )


def load(tmp_path: Path, **variables: str) -> settings.Settings:
    return settings.load({"CSPS_LLM_DATA": str(tmp_path), **variables})


def test_a_slow_processor() -> None:
    """A processor without AVX2 or NEON is a warning."""
    assert "ok" == check_processor(ENGLISH, machine()).state
    assert "Test CPU" in check_processor(ENGLISH, machine()).found
    assert "warn" == check_processor(ENGLISH, machine(features=())).state


def test_more_threads_than_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is slower: a warning with the right number. A quota is named."""
    monkeypatch.setattr(hardware_checks, "choose_threads", lambda: 4)
    monkeypatch.setattr(hardware_checks, "physical_cores", lambda: 8)
    monkeypatch.setattr(hardware_checks, "ControlGroups", lambda: ControlGroups(tmp_path, tmp_path / "none"))
    (own,) = check_cores(ENGLISH, load(tmp_path))
    assert ("ok", "8 physical, 4 of the fastest kind, 4 threads used") == (own.state, own.found)
    (many,) = check_cores(ENGLISH, load(tmp_path, LLM_CPU_THREADS="8"))
    assert "warn" == many.state
    assert "4" in many.advice
    groups = ControlGroups(tmp_path, write(tmp_path / "membership", "0::/\n"))
    write(tmp_path / "cpu.max", "450000 100000")
    monkeypatch.setattr(hardware_checks, "ControlGroups", lambda: groups)
    (limited,) = check_cores(ENGLISH, load(tmp_path))
    assert "4 within the quota of 4.5 CPUs" in limited.found


@pytest.mark.parametrize(
    ("memory", "words"),
    [
        (MachineMemory(8 * GIB, 4 * GIB), "4.3 GB of 8.6 GB free"),
        (MachineMemory(8 * GIB, GIB, 2 * GIB), "1.1 GB free within the limit of 2.1 GB, of 8.6 GB"),
        (None, "the system does not tell"),
    ],
)
def test_the_memory_within_its_limit(monkeypatch: pytest.MonkeyPatch, memory: MachineMemory | None, words: str) -> None:
    """A container's limit counts, and is named."""
    monkeypatch.setattr(hardware_checks, "read_memory", lambda: memory)
    assert words == hardware_checks.check_machine_memory(ENGLISH).found


@pytest.mark.parametrize(
    ("found", "devices", "state", "words"),
    [
        (machine(), [], "ok", ("none; the engine is compiled for the processor", "")),
        (machine(L4, backends=("cuda",)), [{}], "ok", ("NVIDIA L4 (24.7 GB of 25.8 GB free); the engine is", "")),
        (machine(L4), [], "warn", ("NVIDIA L4", "make install BACKEND=auto")),
        (machine(L4, backends=("vulkan",)), [{}], "ok", ("compiled for Vulkan", "")),
        (machine(backends=("cuda",)), [], "warn", ("none", "Install or repair its driver")),
        (machine(IRIS), [], "ok", ("Intel Iris Xe", "BACKEND=vulkan")),
        (machine(Gpu("NVIDIA A10", "cuda")), [], "warn", ("NVIDIA A10; ", "")),
    ],
)  # fmt: skip
def test_gpus_and_the_engine(found: Machine, devices: list[Any], state: str, words: tuple[str, str]) -> None:
    """A GPU that the engine cannot use is a warning with its remedy; so is an engine without its driver."""
    finding = check_gpus(ENGLISH, found, {"devices": devices})
    assert state == finding.state
    assert words[0] in finding.found
    assert words[1] in finding.advice


def test_an_engine_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a problem, with or without a GPU."""
    assert "problem" == check_gpus(ENGLISH, machine(), None).state
    monkeypatch.setattr(hardware_checks, "ask_engine", lambda *_: None)
    assert "problem" == check_placement(ENGLISH, load(tmp_path), tmp_path / "m.gguf").state


def test_how_the_starter_would_be_loaded(tmp_path: Path, starter_file: Path) -> None:
    """As a worker would, by the settings. The advice is to tune."""
    found = check_placement(ENGLISH, load(tmp_path, LLM_CPU_THREADS="3", LLM_KV_TYPE="q8_0"), starter_file)
    assert "ok" == found.state
    assert "a cache of 16,384 tokens (q8_0, 200.5 MB); 3 threads for answers, 3 for prompts" in found.found
    assert "csps-llm tune" in found.advice


def test_layers_on_a_gpu_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the number of all layers; without a GPU they are not mentioned."""
    plan = {
        "cells": 1,
        "kv_type": "f16",
        "threads": 2,
        "threads_batch": 2,
        "cache_bytes": 1,
        "layers": 33,
        "tuned": True,
    }
    for gpu_layers, words in ((20, "20 of 33 layers on the GPU"), (0, "a cache of 1")):
        monkeypatch.setattr(hardware_checks, "ask_engine", lambda *_, n=gpu_layers: {**plan, "gpu_layers": n})
        assert check_placement(ENGLISH, load(tmp_path), tmp_path / "m.gguf").found.startswith(words)


def test_settings_that_exclude_each_other(tmp_path: Path, starter_file: Path) -> None:
    """The doctor finds it before the start."""
    found = check_placement(ENGLISH, load(tmp_path, LLM_FLASH_ATTENTION="off", LLM_KV_TYPE="q8_0"), starter_file)
    assert "problem" == found.state
    assert "LLM_KV_TYPE=q8_0 needs flash attention" in found.found


def test_a_tuned_model_needs_no_advice(tmp_path: Path, starter_file: Path) -> None:
    """What was found is shown instead."""
    key = machine_key(hardware_checks.inspect_machine())
    write_record(tmp_path, TuningRecord(model_key(starter_file), key, TunedValues(threads=7), 1.3, 0.0))
    found = check_placement(ENGLISH, load(tmp_path), starter_file)
    assert "7 threads for answers" in found.found
    assert "" == found.advice


def test_the_real_engine_answers_the_probe() -> None:
    """It starts in its own process, and lists its devices."""
    probe = ask_engine("--probe")
    assert probe is not None
    assert isinstance(probe["devices"], list)
    assert ask_engine("--no-such-question") is None


def test_the_machine_of_this_test_is_checked() -> None:
    """Every check has a finding."""
    findings: list[Finding] = list(hardware_checks.check_hardware(ENGLISH))
    assert ["Processor", "RAM", "GPU"] == [finding.check for finding in findings]
