"""The inference thread: internal failures, and any mix of requests."""

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
from core.model.worker.sequence import Sequence
from tests.core.model.worker.support_fake_model import (
    BlockBeforeBatch,
    CallAtStep,
    FakeClock,
    InferenceHarness,
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
def test_an_internal_failure_fails_all_requests_once(exc: Exception) -> None:
    """Running and waiting requests each get one error; the next request starts with an empty cache."""
    with InferenceHarness(greets, slots=2) as harness, capture_logs() as logs:
        assert harness.answer("x" * 50 + " I am Before") == greets("Before")
        CallAtStep(harness, 3, fail(exc))
        with harness.held():
            sequences = [harness.ask("x" * 50 + f" I am {n}") for n in range(4)]
        errors = [error(harness, sequence) for sequence in sequences]

        assert all(isinstance(each, ModelError) for each in errors)
        assert not any("secret" in str(each) for each in errors)
        assert [entry["event"] for entry in logs] == ["inference_failed"]
        after = harness.ask("x" * 50 + " I am After")
        assert finished(harness, after).usage.cached_tokens == 0
        assert harness.text(after) == greets("After")
        harness.assert_nothing_left()


def test_no_state_is_saved_after_an_internal_failure() -> None:
    """The cells may be corrupt and must not reach host memory. (They did.)"""
    with InferenceHarness(rambles, slots=4, idle_cells=0) as harness, capture_logs():
        CallAtStep(harness, 8, fail(RuntimeError()))
        with harness.held():
            sequences = [harness.ask(f"{n}" * 60) for n in range(4)]
        for sequence in sequences:
            error(harness, sequence)

        assert harness.model.saved == 0
        assert harness.cache.suspended_bytes == 0


def test_run_calls_a_function_between_steps() -> None:
    """Its exception reaches only the caller."""
    with InferenceHarness(greets) as harness:
        sequence = harness.ask("I am Bo")
        with pytest.raises(ZeroDivisionError):
            harness.inference.run(lambda: 1 / 0).result(20)
        assert harness.inference.run(lambda: threading.current_thread().name).result(20) == "inference"
        finished(harness, sequence)
        assert harness.text(sequence) == greets("Bo")


def test_cancelled_work_is_skipped() -> None:
    """A caller that left early does not disturb others. (All requests failed.)"""
    harness = InferenceHarness(greets)
    done: list[bool] = []
    harness.inference.run(lambda: done.append(True)).cancel()
    sequence = harness.ask("I am Bo")
    with harness, capture_logs() as logs:
        finished(harness, sequence)

    assert (done, logs) == ([], [])


def becomes_overdue(harness: InferenceHarness, clock: FakeClock) -> bool:
    """Looks once a second for an hour, as a health check does."""
    for _ in range(3600):
        clock.now_s += 1
        if harness.inference.watch.is_overdue():
            return True
    return False


def test_only_the_current_step_counts_as_stalled() -> None:
    """A long pause between requests or a slow client is no stall. (The first step after one was.)"""
    clock = FakeClock()
    with InferenceHarness(rambles, clock=clock) as harness:
        harness.answer("first")
        assert not becomes_overdue(harness, clock)

        hold = BlockBeforeBatch(harness)
        sequence = harness.ask("second")
        assert hold.reached.wait(20)
        assert becomes_overdue(harness, clock)
        harness.inference.pause(sequence, True)
        hold.go.set()
        harness.settle()
        assert not becomes_overdue(harness, clock)


def test_stopping_ends_the_thread() -> None:
    """Running sequences get no more outputs."""
    harness = InferenceHarness(lambda _: "y" * 10_000, cells=20_000)
    with harness:
        sequence = harness.ask("go on", max_tokens=10_000)
        harness.settle()
    before = harness.text(sequence)

    assert harness.ends_of(sequence) == []
    assert harness.text(sequence) == before


# --- any mix of requests ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RandomRequest:
    """A prompt, and the behaviour of its client."""

    prefix: str  # shared with other requests
    user: str
    budget: int
    behaviour: Literal["waits", "leaves", "pauses"]
    at_step: int

    def act(self, harness: InferenceHarness, sequence: Sequence, step: int) -> None:
        if self.behaviour == "leaves" and step == self.at_step:
            harness.inference.cancel(sequence)
        if self.behaviour == "pauses" and step in (self.at_step, self.at_step + 10):
            harness.inference.pause(sequence, step == self.at_step)


REQUESTS = st.lists(
    st.builds(
        RandomRequest,
        st.sampled_from(["", "x" * 40, "x" * 80, "y" * 60]),
        st.sampled_from("abc"),
        st.sampled_from([1, 7, 300]),
        st.sampled_from(["waits", "leaves", "pauses"]),
        st.integers(1, 60),
    ),
    min_size=1,
    max_size=8,
)


def unpause_until_ended(harness: InferenceHarness, sequences: list[Sequence]) -> None:
    """Slow clients catch up sooner or later."""
    while not all(harness.ends_of(sequence) for sequence in sequences):
        for sequence in sequences:
            harness.inference.pause(sequence, False)
        harness.settle()


@pytest.mark.slow  # tries many cases
@settings(max_examples=60)
@given(
    REQUESTS,
    st.sampled_from([200, 260, 500]),
    st.integers(1, 4),
    st.sampled_from([0, 2000, 100_000]),
    st.sampled_from([8, 64]),
)
def test_any_mix_of_clients_is_served(
    requests: list[RandomRequest], cells: int, slots: int, suspend_bytes: int, batch_tokens: int
) -> None:
    """Clients may leave or fall behind, and room may be short: texts are right, each request ends once, and nothing is
    left allocated."""
    harness = InferenceHarness(
        rambles, cells=cells, slots=slots, suspend_bytes=suspend_bytes, batch_tokens=batch_tokens
    )
    prompts = [f"{request.prefix} number {n}" for n, request in enumerate(requests)]
    sequences = [
        harness.ask(prompt, user=request.user, max_tokens=request.budget, pinned_tokens=len(request.prefix))
        for prompt, request in zip(prompts, requests, strict=True)
    ]
    steps = itertools.count(1)

    def act() -> None:
        step = next(steps)
        assert step < 20_000, "no progress"
        for sequence, request in zip(sequences, requests, strict=True):
            request.act(harness, sequence, step)

    harness.model.on_decode = act
    with harness:
        unpause_until_ended(harness, [s for s, r in zip(sequences, requests, strict=True) if r.behaviour != "leaves"])
        for sequence, request, prompt in zip(sequences, requests, prompts, strict=True):
            whole = rambles(prompt)[: request.budget]
            if request.behaviour == "leaves":
                harness.inference.cancel(sequence)
                assert whole.startswith(harness.text(sequence))
            else:
                assert harness.text(sequence) == whole
                assert finished(harness, sequence).reason == ("stop" if request.budget > 100 else "length")
        harness.assert_nothing_left()
