"""Threads and context window, from machine and model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.model.hardware.sizing import choose_window, physical_cores


def topology(folder: Path, siblings: dict[int, str]) -> Path:
    for cpu, text in siblings.items():
        place = folder / f"cpu{cpu}" / "topology"
        place.mkdir(parents=True)
        (place / "thread_siblings_list").write_text(text + "\n", encoding="ascii")
    return folder


def allow(monkeypatch: pytest.MonkeyPatch, cpus: set[int]) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: cpus, raising=False)


def test_two_threads_of_one_core_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hyper-threads share the units that matrix products need."""
    allow(monkeypatch, {0, 1, 2, 3})
    folder = topology(tmp_path, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"})

    assert physical_cores(folder) == 2


def test_only_allowed_cores_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container with two of eight processors, two threads are right."""
    allow(monkeypatch, {0, 4})
    folder = topology(tmp_path, {n: str(n) for n in range(8)})

    assert physical_cores(folder) == 2


def test_without_topology_every_processor_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some sandboxes hide /sys."""
    allow(monkeypatch, {0, 1, 2})

    assert physical_cores(tmp_path / "nothing") == 3


def test_without_affinity_and_count_there_is_one_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems report neither."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)

    assert physical_cores(tmp_path) == 1


@pytest.mark.parametrize(
    ("setting", "trained", "window"),
    [(None, 2048, 2048), (None, 131_072, 8192), (4096, 131_072, 4096), (512, 512, 512)],
)
def test_the_window_is_the_setting_or_the_trained_one(setting: int | None, trained: int, window: int) -> None:
    """Without a setting the trained window applies, up to 8192 tokens."""
    assert choose_window(setting, trained) == window


def test_a_window_beyond_training_is_refused() -> None:
    """Beyond it the model would write nonsense."""
    with pytest.raises(ConfigError, match="LLM_CONTEXT_WINDOW is 4096, but this model was trained for at most 2048"):
        choose_window(4096, 2048)
