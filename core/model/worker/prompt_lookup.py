"""Predicts the next tokens of one sequence from an earlier place in its own text where the last ones stand.

This is prompt lookup decoding (Saxena, 2023): an answer that quotes its prompt goes on as the prompt does. Knows no
model and no KV cache.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FEWEST_EQUAL_TOKENS = 2  # that must stand at both places
MOST_EQUAL_TOKENS = 32  # that are counted at a place found anew
MOST_PLACES = 8  # that are compared, the latest ones
MOST_TOKENS = 16_384  # of a text's end that are searched: 10 µs


class PromptLookup:
    """Follows one text. `equal` is the number of last tokens that also stand before the predicted ones."""

    def __init__(self, prompt: NDArray[np.int32]) -> None:
        prompt = prompt[-MOST_TOKENS:]
        self._tokens = np.empty(len(prompt) + 256, np.int32)
        self._tokens[: len(prompt)] = prompt
        self._length = len(prompt)
        self._place = 0  # of the token that is predicted next
        self.equal = 0

    def add(self, tokens: Sequence[int]) -> None:
        """Takes note of the text's next tokens."""
        for token in tokens:
            hit = self.equal > 0 and self._tokens[self._place] == token
            self._append(token)
            self._place, self.equal = (self._place + 1, self.equal + 1) if hit else (0, 0)
        if not self.equal and tokens:
            self._find()

    def predict(self, count: int) -> list[int]:
        """Returns at most `count` tokens: those that follow the earlier place."""
        if not self.equal:
            return []
        predicted: list[int] = self._tokens[self._place : min(self._place + count, self._length)].tolist()
        return predicted

    def _append(self, token: int) -> None:
        if self._length == len(self._tokens):
            self._tokens = np.concatenate([self._tokens, np.empty_like(self._tokens)])
        self._tokens[self._length] = token
        self._length += 1

    def _find(self) -> None:
        """Finds the place before which most of the last tokens stand; of several such places, the latest one."""
        start = max(0, self._length - MOST_TOKENS)
        text = self._tokens[start : self._length]
        if len(text) <= FEWEST_EQUAL_TOKENS:
            return
        pairs = np.flatnonzero((text[1:-1] == text[-1]) & (text[:-2] == text[-2]))
        for pair in pairs[: -MOST_PLACES - 1 : -1]:
            place = int(pair) + 2
            equal = count_equal_ends(text[:place], text)
            if equal > self.equal:
                self._place, self.equal = start + place, equal


def count_equal_ends(a: NDArray[np.int32], b: NDArray[np.int32]) -> int:
    """Returns the number of tokens with which both end, up to MOST_EQUAL_TOKENS."""
    count = min(len(a), len(b), MOST_EQUAL_TOKENS)
    different = np.flatnonzero(a[len(a) - count :] != b[len(b) - count :])
    return count - 1 - int(different[-1]) if len(different) else count
