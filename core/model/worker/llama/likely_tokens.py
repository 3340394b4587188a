"""Finds the tokens with the largest logits without sorting a vocabulary. Knows no llama.cpp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GROUP_TOKENS = 128


def find_likely_tokens(logits: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Returns, in order, the ids of all tokens above some logit: at least `count`, or all that are possible.

    A logit of minus infinity is impossible. No ids: some logits are not numbers.

    The vocabulary is divided into groups. As many groups as are asked for have a largest logit that reaches the limit,
    so at least as many tokens reach it; hardly more do, because a group rarely holds two of the likeliest.
    """
    size = min(GROUP_TOKENS, len(logits) // (2 * count))
    if size < 2:
        return np.arange(len(logits))
    groups = len(logits) // size
    largest = logits[: size * groups].reshape(size, groups).max(axis=0)
    largest.partition(groups - count)
    limit = largest[groups - count]
    reaches = logits >= limit if limit > -np.inf else logits > -np.inf
    return reaches.nonzero()[0]
