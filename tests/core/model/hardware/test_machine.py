"""The facts about the machine together, and its measured bandwidth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.model.hardware import machine
from core.model.hardware.bandwidth import measure_bandwidth
from core.model.hardware.cgroups import ControlGroups
from core.model.hardware.engine_build import engine_backends, engine_folder
from core.model.hardware.gpus import Gpu, GpuKind
from core.model.hardware.machine import FRESH_S, LEAST_BANDWIDTH, Machine, inspect_machine, recall_bandwidth

HERE = Machine(cores=4, memory_total_bytes=8 << 30, memory_available_bytes=4 << 30, processor="Test")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The values that the next measurements return, last first."""
    values: list[float] = []
    monkeypatch.setattr(machine, "measure_bandwidth", lambda threads, available: values.pop())
    return values


def test_this_machine_has_cores_memory_and_bandwidth(tmp_path: Path) -> None:
    """The facts are plausible, and the second inspection takes the bandwidth from the data folder."""
    found = inspect_machine(tmp_path, {"PATH": ""})

    assert found.cores >= 1
    assert 0 < found.memory_available_bytes <= found.memory_total_bytes
    assert found.bandwidth_bytes_per_s > 1e8
    assert found.bandwidth_bytes_per_s == inspect_machine(tmp_path, {"PATH": ""}).bandwidth_bytes_per_s


def test_without_a_data_folder_nothing_is_measured(measured: list[float]) -> None:
    """The facts alone take milliseconds."""
    assert 0 == inspect_machine(environ={"PATH": ""}).bandwidth_bytes_per_s


def test_a_fresh_value_is_not_measured_again(tmp_path: Path, measured: list[float]) -> None:
    """After ten minutes it is, and the best value counts: other programs may have slowed down one measurement."""
    file = tmp_path / "machine.json"
    measured += [5e9, 9e9, 20e9]
    assert 20e9 == recall_bandwidth(HERE, file) == recall_bandwidth(HERE, file)
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**content, "measured_at": content["measured_at"] - FRESH_S}), encoding="utf-8")
    assert 20e9 == recall_bandwidth(HERE, file)
    assert [5e9] == measured


def test_a_value_that_no_such_machine_has_is_not_kept(tmp_path: Path, measured: list[float]) -> None:
    """Other programs took the processor. The least that such memory reads counts, and the next inspection measures."""
    fast = replace(HERE, features=("AVX2",))
    file = tmp_path / "machine.json"
    measured += [21e9, 0.5e9]

    assert LEAST_BANDWIDTH == recall_bandwidth(fast, file)
    assert not file.exists()
    assert 21e9 == recall_bandwidth(fast, file) == recall_bandwidth(fast, file)


def test_an_old_processor_has_what_it_has(tmp_path: Path, measured: list[float]) -> None:
    measured.append(3e9)

    assert 3e9 == recall_bandwidth(HERE, tmp_path / "machine.json")


def test_a_part_of_a_core_reads_a_part(tmp_path: Path, measured: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A container with half a core pauses for half of the time, which a short measurement does not see."""
    monkeypatch.setattr(ControlGroups, "cpu_quota", lambda _: 0.5)
    measured.append(20e9)

    assert 10e9 == inspect_machine(tmp_path, {"PATH": ""}).bandwidth_bytes_per_s


def test_another_machine_is_measured(tmp_path: Path, measured: list[float]) -> None:
    """A data folder may move to another machine, or its machine may get another GPU."""
    file = tmp_path / "machine.json"
    measured += [3e9, 2e9, 1e9]
    assert 1e9 == recall_bandwidth(HERE, file)
    assert 2e9 == recall_bandwidth(replace(HERE, processor="Other"), file)
    assert 3e9 == recall_bandwidth(replace(HERE, gpus=(Gpu("NVIDIA L4", "cuda"),)), file)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"machine": "?"}', "\xff"])
def test_a_damaged_file_is_replaced(tmp_path: Path, measured: list[float], content: str) -> None:
    """It holds nothing that cannot be measured again."""
    file = tmp_path / "machine.json"
    file.write_text(content.replace("?", HERE.key), encoding="latin-1")
    measured.append(7e9)
    assert 7e9 == recall_bandwidth(HERE, file) == recall_bandwidth(HERE, file)


def test_a_folder_that_cannot_be_written(tmp_path: Path, measured: list[float]) -> None:
    """The value counts, and is measured again the next time."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    measured += [2e9, 1e9]
    assert 1e9 == recall_bandwidth(HERE, tmp_path / "file" / "machine.json")
    assert 2e9 == recall_bandwidth(HERE, tmp_path / "file" / "machine.json")


def test_no_memory_is_left_for_a_measurement() -> None:
    """The bandwidth is then unknown."""
    assert 0 == measure_bandwidth(2, 0)


def test_the_engines_libraries_tell_its_back_ends(tmp_path: Path) -> None:
    """The engine is not loaded for this. Other libraries and versioned names do not count twice."""
    for name in ("libggml-cuda.so", "libggml-cuda.so.0", "libggml-cpu.so", "libllama.so", "libggml-vulkan.dylib"):
        (tmp_path / name).touch()
    assert {"cuda", "vulkan"} == engine_backends(tmp_path)
    assert engine_folder() is not None


@pytest.mark.parametrize(
    ("backends", "names"),
    [({"cuda"}, ["NVIDIA L4"]), ({"vulkan"}, ["NVIDIA L4", "AMD"]), (set(), [])],
)
def test_a_gpu_counts_if_the_engine_can_use_it(backends: set[GpuKind], names: list[str]) -> None:
    """Vulkan serves every kind."""
    both = (Gpu("NVIDIA L4", "cuda"), Gpu("AMD", "rocm"))
    usable = replace(HERE, gpus=both, engine_backends=frozenset(backends)).usable_gpus
    assert names == [gpu.name for gpu in usable]
