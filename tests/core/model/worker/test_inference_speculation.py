"""The inference thread with drafts: the same answers, whatever was guessed, and nothing left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Sequence as SequenceOf

import numpy as np
import pytest
from numpy.typing import NDArray

from core.contract import Sampling, Usage
from core.errors import ModelError
from core.model.worker.llama.runner import BatchRow, KvCacheFull
from core.model.worker.sequence import FinishedOutput, Sequence
from core.model.worker.speculation import Speculation
from tests.core.model.worker.support_fake_model import (
    END,
    CallAtStep,
    FakeClock,
    InferenceHarness,
    error,
    finished,
    rambles,
)

PASSAGE = "Overtime must be paid at one and a half times the regular rate of wages. "
QUOTE = f"It says: {PASSAGE}"
GUESS_TOKENS = 6
PARTED = QUOTE[:40] + "never, and so on"  # from here on, it is no quotation


def quotes(prompt: str) -> str:
    return f"It says: {prompt}"


def copying() -> InferenceHarness:
    """A harness whose speculation finds that rows cost nothing, so that it drafts where it can."""
    return InferenceHarness(quotes, speculation=Speculation(), clock=FakeClock(tick_s=0.01))


class Guesses(Speculation):
    """Drafts the next tokens of a known answer. Every third one is wrong."""

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answer = answer.encode()
        self.accepted: list[int] = []

    def draft(self, sequences: SequenceOf[Sequence], room: int) -> None:
        for sequence in sequences:
            start = len(sequence.generated)
            right = self.answer[start : start + min(GUESS_TOKENS, room)]
            wrong = len(self.accepted) % 8  # none, or this one
            sequence.draft = [byte ^ 1 if number == wrong else byte for number, byte in enumerate(right)]
            room -= len(sequence.draft)

    def count(self, sequence: Sequence, accepted: int) -> None:
        self.accepted.append(accepted)


def guessing(answer: str, script: Callable[[str], str] | None = None, **options: int) -> InferenceHarness:
    return InferenceHarness(script or (lambda _: answer), speculation=Guesses(answer), **options)


def test_a_quotation_takes_few_steps() -> None:
    """The draft's tokens are computed in one batch, and those that are accepted are counted."""
    with copying() as harness:
        sequence = harness.ask(PASSAGE)
        end = finished(harness, sequence)

        assert harness.text(sequence) == quotes(PASSAGE)
        assert end.usage == Usage(len(PASSAGE) + 1, len(quotes(PASSAGE)), 0)
        assert len(harness.model.batches) < 30
        drafted = harness.metric("csps_model_tokens_total", kind="drafted")
        accepted = harness.metric("csps_model_tokens_total", kind="accepted")
        assert len(PASSAGE) - 20 < accepted <= drafted
        harness.assert_nothing_left()


def test_many_quotations_at_once() -> None:
    """Each one gets its own draft; the batch has room for some only."""
    prompts = [f"{number}{PASSAGE}{number}" for number in range(6)]
    with InferenceHarness(
        quotes, slots=6, cells=2000, batch_tokens=24, speculation=Speculation(), clock=FakeClock(tick_s=0.01)
    ) as harness:
        with harness.held():
            sequences = [harness.ask(prompt) for prompt in prompts]
        for sequence in sequences:
            finished(harness, sequence)

        assert [harness.text(sequence) for sequence in sequences] == [quotes(prompt) for prompt in prompts]
        assert harness.metric("csps_model_tokens_total", kind="accepted") > 100
        harness.assert_nothing_left()


@pytest.mark.parametrize("answer", [QUOTE, PARTED, "It says", "", "😀é😀é😀é😀é😀é"])
def test_wrong_guesses_change_nothing(answer: str) -> None:
    """Text, usage and the tokens that the sampler accepted are those without drafts; rows are sampled once each."""
    with guessing(answer) as harness:
        sequence = harness.ask("well?")
        end = finished(harness, sequence)

        assert harness.text(sequence) == answer
        assert end == FinishedOutput("stop", Usage(6, len(answer.encode()), 0))
        (sampler,) = harness.model.samplers
        assert sampler.accepted == [*answer.encode(), END]
        assert sampler.picks == len(sampler.accepted)
        harness.assert_nothing_left()


