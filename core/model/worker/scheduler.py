"""Chooses the sequences that run and the tokens of each step. Knows no llama.cpp, no clock, no asyncio."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from typing import Protocol

from core.contract import Priority
from core.model.worker.request_queue import RequestQueue
from core.model.worker.sequence import Sequence

FORCED_TOKENS = 32  # up to this many pending tokens count as decode: a grammar forces several at once
WORK_WEIGHTS: dict[Priority, float] = {"interactive": 1.0, "batch": 8.0}  # seconds of waiting against one of work


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
        return continues(self.sequence)


class PrefillPolicy(Protocol):
    """The prefill that a step may hold (`core.model.worker.step_rates`)."""

    def prefill_s(self, sequence: Sequence) -> float: ...
    def prefill_tokens(self, decoding: SequenceOf[ScheduledTokens], prompts: SequenceOf[Sequence]) -> int: ...


def continues(sequence: Sequence) -> bool:
    """True if the sequence's next tokens continue its answer."""
    return bool(sequence.generated) and sequence.pending <= FORCED_TOKENS


def prompt_rank(sequence: Sequence, work_s: float) -> float:
    """The prompt with the lowest rank is computed first: the one that needs least and has waited longest.

    A long one does not keep a short one from its first words. Each second of waiting counts as a second of work: no
    prompt is passed by those that came later than its own work takes.
    """
    return sequence.queued_at_s + WORK_WEIGHTS[sequence.priority] * work_s


def fill(sequences: SequenceOf[Sequence], room: int) -> list[ScheduledTokens]:
    """The pending tokens of the sequences in their order, at most `room`."""
    plan: list[ScheduledTokens] = []
    for sequence in sequences:
        if count := min(sequence.pending, room):
            plan.append(ScheduledTokens(sequence, count))
            room -= count
    return plan


def split_calls(plan: SequenceOf[ScheduledTokens]) -> list[list[ScheduledTokens]]:
    """Separates the decoding sequences from the prompts.

    The next token of an answer leaves before the prompts are computed, and both calls are measured apart. Without our
    kernels (docs/decisions/0049) attention over a mixed batch would also cost four times as much.
    """
    decoding = [part for part in plan if part.decodes]
    prompts = [part for part in plan if not part.decodes]
    return [call for call in (decoding, prompts) if call]


class Scheduler:
    """Owns the waiting and the running sequences; at most `slots` run."""

    def __init__(self, slots: int, queue_limit: int) -> None:
        self.slots = slots
        self.queue_limit = queue_limit
        self.waiting = RequestQueue()
        self.running: list[Sequence] = []

    @property
    def full(self) -> bool:
        """True if a new request would wait behind `queue_limit` others. Free slots count: no wait for those."""
        return len(self.waiting) >= self.queue_limit + self.slots - len(self.running)

    @property
    def has_free_slot(self) -> bool:
        return len(self.running) < self.slots

    def add(self, sequence: Sequence) -> None:
        self.waiting.add(sequence)

    def start(self, sequence: Sequence) -> None:
        assert self.has_free_slot
        self.waiting.serve(sequence)
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

    def plan(self, batch_tokens: int, policy: PrefillPolicy) -> list[ScheduledTokens]:
        """Plans at most `batch_tokens`: all decoding sequences, then prompts within the policy's budget."""
        ready = [s for s in self.running if s.pending and not s.paused]
        # Decode before prefill: a running reply must not stall for a newcomer.
        decoding = fill([s for s in ready if continues(s)], batch_tokens)
        prompts = sorted((s for s in ready if not continues(s)), key=lambda s: prompt_rank(s, policy.prefill_s(s)))
        if not prompts:
            return decoding
        room = batch_tokens - sum(part.count for part in decoding)
        return decoding + fill(prompts, min(room, policy.prefill_tokens(decoding, prompts)))
