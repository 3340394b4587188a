"""Measured costs of decode and prefill calls, and the prefill that a step may hold because of them.

A step has two calls: a token of each running reply, then slices of prompts. Their durations are measured apart.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf

from core.model.worker.linear_cost import LinearCost
from core.model.worker.scheduler import ScheduledTokens
from core.model.worker.sequence import Sequence

PREFILL_SHARE = 0.7  # of the decode call's duration: running replies keep more than half of their pace
BACKLOG_S = 10.0  # of prefill; with more, people wait too long for first words, and the share grows with it
BACKLOG_FACTOR = 3.0  # by which it grows at most
SHORT_STEP_S = 0.05  # nobody reads twenty tokens a second: shorter steps need not keep the share
MIN_PREFILL_TOKENS = 16  # per step: each call reads all weights, so that smaller slices waste time
IDLE_STEP_S = 0.5  # of prefill while nothing decodes: newcomers and cancellations wait for a step's end
MIN_IDLE_TOKENS = 64  # however slow the machine

Load = tuple[float, float, float]  # of a call: 1, its tokens, its tokens times the depths they stand at


def load_of(call: SequenceOf[ScheduledTokens]) -> Load:
    """The features of a call that its duration depends on."""
    deep = sum(part.count * (part.sequence.computed + part.count / 2) for part in call)
    return 1.0, sum(part.count for part in call), deep


class StepRates:
    """One fitted cost for decode calls and one for prefill calls, in seconds."""

    def __init__(self) -> None:
        self.decode = LinearCost((0.02, 0.005, 1e-7))
        self.prefill = LinearCost((0.01, 0.005, 1e-7))

    @property
    def prefill_rate(self) -> float:
        """Tokens per second of a long prompt's beginning."""
        return 1.0 / max(self.prefill.slope(1), 1e-6)

    def measure(self, load: Load, took_s: float, *, decodes: bool) -> None:
        (self.decode if decodes else self.prefill).measure(load, took_s)

    def call_s(self, load: Load, *, decodes: bool) -> float:
        """The seconds that a call should take."""
        return (self.decode if decodes else self.prefill).estimate_s(load)

    def prefill_s(self, sequence: Sequence) -> float:
        """The seconds that the rest of a prompt takes alone."""
        return self.prefill.estimate_s(load_of([ScheduledTokens(sequence, sequence.pending)]))

    def prefill_tokens(self, decoding: SequenceOf[ScheduledTokens], prompts: SequenceOf[Sequence]) -> int:
        """The tokens of `prompts` that a step may hold beside these decoding sequences. The first one gets most."""
        decode_s = self.decode.estimate_s(load_of(decoding)) if decoding else 0.0
        pressure = len(prompts) / max(len(decoding), 1)
        backlog_s = sum(self.prefill_s(prompt) for prompt in prompts)
        return self._slice_tokens(decode_s, backlog_s, prompts[0].computed, pressure)

    def decode_s(self, sequences: int, depth: float) -> float:
        """The seconds of a decode call of so many sequences, whose depths add up to `depth`."""
        return self.decode.estimate_s((1.0, sequences, depth))

    def prompt_s(self, tokens: float, depth: float) -> float:
        """The seconds of so many tokens of a prompt, alone, at this depth on average."""
        return tokens * self._token_s(depth)

    def slice_of(self, decode_s: float, left: float, depth: float, pressure: float) -> tuple[int, float]:
        """The tokens and seconds of the prefill call beside a decode call, with `left` tokens of prompts to compute.

        `pressure`: the prompts for each running reply.
        """
        token_s = self._token_s(depth)
        tokens = self._slice_tokens(decode_s, left * token_s, depth, pressure)
        return tokens, self.prefill.slope(0) + tokens * token_s

    def _slice_tokens(self, decode_s: float, backlog_s: float, depth: float, pressure: float) -> int:
        if not decode_s:
            return max(MIN_IDLE_TOKENS, self._tokens_in(IDLE_STEP_S, depth))
        backlog = PREFILL_SHARE * min(max(backlog_s / BACKLOG_S, 1.0), BACKLOG_FACTOR) * decode_s
        # Where more people wait for first words than read, a longer step helps more of them than it disturbs.
        crowd = min(PREFILL_SHARE * pressure * decode_s, IDLE_STEP_S)
        return max(MIN_PREFILL_TOKENS, self._tokens_in(max(backlog, crowd, SHORT_STEP_S - decode_s), depth))

    def _tokens_in(self, seconds: float, depth: float) -> int:
        return int((seconds - self.prefill.slope(0)) / self._token_s(depth))

    def _token_s(self, depth: float) -> float:
        return max(self.prefill.slope(1) + depth * self.prefill.slope(2), 1e-9)
