"""The inference thread: answers, constraints, cancelling and pausing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from core.contract import Sampling, Usage
from core.errors import ModelError
from core.model.worker.sequence import FinishedOutput, Sequence, TextOutput
from tests.core.model.worker.support_fake_model import (
    END,
    PERSONALITY,
    BlockBeforeBatch,
    CallAtStep,
    FakeClock,
    InferenceHarness,
    error,
    finished,
    greets,
    rambles,
)


def test_ten_people_each_get_their_own_answer() -> None:
    """There are more users than slots. They share a personality and get answers with multi-byte characters."""
    names = [f"person-{n}" for n in range(10)]
    with InferenceHarness(greets, slots=4) as harness:
        sequences = [harness.ask(f"{PERSONALITY} I am {name}", user=name) for name in names]
        ends = [finished(harness, sequence) for sequence in sequences]

        assert [harness.text(sequence) for sequence in sequences] == [greets(name) for name in names]
        assert {end.reason for end in ends} == {"stop"}
        harness.assert_nothing_left()


def test_outputs_are_whole_characters_and_the_end_is_last() -> None:
    """An emoji of four tokens arrives in one output."""
    with InferenceHarness(greets) as harness:
        sequence = harness.ask("I am Zoé")
        end = finished(harness, sequence)
        pieces = [output.text for output in harness.outputs[sequence][:-1] if isinstance(output, TextOutput)]

        assert harness.outputs[sequence][-1] is end
        assert "😀" in pieces
        assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)


def test_usage_is_counted() -> None:
    """Usage counts prompt, answer and cached tokens; the end token does not count."""
    with InferenceHarness(greets) as harness:
        first = finished(harness, harness.ask("x" * 40 + " I am Bo"))
        again = finished(harness, harness.ask("x" * 40 + " I am Bo"))

        written = len(greets("Bo").encode())
        assert first.usage == Usage(49, written, 0)
        assert again.usage == Usage(49, written, 48)


def test_the_next_turn_computes_only_new_tokens() -> None:
    """It continues in the previous turn's cells."""
    with InferenceHarness(greets) as harness:
        first = harness.ask("x" * 40 + " I am Bo")
        finished(harness, first)
        before = harness.model.computed_tokens
        turn = "x" * 40 + " I am Bo\x01" + greets("Bo") + " I am Al"
        second = finished(harness, harness.ask(turn))

        new = second.usage.prompt_tokens - second.usage.cached_tokens
        assert new <= len(" I am Al") + 2
        assert harness.model.computed_tokens - before == new + second.usage.completion_tokens


def test_the_token_budget_ends_an_answer() -> None:
    """The reason is `length`, after exactly `max_tokens` tokens."""
    with InferenceHarness(greets) as harness:
        sequence = harness.ask("I am Bo", max_tokens=5)

        assert finished(harness, sequence) == FinishedOutput("length", Usage(8, 5, 0))
        assert harness.text(sequence) == "Bonjo"


def test_an_answer_of_exactly_the_budget_ends_with_length() -> None:
    """No token beyond the budget is computed, so the end token stays unknown."""
    with InferenceHarness(lambda _: "12345") as harness:
        sequence = harness.ask("count", max_tokens=5)

        assert (finished(harness, sequence).reason, harness.text(sequence)) == ("length", "12345")


def test_a_stop_string_ends_an_answer() -> None:
    """Neither it nor later text appears, and no later token is computed."""
    with InferenceHarness(lambda _: "one, two, three") as harness:
        sequence = harness.ask("count", sampling=Sampling(stop=(", t",)))

        assert (finished(harness, sequence).reason, harness.text(sequence)) == ("stop", "one")
        assert finished(harness, sequence).usage.completion_tokens == len("one, t")


def test_an_incomplete_stop_string_appears_at_the_end() -> None:
    """It is held back while it could still be completed."""
    with InferenceHarness(lambda _: "one, two, t") as harness:
        sequence = harness.ask("count", sampling=Sampling(stop=(", three",)))
        finished(harness, sequence)

        assert harness.text(sequence) == "one, two, t"


def test_an_empty_answer_is_an_answer() -> None:
    """The model may end at once."""
    with InferenceHarness(lambda _: "") as harness:
        sequence = harness.ask("well?")

        assert finished(harness, sequence) == FinishedOutput("stop", Usage(6, 0, 0))


