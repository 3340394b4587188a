"""The loop that serves everybody: what is answered, and how leaving and falling behind end it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from core.contract import Sampling, Usage
from core.errors import ModelError
from core.model.sequence import FinishedOutput, QueuedOutput, Sequence, TextOutput
from tests.core.model.support_fake_model import (
    END,
    PERSONALITY,
    AtStep,
    Bench,
    FakeClock,
    Hold,
    error,
    finished,
    greets,
    rambles,
)


def test_ten_people_each_get_their_own_answer() -> None:
    """More than there are slots, with a personality in common, in characters of several bytes."""
    names = [f"person-{n}" for n in range(10)]
    with Bench(greets, slots=4) as bench:
        asked = [bench.ask(f"{PERSONALITY} I am {name}", user=name) for name in names]
        ends = [finished(bench, sequence) for sequence in asked]

        assert [bench.text(sequence) for sequence in asked] == [greets(name) for name in names]
        assert {end.reason for end in ends} == {"stop"}
        bench.assert_nothing_left()


def test_pieces_are_whole_characters_and_the_end_is_last() -> None:
    """An emoji of four tokens is one piece."""
    with Bench(greets) as bench:
        sequence = bench.ask("I am Zoé")
        end = finished(bench, sequence)
        pieces = [output.text for output in bench.outputs[sequence][:-1] if isinstance(output, TextOutput)]

        assert bench.outputs[sequence][-1] is end
        assert "😀" in pieces
        assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)


def test_usage_is_counted() -> None:
    """What was brought, what was written, and what of the prompt needed no computing; the end token is none."""
    with Bench(greets) as bench:
        first = finished(bench, bench.ask("x" * 40 + " I am Bo"))
        again = finished(bench, bench.ask("x" * 40 + " I am Bo"))

        written = len(greets("Bo").encode())
        assert first.usage == Usage(49, written, 0)
        assert again.usage == Usage(49, written, 48)


def test_the_next_turn_computes_only_what_is_new() -> None:
    """The conversation goes on in the cells of the last turn."""
    with Bench(greets) as bench:
        first = bench.ask("x" * 40 + " I am Bo")
        finished(bench, first)
        before = bench.model.computed_tokens
        turn = "x" * 40 + " I am Bo\x01" + greets("Bo") + " I am Al"
        second = finished(bench, bench.ask(turn))

        new = second.usage.prompt_tokens - second.usage.cached_tokens
        assert new <= len(" I am Al") + 2
        assert bench.model.computed_tokens - before == new + second.usage.completion_tokens


def test_the_token_budget_ends_an_answer() -> None:
    """As `length`, after exactly so many tokens."""
    with Bench(greets) as bench:
        sequence = bench.ask("I am Bo", max_tokens=5)

        assert finished(bench, sequence) == FinishedOutput("length", Usage(8, 5, 0))
        assert bench.text(sequence) == "Bonjo"


def test_an_answer_of_exactly_the_budget_is_cut_without_asking_for_its_end() -> None:
    """Nobody computes a token that there is no budget for."""
    with Bench(lambda _: "12345") as bench:
        sequence = bench.ask("count", max_tokens=5)

        assert (finished(bench, sequence).reason, bench.text(sequence)) == ("length", "12345")


def test_a_stop_string_ends_an_answer() -> None:
    """It and what follows is not shown; no step is spent on what would follow."""
    with Bench(lambda _: "one, two, three") as bench:
        sequence = bench.ask("count", sampling=Sampling(stop=(", t",)))

        assert (finished(bench, sequence).reason, bench.text(sequence)) == ("stop", "one")
        assert finished(bench, sequence).usage.completion_tokens == len("one, t")


def test_what_looked_like_a_stop_string_is_shown_at_the_end() -> None:
    """Held back while it might go on, and text after all."""
    with Bench(lambda _: "one, two, t") as bench:
        sequence = bench.ask("count", sampling=Sampling(stop=(", three",)))
        finished(bench, sequence)

        assert bench.text(sequence) == "one, two, t"


def test_an_empty_answer_is_an_answer() -> None:
    """A model may have nothing to say."""
    with Bench(lambda _: "") as bench:
        sequence = bench.ask("well?")

        assert finished(bench, sequence) == FinishedOutput("stop", Usage(6, 0, 0))


def test_seeds_reach_the_sampler() -> None:
    """The one asked for; else a random one, not the same for all."""
    with Bench(greets) as bench:
        for seed in (7, None, None):
            finished(bench, bench.ask("I am Bo", sampling=Sampling(seed=seed)))
        seeds = [sampler.seed for sampler in bench.model.samplers]

        assert seeds[0] == 7
        assert seeds[1] != seeds[2]


def test_the_sampler_hears_of_every_token() -> None:
    """Penalties look at what was written."""
    with Bench(lambda _: "abc") as bench:
        finished(bench, bench.ask("x"))

        assert bench.model.samplers[0].accepted == [*b"abc", END]


# --- constraints ------------------------------------------------------------------------------------------------------


class Fixed:
    """A grammar of one document: the rest is forced after the first token, in pieces of `run` tokens."""

    def __init__(self, document: bytes, run: int) -> None:
        self.rest, self.run = document, run

    @property
    def complete(self) -> bool:
        return not self.rest

    def choose(self, pick: Callable[[NDArray[np.float32]], int], logits: NDArray[np.float32], budget: int) -> list[int]:
        chosen, self.rest = self.rest[: self.run], self.rest[self.run :]
        return list(chosen)


class Broken(Fixed):
    def choose(self, pick: Callable[[NDArray[np.float32]], int], logits: NDArray[np.float32], budget: int) -> list[int]:
        raise ModelError("the constraint failed while writing: reason")


def test_forced_tokens_ride_along() -> None:
    """Nine tokens of a document in three steps, and nothing after its end."""
    with Bench(lambda _: '{"a": 12}') as bench:
        sequence = bench.ask("json", constraint=Fixed(b'{"a": 12}', run=3))
        end = finished(bench, sequence)

        assert (end.reason, bench.text(sequence)) == ("stop", '{"a": 12}')
        assert [sum(len(row.tokens) for row in batch) for batch in bench.model.batches] == [5, 3, 3]
        bench.assert_nothing_left()


@pytest.mark.parametrize(("budget", "reason"), [(8, "length"), (9, "stop"), (10, "stop")])
def test_a_document_that_the_budget_cut_is_not_called_whole(budget: int, reason: str) -> None:
    """The grammar is at its end, but the text is not. (It was called `stop`.)"""
    with Bench(lambda _: '{"a": 12}') as bench:
        sequence = bench.ask("json", max_tokens=budget, constraint=Fixed(b'{"a": 12}', run=9))

        assert finished(bench, sequence).reason == reason
        assert bench.text(sequence) == '{"a": 12}'[:budget]


def test_more_forced_tokens_than_a_batch_holds() -> None:
    """They are computed in several steps, like a prompt."""
    document = b'["' + b"x" * 150 + b'"]'
    with Bench(lambda _: document.decode(), batch_tokens=16) as bench:
        sequence = bench.ask("json", constraint=Fixed(document, run=152))
        finished(bench, sequence)

        assert bench.text(sequence) == document.decode()


def test_a_constraint_that_fails_fails_its_own_request() -> None:
    """The others do not notice."""
    with Bench(greets) as bench:
        other = bench.ask("I am Bo")
        broken = bench.ask("json", constraint=Broken(b"", 1))

        assert isinstance(error(bench, broken), ModelError)
        finished(bench, other)
        assert bench.text(other) == greets("Bo")
        bench.assert_nothing_left()


# --- cancelling and pausing -------------------------------------------------------------------------------------------


def test_a_cancelled_answer_frees_its_slot_at_the_next_step() -> None:
    """Its reader hears nothing more, and who waited for the slot gets it."""
    with Bench(rambles, slots=1) as bench:
        first = bench.ask("the first")
        AtStep(bench, 10, lambda: bench.inference.cancel(first))
        second = bench.ask("another one")
        finished(bench, second)

        assert bench.text(second) == rambles("another one")
        assert bench.ends_of(first) == []
        assert bench.text(first) == rambles("the first")[: len(bench.text(first))]
        assert len(bench.text(first)) <= 10
        bench.assert_nothing_left()


def test_what_a_cancelled_answer_computed_is_not_lost() -> None:
    """Who asks again goes on from there."""
    with Bench(rambles) as bench:
        prompt = "x" * 50
        first = bench.ask(prompt)
        AtStep(bench, 5, lambda: bench.inference.cancel(first))
        bench.settle()
        while bench.scheduler.running:
            bench.settle()

        assert finished(bench, bench.ask(prompt)).usage.cached_tokens == 50


def test_a_waiting_request_can_be_cancelled() -> None:
    """It never starts."""
    with Bench(greets, slots=1) as bench:
        hold = Hold(bench)
        first = bench.ask("I am One")
        assert hold.reached.wait(20)
        second = bench.ask("I am Two")
        bench.inference.cancel(second)
        hold.go.set()
        finished(bench, first)

        assert bench.outputs[second] == []
        bench.assert_nothing_left()


def test_cancelling_what_has_ended_does_nothing() -> None:
    """A client may leave at any moment; also twice, also before its request was taken up."""
    with Bench(greets) as bench:
        sequence = bench.ask("I am Bo")
        finished(bench, sequence)
        bench.inference.cancel(sequence)
        bench.inference.cancel(sequence)
        early = Sequence(sequence.prompt, 5, Sampling(), lambda _: None)
        bench.inference.cancel(early)

        assert bench.answer("I am Al") == greets("Al")
        bench.assert_nothing_left()


def test_a_paused_answer_stands_still_and_loses_nothing() -> None:
    """While its reader is behind the others go on; the thread sleeps when nobody else is left; then it goes on."""
    clock = FakeClock()
    with Bench(rambles, clock=clock) as bench:
        slow = bench.ask("slow one")
        AtStep(bench, 10, lambda: bench.inference.pause(slow, True))
        other = bench.ask("other one")
        finished(bench, other)
        assert bench.text(other) == rambles("other one")
        stands = bench.text(slow)
        assert 0 < len(stands) < 100

        bench.settle()
        looks = clock.looks
        for _ in range(50):
            bench.inference.run(lambda: None).result(20)
        bench.settle()
        assert clock.looks - looks <= 52 * 4, "it spins"
        assert bench.text(slow) == stands

        bench.inference.pause(slow, False)
        finished(bench, slow)
        assert bench.text(slow) == rambles("slow one")
        bench.assert_nothing_left()


def test_nobody_waits_for_a_prefix_that_a_paused_sequence_was_to_compute() -> None:
    """Only its reader could end that wait."""
    bench = Bench(greets)
    slow = bench.ask("x" * 60 + " I am Slow")
    bench.inference.pause(slow, True)
    other = bench.ask("x" * 60 + " I am Other")
    with bench:
        finished(bench, other)
        assert bench.text(other) == greets("Other")
        bench.inference.pause(slow, False)
        finished(bench, slow)
        assert bench.text(slow) == greets("Slow")


def test_a_paused_answer_can_be_cancelled() -> None:
    """Its slot does not wait for a reader who left."""
    bench = Bench(rambles, slots=1)
    slow = bench.ask("slow one")
    bench.inference.pause(slow, True)
    with bench:
        waits = bench.ask("waits for the slot")
        bench.settle()
        assert bench.outputs[waits] == [] or isinstance(bench.outputs[waits][-1], QueuedOutput)
        bench.inference.cancel(slow)
        finished(bench, waits)
        bench.assert_nothing_left()
