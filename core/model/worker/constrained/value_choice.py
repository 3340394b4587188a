"""Chooses one of a few values by the likelihood of each as a whole.

Token by token, a value wins because its first token is likely, even if the model would hardly go on as it must. Here
each value's log probability is the sum over its tokens. A value that is the beginning of another one also needs the
probability that it ends there. Knows no grammar and no KV cache: `continuation_scoring` computes what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.model.worker.sequence import PickToken

UNLIKELY = 10.0  # nats below the likeliest first token: such a value is not computed
COMPUTED_TOKENS = 192  # of all values together; where more are missing, only the first tokens decide


@dataclass(slots=True)
class Candidate:
    """One value: its tokens, and the sum of their log probabilities so far. `open`: it does not end by itself."""

    tokens: list[int]
    open: bool
    score: float

    @property
    def missing(self) -> list[int]:
        """The tokens after each of which a probability is still needed."""
        return self.tokens if self.open else self.tokens[:-1]


class ValueChoice:
    """A choice among values, before and after what is missing was computed.

    `ends`: the tokens, as a mask of shape (vocabulary,), that can follow a complete value.
    """

    def __init__(
        self, values: Sequence[tuple[list[int], bool]], logits: NDArray[np.float32], ends: NDArray[np.bool_]
    ) -> None:
        first = log_probabilities(logits, [tokens[0] for tokens, _open in values])
        self._vocabulary = len(logits)
        self._ends = ends
        self._candidates = [
            Candidate(tokens, open_, float(score))
            for (tokens, open_), score in zip(values, first, strict=True)
            if score > first.max() - UNLIKELY
        ]

    @property
    def continuations(self) -> list[list[int]]:
        """The token sequences to compute, one for each candidate that needs one; none if they would be too many."""
        missing = [candidate.missing for candidate in self._candidates]
        return [] if len(missing) == 1 or sum(map(len, missing)) > COMPUTED_TOKENS else [m for m in missing if m]

    def add(self, logits: Sequence[Sequence[NDArray[np.float32]]]) -> None:
        """Adds the logits after each token of each of `continuations`."""
        needy = [candidate for candidate in self._candidates if candidate.missing]
        for candidate, rows in zip(needy, logits, strict=True):
            for token, row in zip(candidate.tokens[1:], rows, strict=False):
                candidate.score += float(log_probabilities(row, [token])[0])
            if candidate.open:
                candidate.score += log_mass(rows[-1], self._ends)

    def pick(self, pick: PickToken) -> tuple[list[int], bool]:
        """Returns the tokens of the chosen value, and whether it is open.

        The sequence's own sampler chooses, with its temperature and seed: the last tokens of the vocabulary, which no
        text contains, stand for the candidates.
        """
        logits = np.full(self._vocabulary, -np.inf, np.float32)
        first = self._vocabulary - len(self._candidates)
        logits[first:] = [candidate.score for candidate in self._candidates]
        chosen = self._candidates[pick(logits) - first]
        return chosen.tokens, chosen.open


def log_probabilities(logits: NDArray[np.float32], tokens: Sequence[int]) -> NDArray[np.float32]:
    """Returns the natural logarithms of these tokens' probabilities."""
    most = logits.max()
    result: NDArray[np.float32] = logits[list(tokens)] - most - np.log(np.exp(logits - most).sum())
    return result


def log_mass(logits: NDArray[np.float32], tokens: NDArray[np.bool_]) -> float:
    """Returns the logarithm of the probability of all tokens in a mask together."""
    weights = np.exp(logits - logits.max())
    return float(np.log(max(weights[tokens].sum() / weights.sum(), 1e-30)))
