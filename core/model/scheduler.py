"""Chooses which sequences run and what each step computes. Knows no llama.cpp, no clock, no asyncio."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.fair_queue import FairQueue
from core.model.sequence import Sequence

FORCED_TOKENS = 32  # up to so many pending tokens count as decoding: what a grammar forced rides along


@dataclass(frozen=True, slots=True)
class ScheduledTokens:
    """The next `count` tokens of a sequence, to be computed in this step."""

    sequence: Sequence
    count: int

    @property
    def sampled(self) -> bool:
        """Whether a token is drawn after it: all that was pending is computed then."""
        return self.count == self.sequence.pending


class Scheduler:
    """Holds those who wait and those who run; at most `slots` run."""

    def __init__(self, slots: int, queue_limit: int) -> None:
        self.slots = slots
        self.queue_limit = queue_limit
        self.waiting: FairQueue[Sequence] = FairQueue()
        self.running: list[Sequence] = []

    @property
    def full(self) -> bool:
        """Whether one more would have to wait behind `queue_limit` others; who gets a free slot at once does not."""
        return len(self.waiting) >= self.queue_limit + self.slots - len(self.running)

    @property
    def has_free_slot(self) -> bool:
        return len(self.running) < self.slots

    def add(self, sequence: Sequence) -> None:
        self.waiting.add(sequence, sequence.user or "")

    def start(self, sequence: Sequence) -> None:
        assert self.has_free_slot
        self.waiting.remove(sequence)
        self.running.append(sequence)

    def step_back(self, sequence: Sequence) -> None:
        """A running sequence gives its place up for now, and is next in line."""
        self.running.remove(sequence)
        self.waiting.add_first(sequence)

    def remove(self, sequence: Sequence) -> None:
        if sequence in self.running:
            self.running.remove(sequence)
        else:
            self.waiting.remove(sequence)

    def plan(self, batch_tokens: int, prefill_tokens: int) -> list[ScheduledTokens]:
        """What the next step computes: every decoding sequence, then prompts in the order of their admission.

        At most `batch_tokens` in all, and `prefill_tokens` of prompts.
        """
        ready = [s for s in self.running if s.pending and not s.paused]
        # Decode before prefill: a running reply must not stall for a newcomer.
        decoding = [s for s in ready if s.generated and s.pending <= FORCED_TOKENS]
        slices: list[ScheduledTokens] = []
        room = batch_tokens
        for sequence in decoding:
            count = min(sequence.pending, room)
            if count:
                slices.append(ScheduledTokens(sequence, count))
                room -= count
        room = min(room, prefill_tokens)
        for sequence in ready:
            if sequence in decoding or not room:
                continue
            count = min(sequence.pending, room)
            slices.append(ScheduledTokens(sequence, count))
            room -= count
        return slices

    @property
    def decodes(self) -> bool:
        """Whether somebody is being written to now, whom a long prefill would keep waiting."""
        return any(s.generated and not s.paused for s in self.running)
