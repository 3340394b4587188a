"""Penalties for tokens that the answer has already."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from core.contract import Sampling
from core.model.worker.llama.sampler import PENALTY_WINDOW_TOKENS, SamplerChain, TokenCandidates, make_sampler

LOGITS = np.array([3.0, 2.0, 1.0, 0.0], dtype=np.float32)
OFTEN = PENALTY_WINDOW_TOKENS + 1


@pytest.fixture
def chains() -> Iterator[list[SamplerChain]]:
    made: list[SamplerChain] = []
    yield made
    for each in made:
        each.close()


def likeliest(chains: list[SamplerChain], sampling: Sampling, *accepted: int) -> int:
    """The most likely token after these."""
    chain = make_sampler(sampling, 0, TokenCandidates(len(LOGITS)))
    chains.append(chain)
    for token in accepted:
        chain.accept(token)
    return chain.pick(LOGITS)


@pytest.mark.parametrize(
    ("fields", "accepted", "token"),
    [
        ({}, (0, 0, 0), 0),
        ({"presence_penalty": 0.9}, (0, 0, 0), 0),  # once for a token, however often it stands there
        ({"presence_penalty": 1.5}, (0,), 1),
        ({"presence_penalty": 2.0}, (0, 1), 0),  # both lose the same
        ({"frequency_penalty": 0.4}, (0, 0), 0),
        ({"frequency_penalty": 0.4}, (0, 0, 0), 1),
        ({"frequency_penalty": -1.0}, (1, 1), 1),  # a negative one invites repetition
        ({"frequency_penalty": 0.4}, (0, 0, 0, *[3] * OFTEN), 1),  # it counts in the whole answer
        ({"frequency_penalty": 0.4, "repeat_penalty": 1.0}, (0, 0, 0), 1),
    ],
)
def test_penalties(chains: list[SamplerChain], fields: dict[str, float], accepted: tuple[int, ...], token: int) -> None:
    """`presence_penalty` counts once, `frequency_penalty` each time."""
    assert likeliest(chains, Sampling(temperature=0, **fields), *accepted) == token  # type: ignore[arg-type]
