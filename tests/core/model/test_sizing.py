"""How many cores the threads of a matrix product should have."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.model.sizing import physical_cores


def topology(folder: Path, siblings: dict[int, str]) -> Path:
    for cpu, text in siblings.items():
        place = folder / f"cpu{cpu}" / "topology"
        place.mkdir(parents=True)
        (place / "thread_siblings_list").write_text(text + "\n", encoding="ascii")
    return folder


def allow(monkeypatch: pytest.MonkeyPatch, cpus: set[int]) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: cpus, raising=False)


def test_two_threads_of_one_core_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hyper-threads share what matrix products need."""
    allow(monkeypatch, {0, 1, 2, 3})
    folder = topology(tmp_path, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"})

    assert physical_cores(folder) == 2


def test_only_cores_that_we_may_use_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container with two processors of eight, two threads are right."""
    allow(monkeypatch, {0, 4})
    folder = topology(tmp_path, {n: str(n) for n in range(8)})

    assert physical_cores(folder) == 2


def test_where_the_topology_is_hidden_every_processor_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some sandboxes show no /sys."""
    allow(monkeypatch, {0, 1, 2})

    assert physical_cores(tmp_path / "nothing") == 3


def test_without_affinity_there_is_still_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On systems that know neither affinity nor a count."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)

    assert physical_cores(tmp_path) == 1