def test_seeds_reach_the_sampler() -> None:
    """Without a seed each request gets a random one."""
    with InferenceHarness(greets) as harness:
        for seed in (7, None, None):
            finished(harness, harness.ask("I am Bo", sampling=Sampling(seed=seed)))
        seeds = [sampler.seed for sampler in harness.model.samplers]

        assert seeds[0] == 7
        assert seeds[1] != seeds[2]


def test_the_sampler_accepts_every_token() -> None:
    """Penalties depend on the history."""
    with InferenceHarness(lambda _: "abc") as harness:
        finished(harness, harness.ask("x"))

        assert harness.model.samplers[0].accepted == [*b"abc", END]


# --- constraints -----------------------------------------------------------------------------------------------------


class OneDocument:
    """A grammar of one document, which forces `run` tokens at a time."""

    def __init__(self, document: bytes, run: int) -> None:
        self.rest, self.run = document, run

    @property
    def complete(self) -> bool:
        return not self.rest

    def choose(self, pick: Callable[[NDArray[np.float32]], int], logits: NDArray[np.float32], budget: int) -> list[int]:
        chosen, self.rest = self.rest[: self.run], self.rest[self.run :]
        return list(chosen)


class FailingConstraint(OneDocument):
    def choose(self, pick: Callable[[NDArray[np.float32]], int], logits: NDArray[np.float32], budget: int) -> list[int]:
        raise ModelError("the constraint failed while writing: reason")


def test_forced_tokens_share_a_step() -> None:
    """Nine tokens take three steps, and none follows the end."""
    with InferenceHarness(lambda _: '{"a": 12}') as harness:
        sequence = harness.ask("json", constraint=OneDocument(b'{"a": 12}', run=3))
        end = finished(harness, sequence)

        assert (end.reason, harness.text(sequence)) == ("stop", '{"a": 12}')
        assert [sum(len(row.tokens) for row in batch) for batch in harness.model.batches] == [5, 3, 3]
        harness.assert_nothing_left()


@pytest.mark.parametrize(("budget", "reason"), [(8, "length"), (9, "stop"), (10, "stop")])
def test_a_document_cut_by_the_budget_ends_with_length(budget: int, reason: str) -> None:
    """The grammar is complete, but the text is not. (The reason was `stop`.)"""
    with InferenceHarness(lambda _: '{"a": 12}') as harness:
        sequence = harness.ask("json", max_tokens=budget, constraint=OneDocument(b'{"a": 12}', run=9))

        assert finished(harness, sequence).reason == reason
        assert harness.text(sequence) == '{"a": 12}'[:budget]


def test_more_forced_tokens_than_a_batch_take_several_steps() -> None:
    """They are computed like a prompt."""
    document = b'["' + b"x" * 150 + b'"]'
    with InferenceHarness(lambda _: document.decode(), batch_tokens=16) as harness:
        sequence = harness.ask("json", constraint=OneDocument(document, run=152))
        finished(harness, sequence)

        assert harness.text(sequence) == document.decode()


def test_a_failing_constraint_fails_only_its_request() -> None:
    """Other requests continue."""
    with InferenceHarness(greets) as harness:
        other = harness.ask("I am Bo")
        broken = harness.ask("json", constraint=FailingConstraint(b"", 1))

        assert isinstance(error(harness, broken), ModelError)
        finished(harness, other)
        assert harness.text(other) == greets("Bo")
        harness.assert_nothing_left()


# --- cancelling and pausing ------------------------------------------------------------------------------------------


def test_a_cancelled_answer_frees_its_slot_at_the_next_step() -> None:
    """It gets no more outputs, and the next waiting request starts."""
    with InferenceHarness(rambles, slots=1) as harness:
        with harness.held():
            first = harness.ask("the first")
            CallAtStep(harness, 10, lambda: harness.inference.cancel(first))
            second = harness.ask("another one")
        finished(harness, second)

        assert harness.text(second) == rambles("another one")
        assert harness.ends_of(first) == []
        assert harness.text(first) == rambles("the first")[: len(harness.text(first))]
        assert len(harness.text(first)) <= 10
        harness.assert_nothing_left()


def test_a_cancelled_answers_tokens_stay_cached() -> None:
    """The same prompt again continues from there."""
    with InferenceHarness(rambles) as harness:
        prompt = "x" * 50
        with harness.held():
            first = harness.ask(prompt)
            CallAtStep(harness, 5, lambda: harness.inference.cancel(first))
        harness.settle()
        while harness.scheduler.running:
            harness.settle()

        assert finished(harness, harness.ask(prompt)).usage.cached_tokens == 50


