"""Samples tokens from logits with llama.cpp's samplers."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray

from core.contract import Sampling
from core.errors import ModelError
from core.model.worker.llama.likely_tokens import find_likely_tokens

SEED_MASK = 0xFFFFFFFF  # llama.cpp's seeds have 32 bits
PENALTY_WINDOW_TOKENS = 64
ANSWER_WINDOW_TOKENS = 4096  # OpenAI's penalties are for the whole answer
DEFAULT_TEMPERATURE = 0.8
DEFAULT_TOP_K = 40  # a chain without top-k sorts the whole vocabulary: 4.4 ms a token instead of 0.1


class TokenCandidates:
    """The array on which all samplers of a context work, as large as the vocabulary."""

    def __init__(self, n_vocab: int) -> None:
        self.size = n_vocab
        data = np.zeros(n_vocab, np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)]))
        self._ids, self._logits = data["id"], data["logit"]
        self._array = llama.llama_token_data_array(
            data=ctypes.cast(data.ctypes.data, llama.llama_token_data_p), size=n_vocab, selected=-1, sorted=False
        )

    def choose(self, chain: Any, logits: NDArray[np.float32], likeliest: int) -> int:
        """Applies the chain to the `likeliest` tokens and a few more."""
        ids = find_likely_tokens(logits, likeliest)
        if not len(ids):  # a broken model: llama.cpp takes any token
            ids = np.arange(self.size)
        self._ids[: len(ids)] = ids
        self._logits[: len(ids)] = logits[ids]
        self._array.size = len(ids)
        self._array.selected = -1
        self._array.sorted = False
        llama.llama_sampler_apply(chain, ctypes.byref(self._array))
        return int(self._ids[self._array.selected])


@dataclass(frozen=True, slots=True)
class CandidateRule:
    """The tokens that a chain needs to see so that it chooses as if it saw the whole vocabulary.

    `top_k`: it keeps that many of the likeliest; None: it looks at all. `penalty_window`: it makes tokens less likely,
    at most those of the last so many.
    """

    top_k: int | None
    penalty_window: int = 0

    @property
    def has_history(self) -> bool:
        """True if the chain's choice may depend on the tokens before."""
        return self.top_k is None or self.penalty_window > 0

    def likeliest(self, accepted: int, n_vocab: int) -> int:
        """Returns how many of the likeliest tokens, before penalties, are sure to include the `top_k` after them."""
        return n_vocab if self.top_k is None else self.top_k + min(accepted, self.penalty_window)


class SamplerChain:
    """Samples tokens for one sequence, with its own settings, seed and history.

    Picking and accepting are separate steps, so that a constraint can reject a token before it enters the history.
    """

    def __init__(self, chain: Any, candidates: TokenCandidates, rule: CandidateRule) -> None:
        self._chain = chain
        self._candidates = candidates
        self._rule = rule
        self._accepted = 0

    def pick(self, logits: NDArray[np.float32]) -> int:
        """Samples a token from these logits. Only `accept` changes the history."""
        likeliest = self._rule.likeliest(self._accepted, self._candidates.size)
        return self._candidates.choose(self._chain, logits, likeliest)

    def accept(self, token: int) -> None:
        if self._rule.has_history:
            llama.llama_sampler_accept(self._chain, token)
        self._accepted += 1

    def close(self) -> None:
        if self._chain is not None:
            llama.llama_sampler_free(self._chain)
            self._chain = None


def make_sampler(sampling: Sampling, seed: int, candidates: TokenCandidates) -> SamplerChain:
    """Builds a sampler chain: penalties, then cheap filters before costly ones, then a selector."""
    parameters = llama.llama_sampler_chain_default_params()
    parameters.no_perf = True
    chain = llama.llama_sampler_chain_init(parameters)
    for stage in make_stages(sampling, seed, candidates.size):
        if not stage:
            llama.llama_sampler_free(chain)
            raise ModelError("llama.cpp refused a sampler")
        llama.llama_sampler_chain_add(chain, stage)
    return SamplerChain(chain, candidates, candidate_rule(sampling))


def candidate_rule(sampling: Sampling) -> CandidateRule:
    """Returns the rule for the chain that `make_stages` builds."""
    repeat = 1.0 if sampling.repeat_penalty is None else sampling.repeat_penalty
    frequency, presence = sampling.frequency_penalty or 0.0, sampling.presence_penalty or 0.0
    top_k = 1 if chosen_temperature(sampling) <= 0 else chosen_top_k(sampling)
    if top_k <= 0 or repeat < 1 or frequency < 0 or presence < 0:  # unlikely tokens may become likely
        return CandidateRule(None)
    window = ANSWER_WINDOW_TOKENS if frequency or presence else PENALTY_WINDOW_TOKENS if repeat > 1 else 0
    return CandidateRule(top_k, window)


def chosen_temperature(sampling: Sampling) -> float:
    return DEFAULT_TEMPERATURE if sampling.temperature is None else sampling.temperature


def chosen_top_k(sampling: Sampling) -> int:
    return DEFAULT_TOP_K if sampling.top_k is None else sampling.top_k


def make_stages(sampling: Sampling, seed: int, n_vocab: int) -> list[Any]:
    """Builds the samplers of a chain in order; the last one selects a token."""
    chain: list[Any] = []
    if sampling.repeat_penalty not in (None, 1.0):
        repeat = sampling.repeat_penalty
        chain.append(llama.llama_sampler_init_penalties(n_vocab, PENALTY_WINDOW_TOKENS, repeat, 0.0, 0.0))
    frequency, presence = sampling.frequency_penalty or 0.0, sampling.presence_penalty or 0.0
    if frequency or presence:
        chain.append(llama.llama_sampler_init_penalties(n_vocab, ANSWER_WINDOW_TOKENS, 1.0, frequency, presence))
    temperature = chosen_temperature(sampling)
    if temperature <= 0:
        return [*chain, llama.llama_sampler_init_greedy()]
    chain.append(llama.llama_sampler_init_top_k(chosen_top_k(sampling)))
    chain.append(llama.llama_sampler_init_top_p(0.95 if sampling.top_p is None else sampling.top_p, 1))
    chain.append(llama.llama_sampler_init_min_p(0.05 if sampling.min_p is None else sampling.min_p, 1))
    chain.append(llama.llama_sampler_init_temp(temperature))
    chain.append(llama.llama_sampler_init_dist(seed & SEED_MASK))
    return chain
