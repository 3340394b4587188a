"""The figures of single workloads, from answers that were noted before."""

from __future__ import annotations

import pytest

from benchmarks.serving.streaming import StreamedAnswer
from benchmarks.serving.workloads.arrivals import (
    COMPUTED_TOKENS_PER_S,
    GAP_P99_SHARE,
    arrival_times,
    window_figures,
)
from benchmarks.serving.workloads.chat import figures
from benchmarks.serving.workloads.roofline import work_of


def answer(
    times_s: list[float], started_s: float = 0.0, took_s: float = 10.0, prompt: int = 0, cached: int = 0
) -> StreamedAnswer:
    """One token with each piece of text."""
    return StreamedAnswer("text", len(times_s), prompt, cached, started_s, times_s, took_s)


def test_gaps_are_those_within_an_answer() -> None:
    """The time from the request to the first words is not a gap between tokens."""
    found = figures([answer([2.0, 2.1, 2.3]), answer([4.0])], took_s=5.0)

    assert pytest.approx({"tokens_per_s": 0.8, "first_words_s": 3.0, "gap_p50_ms": 100, "gap_p99_ms": 200}) == found


def test_answer_without_text_has_first_words_at_its_end() -> None:
    """An empty answer does not look fast."""
    assert 10.0 == answer([]).first_s


def test_arrivals_count_what_is_computed_while_they_are_served() -> None:
    """Text before the first arrival and after the last one's end is left out, and so are cached prompt tokens."""
    arrivals = [answer([14.0, 15.0], started_s=10.0, took_s=10.0, prompt=1500, cached=500)]
    running = [answer([9.0, 11.0, 13.0, 19.0, 21.0], took_s=30.0)]

    found = window_figures(running, arrivals)

    assert (1000 + 2 + 3) / 10 == found[COMPUTED_TOKENS_PER_S]
    assert (2000.0, 6000.0) == (found["gap_p50_ms"], found["gap_p99_ms"])
    assert 3.0 == found[GAP_P99_SHARE]


def test_all_servers_get_the_same_arrivals() -> None:
    """The times of a turn are reproducible, increase, and differ from those of another turn."""
    times = arrival_times(1, 50, 12.0)

    assert times == arrival_times(1, 50, 12.0) == sorted(times)
    assert times != arrival_times(2, 50, 12.0)
    assert 6 < times[-1] / 50 < 24


def test_roofline_computes_what_the_service_computed() -> None:
    """Cached tokens are the shared prefix; the others are computed by each sequence."""
    answers = [answer([0.1] * 64, prompt=290, cached=260), answer([0.1] * 60, prompt=300, cached=260)]

    assert {"sequences": 2, "prefix": 260, "own": 35, "tokens": 62} == work_of(answers)
