"""The CPU time of stages, and the functions that `benchmarks.python_share` times."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from benchmarks.python_share import INFERENCE_STAGES, LOOP_STAGES
from benchmarks.stage_timers import StageTimers


def test_each_moment_counts_for_the_innermost_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a called stage is not counted for its caller as well."""
    now_s = [0.0]
    monkeypatch.setattr(time, "thread_time", lambda: now_s[0])

    def work(seconds: float) -> None:
        now_s[0] += seconds

    owner = SimpleNamespace(inner=lambda: work(2.0))
    owner.outer = lambda: (work(1.0), owner.inner(), work(1.0), owner.inner())
    inner, timers = owner.inner, StageTimers()
    with timers.wrapping([(owner, "inner", "inside"), (owner, "outer", "outside")]):
        owner.outer()
        owner.inner()

    assert timers.seconds == {"inside": 6.0, "outside": 2.0}
    assert owner.inner is inner


def test_the_timed_functions_exist() -> None:
    """A function that is renamed must be renamed in the table of stages, too."""
    missing = [(owner, name) for owner, name, _stage in [*INFERENCE_STAGES, *LOOP_STAGES] if not hasattr(owner, name)]

    assert missing == []
