"""Foretells the first words of waiting requests, by playing the coming steps with measured costs and answer lengths."""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

from core.model.worker.scheduler import Scheduler, prompt_rank
from core.model.worker.sequence import Sequence
from core.model.worker.step_rates import StepRates

LENGTHS = 128  # of the last answers
BEYOND = 0.5  # an answer longer than all of them goes on for this share of its length
GOLDEN = 0.618034  # multiples of it, without the whole part, spread evenly


class AnswerLengths:
    """The lengths of the last answers, in tokens, and the share of their prompts that was cached."""

    def __init__(self) -> None:
        self._latest: deque[tuple[int, float]] = deque(maxlen=LENGTHS)
        self._sorted: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._latest)

    def add(self, answer: int, cached_share: float) -> None:
        if len(self._latest) == LENGTHS:
            self._sorted.remove(self._latest[0][0])
        self._latest.append((answer, cached_share))
        bisect.insort(self._sorted, answer)

    @property
    def cached_share(self) -> float:
        return sum(share for _, share in self._latest) / max(len(self._latest), 1)

    def remaining(self, sequence: Sequence) -> float:
        """The tokens that an answer still gets: those of one of the earlier answers that became longer than it is.

        Each sequence takes another one of them (`quantile`), so that some end soon, as some will.
        """
        written = len(sequence.generated)
        longer = self._sorted[bisect.bisect_right(self._sorted, written) :]
        expected = longer[int(sequence.quantile * len(longer))] - written if longer else BEYOND * written
        return max(1.0, min(expected, sequence.budget))


@dataclass(slots=True)
class ForeseenSequence:
    """A sequence as it will be: the tokens left of its prompt and of its answer."""

    sequence: Sequence
    prompt: float
    answer: float
    depth: float  # tokens, about half-way through its answer


class WaitForecast:
    """Belongs to the inference thread."""

    def __init__(self, scheduler: Scheduler, rates: StepRates) -> None:
        self._scheduler = scheduler
        self._rates = rates
        self._lengths = AnswerLengths()
        self._arrivals = 0

    def enqueue(self, sequence: Sequence) -> None:
        self._arrivals += 1
        sequence.quantile = self._arrivals * GOLDEN % 1.0

    def finish(self, sequence: Sequence) -> None:
        """Learns from a complete answer."""
        self._lengths.add(len(sequence.generated), sequence.cached / len(sequence.prompt))

    def waits_s(self, waiting: SequenceOf[Sequence]) -> list[float] | None:
        """The seconds until the first words of each, in their order of service. None: no answer was measured yet."""
        if not self._lengths or not self._rates.is_measured:
            return None
        running = [self._foresee(s) for s in self._scheduler.running if not s.paused]
        coming = [self._foresee(s) for s in waiting]
        return self._play(running, coming)

    def _foresee(self, sequence: Sequence) -> ForeseenSequence:
        answer = self._lengths.remaining(sequence)
        prompt = float(sequence.pending)
        if sequence.slot is None:
            # A suspended sequence is restored; a new prompt finds as much in the cache as earlier ones did.
            prompt = 1.0 if sequence.begun else max(1.0, sequence.pending * (1 - self._lengths.cached_share))
        elif sequence.generated:
            prompt = 0.0
        return ForeseenSequence(sequence, prompt, answer, sequence.length + answer / 2)

    def _play(self, running: list[ForeseenSequence], coming: list[ForeseenSequence]) -> list[float]:
        now_s, arrived = 0.0, 0
        first_words: dict[int, float] = {}
        while any(id(each) not in first_words for each in coming):
            while arrived < len(coming) and len(running) < self._scheduler.slots:
                running.append(coming[arrived])
                arrived += 1
            now_s += self._advance(running)
            for each in running:
                if each.prompt <= 0:
                    first_words.setdefault(id(each), now_s)
            running = [each for each in running if each.answer > 0]
        return [first_words[id(each)] for each in coming]

    def _rank(self, each: ForeseenSequence) -> float:
        return prompt_rank(each.sequence, self._rates.prompt_s(each.prompt, each.depth))

    def _advance(self, running: list[ForeseenSequence]) -> float:
        """Plays equal steps until a prompt or an answer is complete; returns their seconds."""
        prompts = sorted((each for each in running if each.prompt > 0), key=self._rank)
        answers = [each for each in running if each.prompt <= 0]
        step_s = self._rates.decode_s(len(answers), sum(each.depth for each in answers)) if answers else 0.0
        steps = min((each.answer for each in answers), default=float("inf"))
        if prompts:
            first = prompts[0]
            left = sum(each.prompt for each in prompts)
            pressure = len(prompts) / max(len(answers), 1)
            tokens, slice_s = self._rates.slice_of(step_s, left, first.sequence.length / 2, pressure)
            step_s += slice_s
            steps = min(steps, first.prompt / tokens)
            first.prompt = max(0.0, first.prompt - steps * tokens)
            if first.prompt < 1e-6:
                first.prompt = 0.0
        for each in answers:
            each.answer -= steps
        return steps * step_s