def test_a_waiting_request_can_be_cancelled() -> None:
    """It never starts."""
    with InferenceHarness(greets, slots=1) as harness:
        hold = BlockBeforeBatch(harness)
        first = harness.ask("I am One")
        assert hold.reached.wait(20)
        second = harness.ask("I am Two")
        harness.inference.cancel(second)
        hold.go.set()
        finished(harness, first)

        assert harness.outputs[second] == []
        harness.assert_nothing_left()


def test_cancelling_an_ended_or_unknown_request_does_nothing() -> None:
    """A client may disconnect at any moment, also twice, also before its request is queued."""
    with InferenceHarness(greets) as harness:
        sequence = harness.ask("I am Bo")
        finished(harness, sequence)
        harness.inference.cancel(sequence)
        harness.inference.cancel(sequence)
        early = Sequence(sequence.prompt, 5, Sampling(), lambda _: None)
        harness.inference.cancel(early)

        assert harness.answer("I am Al") == greets("Al")
        harness.assert_nothing_left()


def test_a_paused_answer_stops_and_loses_nothing() -> None:
    """Other answers continue; without others the thread sleeps; after the pause the answer continues."""
    clock = FakeClock()
    with InferenceHarness(rambles, clock=clock) as harness:
        with harness.held():
            slow = harness.ask("slow one")
            CallAtStep(harness, 10, lambda: harness.inference.pause(slow, True))
            other = harness.ask("other one")
        finished(harness, other)
        assert harness.text(other) == rambles("other one")
        so_far = harness.text(slow)
        assert 0 < len(so_far) < 100

        harness.settle()
        readings = clock.readings
        for _ in range(50):
            harness.inference.run(lambda: None).result(20)
        harness.settle()
        assert clock.readings - readings <= 52 * 4, "the thread spins"
        assert harness.text(slow) == so_far

        harness.inference.pause(slow, False)
        finished(harness, slow)
        assert harness.text(slow) == rambles("slow one")
        harness.assert_nothing_left()


def test_no_request_waits_for_the_prefix_of_a_paused_sequence() -> None:
    """Only the slow client could end that wait."""
    harness = InferenceHarness(greets)
    slow = harness.ask("x" * 60 + " I am Slow")
    harness.inference.pause(slow, True)
    other = harness.ask("x" * 60 + " I am Other")
    with harness:
        finished(harness, other)
        assert harness.text(other) == greets("Other")
        harness.inference.pause(slow, False)
        finished(harness, slow)
        assert harness.text(slow) == greets("Slow")


def test_a_paused_answer_lends_its_slot() -> None:
    """While its client does not read, a waiting request is served; then it continues and loses nothing."""
    with InferenceHarness(rambles, slots=1) as harness:
        with harness.held():
            slow = harness.ask("slow one")
            CallAtStep(harness, 10, lambda: harness.inference.pause(slow, True))
            waits = harness.ask("waits for the slot")
        finished(harness, waits)
        assert harness.text(waits) == rambles("waits for the slot")
        assert harness.ends_of(slow) == []

        harness.inference.pause(slow, False)
        finished(harness, slow)
        assert harness.text(slow) == rambles("slow one")
        harness.assert_nothing_left()


def test_a_paused_answer_lends_its_room() -> None:
    """A free slot does not help where a slow client's answer fills the KV cache."""
    with InferenceHarness(rambles, slots=2, cells=170) as harness:
        with harness.held():
            slow = harness.ask("s" * 60)
            CallAtStep(harness, 60, lambda: harness.inference.pause(slow, True))
        waits = harness.ask("w" * 40)
        finished(harness, waits)
        assert harness.text(waits) == rambles("w" * 40)

        harness.inference.pause(slow, False)
        finished(harness, slow)
        assert harness.text(slow) == rambles("s" * 60)
        harness.assert_nothing_left()


@pytest.mark.parametrize("waits", [False, True])
def test_a_paused_answer_can_be_cancelled(waits: bool) -> None:
    """Also after it lent its slot."""
    with InferenceHarness(rambles, slots=1) as harness:
        with harness.held():
            slow = harness.ask("slow one")
            harness.inference.pause(slow, True)
            others = [harness.ask("another one")] if waits else []
        for other in others:
            finished(harness, other)
        harness.inference.cancel(slow)
        harness.settle()

        assert harness.outputs[slow] == []
        harness.assert_nothing_left()
