"""Values chosen by the likelihood of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.model.worker.constrained.value_choice import UNLIKELY, ValueChoice, log_mass, log_probabilities

SIZE = 20
ENDS = np.arange(SIZE) == 9


def logits(**weights: float) -> NDArray[np.float32]:
    """Log probabilities by token, such as t3=0.5; the rest is shared by the other tokens."""
    chances = np.full(SIZE, (1 - sum(weights.values())) / (SIZE - len(weights)), np.float32)
    for name, chance in weights.items():
        chances[int(name[1:])] = chance
    return np.log(chances)


def most_likely(scores: NDArray[np.float32]) -> int:
    return int(scores.argmax())


def test_a_likely_first_token_does_not_decide() -> None:
    """0.6 × 0.1 is less than 0.3 × 0.9."""
    choice = ValueChoice([([1, 2], False), ([3, 4], False)], logits(t1=0.6, t3=0.3), ENDS)
    assert choice.continuations == [[1], [3]]
    choice.add([[logits(t2=0.1)], [logits(t4=0.9)]])

    assert choice.pick(most_likely) == ([3, 4], False)


def test_without_what_is_missing_the_first_tokens_decide() -> None:
    choice = ValueChoice([([1, 2], False), ([3, 4], False)], logits(t1=0.6, t3=0.3), ENDS)

    assert choice.pick(most_likely) == ([1, 2], False)


def test_single_tokens_need_nothing_more() -> None:
    choice = ValueChoice([([1], False), ([3], False)], logits(t1=0.3, t3=0.6), ENDS)

    assert choice.continuations == []
    assert choice.pick(most_likely) == ([3], False)


def test_a_value_that_begins_another_must_be_likely_to_end() -> None:
    """5 of 50: after 5, the model writes a zero."""
    choice = ValueChoice([([1], True), ([1, 2], False)], logits(t1=0.9), ENDS)
    assert choice.continuations == [[1], [1]]
    rows = logits(t2=0.8, t9=0.1)
    choice.add([[rows], [rows]])

    assert choice.pick(most_likely) == ([1, 2], False)


def test_hopeless_values_are_not_computed() -> None:
    """Nor anything, if one value remains."""
    first = logits(t1=0.5, t3=0.4)
    first[5] = first[1] - UNLIKELY - 1
    three = ValueChoice([([1, 2], False), ([3, 4], False), ([5, 6], False)], first, ENDS)
    one = ValueChoice([([1, 2], False), ([5, 6], False)], first, ENDS)

    assert three.continuations == [[1], [3]]
    assert one.continuations == []


def test_the_sampler_sees_the_values_probabilities() -> None:
    """Its temperature, seed and filters apply as to tokens."""
    seen: list[NDArray[np.float32]] = []

    def second(scores: NDArray[np.float32]) -> int:
        seen.append(scores)
        return int(scores.argsort()[-2])

    choice = ValueChoice([([1, 2], False), ([3], False)], logits(t1=0.5, t3=0.2), ENDS)
    choice.add([[logits(t2=0.8)]])

    assert choice.pick(second) == ([3], False)
    possible = np.exp(seen[0][np.isfinite(seen[0])])
    assert possible == pytest.approx([0.4, 0.2], rel=1e-4)


def test_more_tokens_than_a_batch_should_hold_are_not_computed() -> None:
    """Then the first tokens decide."""
    long = [2] * 120
    choice = ValueChoice([([1, *long], False), ([3, *long], False)], logits(t1=0.4, t3=0.5), ENDS)

    assert choice.continuations == []
    assert choice.pick(most_likely) == ([3, *long], False)


def test_probabilities_are_those_of_softmax() -> None:
    rows = np.array([1.0, 2.0, 3.0], np.float32)
    mask = np.array([True, True, False])

    assert log_probabilities(rows, [0, 2]) == pytest.approx([-2.4076, -0.4076], abs=1e-4)
    assert log_mass(rows, mask) == pytest.approx(np.log(1 - np.exp(-0.4076)), abs=1e-3)
