"""Chooses the sequences that run and the tokens of each step. Knows no llama.cpp, no clock, no asyncio."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

from core.model.worker.fair_queue import FairQueue
from core.model.worker.sequence import Sequence

FORCED_TOKENS = 32  # up to this many pending tokens count as decode: a grammar forces several at once


@dataclass(frozen=True, slots=True)
class ScheduledTokens:
    """The next `count` tokens of a sequence, to compute in this step."""

    sequence: Sequence
    count: int

    @property
    def sampled(self) -> bool:
        """True if this step computes all pending tokens, so that the next token can be sampled."""
        return self.count == self.sequence.pending

    @property
    def decodes(self) -> bool:
        """True if these tokens continue an answer; False if they belong to a prompt, or to an answer computed again."""
        return bool(self.sequence.generated) and self.sequence.pending <= FORCED_TOKENS


def split_calls(plan: SequenceOf[ScheduledTokens]) -> list[list[ScheduledTokens]]:
    """Separates the decoding sequences from the prompts: the attention of a mixed batch costs more than two batches.

    In the unified KV cache a prompt's rows would walk over the cells of all decoding sequences.
    """
    decoding = [part for part in plan if part.decodes]
    prompts = [part for part in plan if not part.decodes]
    return [call for call in (decoding, prompts) if call]


class Scheduler:
    """Owns the waiting and the running sequences; at most `slots` run."""

    def __init__(self, slots: int, queue_limit: int) -> None:
        self.slots = slots
        self.queue_limit = queue_limit
        self.waiting: FairQueue[Sequence] = FairQueue()
        self.running: list[Sequence] = []

    @property
    def full(self) -> bool:
        """True if a new request would wait behind `queue_limit` others. Free slots count: no wait for those."""
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

    def preempt(self, sequence: Sequence) -> None:
        """Moves a running sequence to the front of the queue."""
        self.running.remove(sequence)
        self.waiting.add_first(sequence)

    def remove(self, sequence: Sequence) -> None:
        if sequence in self.running:
            self.running.remove(sequence)
        else:
            self.waiting.remove(sequence)

    def plan(self, batch_tokens: int, prefill_tokens: int) -> list[ScheduledTokens]:
        """Plans at most `batch_tokens`: all decoding sequences, then prompts in order with at most `prefill_tokens`."""
        ready = [s for s in self.running if s.pending and not s.paused]
        # Decode before prefill: a running reply must not stall for a newcomer.
        decoding = [s for s in ready if s.generated and s.pending <= FORCED_TOKENS]
        plan: list[ScheduledTokens] = []
        room = batch_tokens
        for sequence in decoding:
            count = min(sequence.pending, room)
            if count:
                plan.append(ScheduledTokens(sequence, count))
                room -= count
        room = min(room, prefill_tokens)
        for sequence in ready:
            if sequence in decoding or not room:
                continue
            count = min(sequence.pending, room)
            plan.append(ScheduledTokens(sequence, count))
            room -= count
        return plan

    @property
    def decodes(self) -> bool:
        """True if a sequence is decoding now, which a long prefill would delay."""
        return any(s.generated and not s.paused for s in self.running)
