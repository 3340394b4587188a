"""The loop that serves everybody: failures inside, and whatever may come together."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from core.errors import ModelError
from core.model.sequence import Sequence
from tests.core.model.support_fake_model import (
    AtStep,
    Bench,
    FakeClock,
    Hold,
    error,
    finished,
    greets,
    rambles,
)


def fail(exc: Exception) -> Callable[[], None]:
    def act() -> None:
        raise exc

    return act


@pytest.mark.parametrize("exc", [RuntimeError("planted secret"), ModelError("llama_decode failed with code -3")])
def test_a_failure_inside_fails_everybody_once_and_nobody_after(exc: Exception) -> None:
    """Running or waiting, each hears of it exactly once; the next request is answered from a clean cache."""
    with Bench(greets, slots=2) as bench, capture_logs() as logs:
        assert bench.answer("x" * 50 + " I am Before") == greets("Before")
        AtStep(bench, 3, fail(exc))
        asked = [bench.ask("x" * 50 + f" I am {n}") for n in range(4)]
        errors = [error(bench, sequence) for sequence in asked]

        assert all(isinstance(failed, ModelError) for failed in errors)
        assert not any("secret" in str(failed) for failed in errors)
        assert [entry["event"] for entry in logs] == ["inference_failed"]
        after = bench.ask("x" * 50 + " I am After")
        assert finished(bench, after).usage.cached_tokens == 0
        assert bench.text(after) == greets("After")
        bench.assert_nothing_left()


def test_nothing_is_saved_from_a_cache_in_doubt() -> None:
    """After a failure the cells may hold anything: they are not copied to host memory on the way out. (They were.)"""
    with Bench(rambles, slots=4, idle_cells=0) as bench, capture_logs():
        asked = [bench.ask(f"{n}" * 60) for n in range(4)]
        AtStep(bench, 8, fail(RuntimeError()))
        for sequence in asked:
            error(bench, sequence)

        assert bench.model.saved == 0
        assert bench.cache.suspended_bytes == 0


def test_work_on_the_thread_is_done_between_steps() -> None:
    """And its failure is its caller's alone."""
    with Bench(greets) as bench:
        sequence = bench.ask("I am Bo")
        with pytest.raises(ZeroDivisionError):
            bench.inference.run(lambda: 1 / 0).result(20)
        assert bench.inference.run(lambda: threading.current_thread().name).result(20) == "inference"
        finished(bench, sequence)
        assert bench.text(sequence) == greets("Bo")


def test_work_that_nobody_waits_for_any_more_is_left_undone() -> None:
    """A caller that left before its turn harms nobody. (Everybody's request failed.)"""
    bench = Bench(greets)
    done: list[bool] = []
    bench.inference.run(lambda: done.append(True)).cancel()
    sequence = bench.ask("I am Bo")
    with bench, capture_logs() as logs:
        finished(bench, sequence)

    assert (done, logs) == ([], [])


def test_only_a_step_under_way_counts_as_stalled() -> None:
    """A long pause between requests, or a reader that is behind, is no stall. (The first step after one was.)"""
    clock = FakeClock()
    with Bench(rambles, clock=clock) as bench:
        bench.answer("first")
        clock.now_s += 3600
        assert bench.inference.step_took_s == 0

        hold = Hold(bench)
        sequence = bench.ask("second")
        assert hold.reached.wait(20)
        assert bench.inference.step_took_s == 0
        clock.now_s += 130
        assert bench.inference.step_took_s == 130
        bench.inference.pause(sequence, True)
        hold.go.set()
        bench.settle()
        clock.now_s += 3600
        assert bench.inference.step_took_s == 0


def test_stopping_ends_the_thread() -> None:
    """What still runs gets no more outputs."""
    bench = Bench(lambda _: "y" * 10_000, cells=20_000)
    with bench:
        sequence = bench.ask("go on", max_tokens=10_000)
        bench.settle()
    said = bench.text(sequence)

    assert bench.ends_of(sequence) == []
    assert bench.text(sequence) == said


# --- whatever happens -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """What somebody asks, and how they behave."""

    prefix: str  # what it begins with, as others do
    user: str
    budget: int
    behaviour: Literal["waits", "leaves", "pauses"]
    at_step: int

    def act(self, bench: Bench, sequence: Sequence, step: int) -> None:
        if self.behaviour == "leaves" and step == self.at_step:
            bench.inference.cancel(sequence)
        if self.behaviour == "pauses" and step in (self.at_step, self.at_step + 10):
            bench.inference.pause(sequence, step == self.at_step)


REQUESTS = st.lists(
    st.builds(
        Request,
        st.sampled_from(["", "x" * 40, "x" * 80, "y" * 60]),
        st.sampled_from("abc"),
        st.sampled_from([1, 7, 300]),
        st.sampled_from(["waits", "leaves", "pauses"]),
        st.integers(1, 60),
    ),
    min_size=1,
    max_size=8,
)


def wake_until_ended(bench: Bench, sequences: list[Sequence]) -> None:
    """Readers that fell behind catch up, sooner or later."""
    while not all(bench.ends_of(sequence) for sequence in sequences):
        for sequence in sequences:
            bench.inference.pause(sequence, False)
        bench.settle()


@settings(max_examples=60)
@given(
    REQUESTS,
    st.sampled_from([200, 260, 500]),
    st.integers(1, 4),
    st.sampled_from([0, 2000, 100_000]),
    st.sampled_from([8, 64]),
)
def test_everybody_who_stays_is_served(
    requests: list[Request], cells: int, slots: int, suspend_bytes: int, batch_tokens: int
) -> None:
    """Whoever leaves or falls behind, and however little room there is: the texts are right, the ends are told once,
    and nothing is left behind."""
    bench = Bench(rambles, cells=cells, slots=slots, suspend_bytes=suspend_bytes, batch_tokens=batch_tokens)
    prompts = [f"{request.prefix} number {n}" for n, request in enumerate(requests)]
    asked = [
        bench.ask(prompt, user=request.user, max_tokens=request.budget, pinned_tokens=len(request.prefix))
        for prompt, request in zip(prompts, requests, strict=True)
    ]
    steps = itertools.count(1)

    def act() -> None:
        step = next(steps)
        assert step < 20_000, "it makes no progress"
        for sequence, request in zip(asked, requests, strict=True):
            request.act(bench, sequence, step)

    bench.model.on_decode = act
    with bench:
        wake_until_ended(bench, [s for s, r in zip(asked, requests, strict=True) if r.behaviour != "leaves"])
        for sequence, request, prompt in zip(asked, requests, prompts, strict=True):
            whole = rambles(prompt)[: request.budget]
            if request.behaviour == "leaves":
                bench.inference.cancel(sequence)
                assert whole.startswith(bench.text(sequence))
            else:
                assert bench.text(sequence) == whole
                assert finished(bench, sequence).reason == ("stop" if request.budget > 100 else "length")
        bench.assert_nothing_left()