def test_the_next_turn_finds_accepted_tokens_and_no_refused_ones() -> None:
    """The cells of a refused draft are free again, also where it ended the answer."""
    with guessing(QUOTE) as harness:
        finished(harness, harness.ask("well?"))
        before = harness.model.computed_tokens
        turn = harness.ask(f"well?\x01{QUOTE} and then?")
        cached = finished(harness, turn).usage.cached_tokens

        assert len("well?\x01") + len(QUOTE) - 1 <= cached <= len("well?\x01") + len(QUOTE)
        assert harness.model.computed_tokens > before
        assert harness.cache.free_cells == harness.model.free


@pytest.mark.parametrize("budget", range(1, 20))
def test_a_budget_ends_an_answer_within_a_draft(budget: int) -> None:
    """Exactly so many tokens are written."""
    with guessing(QUOTE) as harness:
        sequence = harness.ask("well?", max_tokens=budget)

        assert finished(harness, sequence) == FinishedOutput("length", Usage(6, budget, 0))
        assert harness.text(sequence) == QUOTE[:budget]
        harness.assert_nothing_left()


@pytest.mark.parametrize("stop", ["It", "says", ": O", "ertime m", "wages"])
def test_a_stop_string_ends_an_answer_within_a_draft(stop: str) -> None:
    """Neither it nor a later token counts."""
    with guessing(QUOTE) as harness:
        sequence = harness.ask("well?", sampling=Sampling(stop=(stop,)))
        end = finished(harness, sequence)

        assert harness.text(sequence) == QUOTE[: QUOTE.index(stop)]
        assert end.usage.completion_tokens == QUOTE.index(stop) + len(stop)
        harness.assert_nothing_left()


def test_drafts_never_displace_anybody() -> None:
    """Without free cells there are none: no sequence is preempted that would fit without them."""
    with guessing(QUOTE, lambda prompt: QUOTE, slots=2, cells=2 * (len(QUOTE) + 4)) as harness:
        with harness.held():
            sequences = [harness.ask("ab"), harness.ask("cd")]
        for sequence in sequences:
            finished(harness, sequence)

        assert [harness.text(sequence) for sequence in sequences] == [QUOTE, QUOTE]
        assert harness.metric("csps_model_preemptions_total") == 0
        assert harness.model.refusals == 0


def test_a_batch_that_does_not_fit_is_computed_without_drafts() -> None:
    """llama.cpp may find less room than we count."""
    with guessing(QUOTE) as harness:
        decode = harness.model.decode

        def refuse_drafts(rows: SequenceOf[BatchRow]) -> list[int]:
            if any(row.every for row in rows):
                harness.model.refusals += 1
                raise KvCacheFull("no room")
            return decode(rows)

        harness.model.decode = refuse_drafts  # type: ignore[method-assign]
        sequence = harness.ask("well?")
        finished(harness, sequence)

        assert harness.text(sequence) == QUOTE
        assert harness.model.refusals > 10
        assert harness.metric("csps_model_preemptions_total") == 0
        harness.assert_nothing_left()


def test_a_preempted_answer_goes_on_with_drafts() -> None:
    """Two long answers do not fit together."""
    with guessing(QUOTE, lambda prompt: QUOTE, slots=2, cells=len(QUOTE) + 40) as harness:
        with harness.held():
            sequences = [harness.ask("first"), harness.ask("other")]
        for sequence in sequences:
            finished(harness, sequence)

        assert [harness.text(sequence) for sequence in sequences] == [QUOTE, QUOTE]
        assert harness.metric("csps_model_preemptions_total") > 0
        harness.assert_nothing_left()


def test_a_drafting_answer_can_be_cancelled() -> None:
    """Its cells are freed, those of drafts too."""
    with guessing(QUOTE) as harness:
        with harness.held():
            sequence = harness.ask("well?")
            reached = call_at_step(harness, 5, lambda: harness.inference.cancel(sequence))
        assert reached.wait(20)
        harness.settle()

        assert harness.ends_of(sequence) == []
        assert QUOTE.startswith(harness.text(sequence))
        harness.assert_nothing_left()


