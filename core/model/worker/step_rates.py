"""Measured costs of decode and prefill calls, and the prefill that a step may hold because of them.

A step computes a token of each running reply, and slices of prompts: in one call, or in two whose durations are
measured apart (`call_joining`).
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf

from core.model.worker.call_joining import CallJoining
from core.model.worker.linear_cost import LinearCost
from core.model.worker.scheduler import ScheduledTokens
from core.model.worker.sequence import Sequence

PREFILL_SHARE = 0.7  # of the decode call's duration: running replies keep more than half of their pace
BACKLOG_S = 10.0  # of prefill; with more, people wait too long for first words, and the share grows with it
BACKLOG_FACTOR = 3.0  # by which it grows at most
SHORT_STEP_S = 0.03  # nobody reads thirty tokens a second: shorter steps need not keep the share
MIN_PREFILL_TOKENS = 16  # per step: each call reads all weights, so that smaller slices waste time
MIN_JOINED_TOKENS = 8  # per step, if one call computes them with the replies
IDLE_STEP_S = 0.5  # of prefill while nothing decodes: newcomers and cancellations wait for a step's end
MIN_IDLE_TOKENS = 64  # however slow the machine

Load = tuple[float, float, float]  # of a call: 1, its tokens, its tokens times the depths they stand at
NO_LOAD: Load = (0.0, 0.0, 0.0)
CALL, PROMPT, PROMPT_DEPTH = 0, 3, 4  # indices of features


def load_of(call: SequenceOf[ScheduledTokens]) -> Load:
    """The features of a call that its duration depends on."""
    deep = sum(part.count * (part.sequence.computed + part.count / 2) for part in call)
    return 1.0, sum(part.count for part in call), deep


class StepRates:
    """The fitted cost, in seconds, of calls that compute replies, prompts, or both with one reading of the weights."""

    def __init__(self) -> None:
        # For a call, a reply's token, that token times its depth, a prompt's token, and that one times its depth.
        self._cost = LinearCost((0.01, 0.005, 1e-7, 0.005, 1e-7))
        self.joining = CallJoining()
        self._knows_decoding = False

    @property
    def is_measured(self) -> bool:
        """True if a reply's step was measured."""
        return self._knows_decoding

    @property
    def prefill_rate(self) -> float:
        """Tokens per second of a long prompt's beginning."""
        return 1.0 / max(self._cost.slope(PROMPT), 1e-6)

    def measure(self, load: Load, took_s: float, *, decodes: bool) -> None:
        self._knows_decoding |= decodes
        self._cost.measure(features(load, NO_LOAD) if decodes else features(NO_LOAD, load), took_s)

    def measure_joined(self, decoding: Load, prompts: Load, took_s: float) -> None:
        """Measures one call for both, against the two calls that would do the same."""
        joined = features(decoding, prompts)
        if self.is_measured:
            self.joining.measure(took_s / max(self._cost.estimate_s(joined) + self._cost.slope(CALL), 1e-9))
        if self.joining.pays:  # elsewhere the rows of one call disturb each other, which no other call shows
            self._cost.measure(joined, took_s)

    def call_s(self, loads: SequenceOf[Load], *, decodes: bool) -> float:
        """The seconds that a call should take. `loads`: of the replies, of the prompts, or of both."""
        decoding, prompts = (*loads, NO_LOAD)[:2] if decodes else (NO_LOAD, loads[0])
        return self._cost.estimate_s(features(decoding, prompts))

    def prefill_s(self, sequence: Sequence) -> float:
        """The seconds that the rest of a prompt takes alone."""
        return self._cost.estimate_s(features(NO_LOAD, load_of([ScheduledTokens(sequence, sequence.pending)])))

    def prefill_tokens(self, decoding: SequenceOf[ScheduledTokens], prompts: SequenceOf[Sequence]) -> int:
        """The tokens of `prompts` that a step may hold beside these decoding sequences. The first one gets most."""
        decode_s = self._cost.estimate_s(features(load_of(decoding), NO_LOAD)) if decoding else 0.0
        pressure = len(prompts) / max(len(decoding), 1)
        backlog_s = sum(self.prefill_s(prompt) for prompt in prompts)
        return self._slice_tokens(decode_s, backlog_s, prompts[0].computed, pressure)

    def decode_s(self, sequences: int, depth: float) -> float:
        """The seconds of a decode call of so many sequences, whose depths add up to `depth`."""
        return self._cost.estimate_s(features((1.0, sequences, depth), NO_LOAD))

    def prompt_s(self, tokens: float, depth: float) -> float:
        """The seconds of so many tokens of a prompt, alone, at this depth on average."""
        return tokens * self._token_s(depth)

    def slice_of(self, decode_s: float, left: float, depth: float, pressure: float) -> tuple[int, float]:
        """The tokens of the slice in a step, with `left` tokens of prompts to compute, and the seconds that it adds.

        `pressure`: the prompts for each running reply.
        """
        token_s = self._token_s(depth)
        tokens = self._slice_tokens(decode_s, left * token_s, depth, pressure)
        return tokens, self._call_s(decode_s) + tokens * token_s

    def _slice_tokens(self, decode_s: float, backlog_s: float, depth: float, pressure: float) -> int:
        if not decode_s:
            return max(MIN_IDLE_TOKENS, self._tokens_in(IDLE_STEP_S, depth, decode_s))
        backlog = PREFILL_SHARE * min(max(backlog_s / BACKLOG_S, 1.0), BACKLOG_FACTOR) * decode_s
        # Where more people wait for first words than read, a longer step helps more of them than it disturbs.
        crowd = min(PREFILL_SHARE * pressure * decode_s, IDLE_STEP_S)
        least = MIN_JOINED_TOKENS if self.joining.pays else MIN_PREFILL_TOKENS
        return max(least, self._tokens_in(max(backlog, crowd, SHORT_STEP_S - decode_s), depth, decode_s))

    def _tokens_in(self, seconds: float, depth: float, decode_s: float) -> int:
        return int((seconds - self._call_s(decode_s)) / self._token_s(depth))

    def _call_s(self, decode_s: float) -> float:
        """The seconds of a slice's own call; 0 where the replies' call computes it too."""
        return 0.0 if decode_s and self.joining.pays else self._cost.slope(CALL)

    def _token_s(self, depth: float) -> float:
        return max(self._cost.slope(PROMPT) + depth * self._cost.slope(PROMPT_DEPTH), 1e-9)


def features(decoding: Load, prompts: Load) -> tuple[float, ...]:
    """The features of one call."""
    return max(decoding[0], prompts[0]), *decoding[1:], *prompts[1:]
