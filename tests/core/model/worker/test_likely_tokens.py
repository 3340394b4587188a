"""Sampling from the likeliest tokens: the same tokens as from the whole vocabulary, without sorting it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.contract import Sampling
from core.model.worker.llama.likely_tokens import find_likely_tokens
from core.model.worker.llama.sampler import CandidateRule, TokenCandidates, make_sampler

STEPS = 24

samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([None, 0.0, 0.3, 1.0, 2.0]),
    top_p=st.sampled_from([None, 0.2, 0.9, 1.0]),
    top_k=st.sampled_from([None, 0, 1, 3, 40, 5000]),
    min_p=st.sampled_from([None, 0.0, 0.3]),
    repeat_penalty=st.sampled_from([None, 0.5, 1.0, 1.3, 4.0]),
    frequency_penalty=st.sampled_from([None, 0.7, 2.0, -1.0]),
    presence_penalty=st.sampled_from([None, 1.5, -0.5]),
)


def make_logits(rng: np.random.Generator, size: int, spread: float, possible: float) -> NDArray[np.float32]:
    """Returns logits that all differ. `possible`: the share of tokens that are not minus infinity, at least one."""
    logits = (spread * np.sort(rng.standard_normal(size))).astype(np.float32)
    logits = rng.permutation(logits + np.arange(size, dtype=np.float32) * 1e-3)
    logits[rng.random(size) > possible] = -np.inf
    logits[rng.integers(size)] = spread
    return logits


@settings(max_examples=150, deadline=None)
@given(
    sampling=samplings,
    seed=st.integers(0, 2**31),
    size=st.sampled_from([2, 41, 300, 5000]),
    spread=st.sampled_from([0.01, 1.0, 4.0, 30.0]),
    possible=st.sampled_from([0.002, 0.1, 1.0]),
)
@example(sampling=Sampling(repeat_penalty=4.0), seed=1, size=41, spread=30.0, possible=1.0)
@example(sampling=Sampling(top_k=1, frequency_penalty=2.0), seed=1, size=300, spread=0.01, possible=1.0)
def test_the_whole_vocabulary_gives_the_same_tokens(
    sampling: Sampling, seed: int, size: int, spread: float, possible: float
) -> None:
    """For each seed, setting and history; the penalties lower and raise what was chosen before."""
    rng = np.random.default_rng(seed)
    fast, plain = (make_sampler(sampling, seed, TokenCandidates(size)) for _ in range(2))
    plain._rule = CandidateRule(None)
    picked: list[tuple[int, int]] = []
    for _ in range(STEPS):
        logits = make_logits(rng, size, spread, possible)
        picked.append((fast.pick(logits), plain.pick(logits)))
        for chain in (fast, plain):
            chain.accept(picked[-1][1])
    fast.close()
    plain.close()

    assert [each for each, _ in picked] == [each for _, each in picked]


@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(1, 5000),
    count=st.sampled_from([1, 2, 40, 700, 6000]),
    seed=st.integers(0, 99),
    spread=st.sampled_from([0, 0.1, 9]),
)
def test_the_likeliest_tokens_are_found(size: int, count: int, seed: int, spread: float) -> None:
    """For any vocabulary, with equal logits too: no token that is left out is likelier."""
    logits = (spread * np.random.default_rng(seed).standard_normal(size)).round(1).astype(np.float32)
    ids = find_likely_tokens(logits, count)
    others = np.setdiff1d(np.arange(size), ids)

    assert len(ids) >= min(count, size)
    assert (np.diff(ids) > 0).all()
    assert not len(others) or logits[others].max() < logits[ids].min()


@pytest.mark.parametrize("count", [1, 40, 200])
def test_hardly_more_tokens_are_found(count: int) -> None:
    """Of a vocabulary of 50,000, at most half more than are asked for."""
    logits = np.random.default_rng(1).standard_normal(50_000).astype(np.float32)

    assert count <= len(find_likely_tokens(logits, count)) <= count + max(2, count // 2)


def test_impossible_tokens_are_left_out() -> None:
    """A grammar leaves only some tokens possible, fewer than are asked for."""
    logits = np.full(5000, -np.inf, np.float32)
    logits[[7, 4999]] = 1.0, -20.0

    assert find_likely_tokens(logits, 40).tolist() == [7, 4999]


@pytest.mark.parametrize("logit", [np.nan, -np.inf])
def test_logits_without_a_number_give_some_token(logit: float) -> None:
    """A broken model computes such logits; the process must live on."""
    candidates = TokenCandidates(100)
    chain = make_sampler(Sampling(), 1, candidates)
    token = chain.pick(np.full(100, logit, np.float32))
    chain.close()

    assert 0 <= token < 100


def test_the_rule_knows_every_setting() -> None:
    """A setting of sampling that is added later must be weighed in `candidate_rule`."""
    known = {"temperature", "top_p", "top_k", "min_p", "repeat_penalty", "frequency_penalty", "presence_penalty"}
    others = {"max_tokens", "seed", "stop"}

    assert {field.name for field in dataclasses.fields(Sampling)} == known | others