def test_a_drafting_answer_can_be_paused() -> None:
    """Between two steps no draft is open."""
    with guessing(QUOTE) as harness:
        with harness.held():
            sequence = harness.ask("well?")
            reached = call_at_step(harness, 5, lambda: harness.inference.pause(sequence, True))
        assert reached.wait(20)
        harness.settle()
        assert sequence.draft == []
        assert QUOTE.startswith(harness.text(sequence))
        assert harness.text(sequence) != QUOTE
        harness.inference.pause(sequence, False)
        finished(harness, sequence)

        assert harness.text(sequence) == QUOTE
        harness.assert_nothing_left()


def call_at_step(harness: InferenceHarness, number: int, act: Callable[[], None]) -> threading.Event:
    """Calls a function on the inference thread before the n-th batch; the event tells that it did."""
    called = threading.Event()

    def run() -> None:
        act()
        called.set()

    CallAtStep(harness, number, run)
    return called


# --- constraints -----------------------------------------------------------------------------------------------------


class Document:
    """A grammar of one document: tokens are drawn singly or forced in runs, and some are chosen among values."""

    def __init__(self, document: str, run: int = 1, choices: bool = False) -> None:
        self.document, self.run, self.choices = document.encode(), run, choices
        self.position = 0
        self.settled = 0

    @property
    def complete(self) -> bool:
        return self.position >= len(self.document)

    @property
    def continuations(self) -> list[list[int]]:
        return [list(self.document[self.position : self.position + 2]), [1, 2, 3]]

    def choose(self, pick: Callable[[NDArray[np.float32]], int], logits: NDArray[np.float32], budget: int) -> list[int]:
        if self.choices and self.position % 5 == 3:
            return []
        assert pick(logits) == self.document[self.position], "logits of another place"
        return self._take(self.run)

    def settle(
        self,
        pick: Callable[[NDArray[np.float32]], int],
        budget: int,
        logits: list[list[NDArray[np.float32]]] | None,
    ) -> list[int]:
        assert logits is not None
        assert [len(each) for each in logits] == [len(each) for each in self.continuations]
        self.settled += 1
        return self._take(2)

    def _take(self, count: int) -> list[int]:
        self.position += count
        return list(self.document[self.position - count : self.position])


JSON = '{"name": "Marie Tremblay", "street": "344 Slater Street"}'


@pytest.mark.parametrize("run", [1, 2, 3, 7, 40])
def test_forced_tokens_meet_drafts(run: int) -> None:
    """They may end within a draft, with it, or beyond it, or differ from it."""
    with guessing(JSON) as harness:
        sequence = harness.ask("json", constraint=Document(JSON, run))
        end = finished(harness, sequence)

        assert (end.reason, harness.text(sequence)) == ("stop", JSON)
        assert end.usage.completion_tokens == len(JSON)
        harness.assert_nothing_left()


@pytest.mark.parametrize("run", [1, 2])
def test_a_choice_among_values_interrupts_a_draft(run: int) -> None:
    """The refused rest is dropped before the values are computed."""
    document = Document(JSON, run, choices=True)
    with guessing(JSON) as harness:
        sequence = harness.ask("json", constraint=document)
        finished(harness, sequence)

        assert harness.text(sequence) == JSON
        assert document.settled >= 5
        harness.assert_nothing_left()


def test_a_constraint_that_fails_within_a_draft_fails_only_its_request() -> None:
    """Its cells are freed."""

    class Failing(Document):
        def choose(self, pick: Callable[..., int], logits: NDArray[np.float32], budget: int) -> list[int]:
            if self.position > 10:
                raise ModelError("the constraint failed while writing: reason")
            return super().choose(pick, logits, budget)

    with guessing(JSON, lambda prompt: JSON if prompt == "json" else rambles(prompt)) as harness:
        other = harness.ask("the other")
        broken = harness.ask("json", constraint=Failing(JSON))

        assert isinstance(error(harness, broken), ModelError)
        finished(harness, other)
        assert harness.text(other) == rambles("the other")
        harness.assert_nothing_left()
