"""The processor's features, its cores, and the threads for inference."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.model.hardware import processor
from core.model.hardware.cgroups import ControlGroups
from core.model.hardware.processor import choose_threads, cpu_flags, fast_cores, parse_cpu_features, physical_cores
from tests.core.model.hardware.support_machine import write


def topology(folder: Path, siblings: dict[int, str]) -> Path:
    for cpu, text in siblings.items():
        write(folder / f"cpu{cpu}" / "topology" / "thread_siblings_list", text + "\n")
    return folder


def allow(monkeypatch: pytest.MonkeyPatch, cpus: set[int]) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: cpus, raising=False)


def no_groups(folder: Path) -> ControlGroups:
    return ControlGroups(folder, folder / "none")


def test_two_threads_of_one_core_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hyper-threads share the units that matrix products need."""
    allow(monkeypatch, {0, 1, 2, 3})
    folder = topology(tmp_path, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"})

    assert 2 == physical_cores(folder)


def test_only_allowed_cores_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container with two of eight processors, two threads are right."""
    allow(monkeypatch, {0, 4})
    folder = topology(tmp_path, {n: str(n) for n in range(8)})

    assert 2 == physical_cores(folder) == choose_threads(folder, no_groups(tmp_path))


def test_without_topology_every_processor_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some sandboxes hide /sys."""
    allow(monkeypatch, {0, 1, 2})

    assert 3 == physical_cores(tmp_path / "nothing")


def test_without_affinity_and_count_there_is_one_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems report neither."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)

    assert 1 == physical_cores(tmp_path)


@pytest.mark.parametrize(
    ("file", "speeds", "fast"),
    [
        # An Intel processor with two performance cores of two threads each, and four efficient cores.
        ("cpufreq/cpuinfo_max_freq", [5_100_000] * 2 + [5_000_000] * 2 + [3_800_000] * 4, 2),
        ("cpufreq/cpuinfo_max_freq", [5_700_000] * 4 + [4_600_000] * 4, 2),
        # Favoured cores of one kind.
        ("cpufreq/cpuinfo_max_freq", [5_450_000] * 4 + [5_200_000] * 4, 6),
        ("cpu_capacity", [1024] * 4 + [446] * 4, 2),
        ("cpu_capacity", [1024] * 8, 6),
        # A core whose speed is unknown: no difference can be told.
        ("cpufreq/cpuinfo_max_freq", [5_100_000] * 4 + [0] * 4, 6),
    ],
)
def test_threads_wait_for_no_slower_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, speeds: list[int], fast: int
) -> None:
    """Only the fastest kind of core counts: each step lasts as long as its slowest thread."""
    allow(monkeypatch, set(range(8)))
    folder = topology(tmp_path, {0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3", 4: "4", 5: "5", 6: "6", 7: "7"})
    for cpu, speed in enumerate(speeds):
        write(folder / f"cpu{cpu}" / file, f"{speed}\n")

    assert fast == fast_cores(folder)


@pytest.mark.parametrize(("quota", "threads"), [("250000 100000", 2), ("50000 100000", 1), ("max 100000", 4)])
def test_threads_stay_within_the_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, threads: int
) -> None:
    """A container may see all processors and get the time of a few."""
    allow(monkeypatch, {0, 1, 2, 3})
    folder = topology(tmp_path / "cpus", {n: str(n) for n in range(4)})
    write(tmp_path / "cpu.max", quota)
    groups = ControlGroups(tmp_path, write(tmp_path / "membership", "0::/\n"))

    assert threads == choose_threads(folder, groups)


def test_apple_silicon_tells_its_performance_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no /sys, but `sysctl` tells."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(processor, "run_command", lambda *_: "6\n")

    assert 6 == fast_cores()


def test_cpu_flags_are_sorted_and_know_arm() -> None:
    """The kernel's order has no meaning, and ARM's kernels name the line differently."""
    assert ("avx2", "sse") == cpu_flags("processor : 0\nflags\t\t: sse avx2\n\nflags : other\n")
    assert ("asimd", "fp") == cpu_flags("Features\t: fp asimd\n")
    assert () == cpu_flags("")


def test_features_with_fast_kernels_are_named() -> None:
    """The others mean nothing to people."""
    assert ["AVX2", "AVX-512"] == parse_cpu_features("processor: 0\nflags : sse avx2 avx512f\n")
    assert ["NEON", "SVE"] == parse_cpu_features("Features : fp asimd sve\n")
