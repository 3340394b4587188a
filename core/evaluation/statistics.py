"""Means with their confidence intervals, and the paired test of a difference. Pure.

Wilson's interval for shares (E. B. Wilson, 1927), the bootstrap's percentiles for other means, and for a difference
the exact binomial test of the sign (McNemar's, for answers that are right or wrong) or random flips of the signs
(R. A. Fisher's randomization test). The random numbers have a fixed seed: a report can be made again.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
Z = 1.959963984540054  # of the normal distribution, for 95 %
RESAMPLES = 2000
FLIPS = 10_000
EXACT_FLIPS_LIMIT = 13  # of so many differences, all combinations of signs are fewer than FLIPS
SEED = 20_240_601


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean of `count` values, with its 95 % interval."""

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """The first subject's mean less the second's, over the questions that both were measured on.

    `p`: the probability of a difference as large as this one, in either direction, if there is none.
    """

    mean: float
    low: float
    high: float
    count: int
    p: float


def estimate(values: Sequence[float]) -> Estimate | None:
    """None for no values."""
    if not values:
        return None
    mean = math.fsum(values) / len(values)
    low, high = wilson(mean, len(values)) if are_binary(values) else bootstrap(values)
    return Estimate(mean, low, high, len(values))


def compare(first: Sequence[float], second: Sequence[float]) -> Difference | None:
    """The values of both for the same questions, in the same order. None for no values."""
    differences = [a - b for a, b in zip(first, second, strict=True)]
    if not differences:
        return None
    mean = math.fsum(differences) / len(differences)
    low, high = bootstrap(differences)
    return Difference(mean, low, high, len(differences), paired_test(differences))


def are_binary(values: Sequence[float]) -> bool:
    return all(value in (0.0, 1.0) for value in values)


def wilson(share: float, count: int) -> tuple[float, float]:
    spread = Z * Z / count
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95 % of the means of resamples."""
    chance, count = random.Random(SEED), len(values)  # noqa: S311 - statistics
    means = sorted(math.fsum(chance.choices(values, k=count)) / count for _ in range(RESAMPLES))
    cut = round((1 - CONFIDENCE) / 2 * RESAMPLES)
    return means[cut], means[RESAMPLES - 1 - cut]


def paired_test(differences: Sequence[float]) -> float:
    """Questions without a difference say nothing about its direction, and are left out."""
    moved = [each for each in differences if each]
    if not moved:
        return 1.0
    if all(abs(each) == 1.0 for each in moved):
        return sign_test(sum(each > 0 for each in moved), len(moved))
    if len(moved) <= EXACT_FLIPS_LIMIT:
        return exact_flips(moved)
    return random_flips(moved)


def sign_test(wins: int, count: int) -> float:
    """The exact binomial test, both sides."""
    rarer = min(wins, count - wins)
    tail = sum(math.comb(count, each) for each in range(rarer + 1)) / float(2**count)
    return min(1.0, 2.0 * tail)


def exact_flips(moved: Sequence[float]) -> float:
    observed, sums = abs(math.fsum(moved)), [0.0]
    for each in moved:
        sums = [total + sign * each for total in sums for sign in (1, -1)]
    return sum(is_as_large(total, observed) for total in sums) / len(sums)


def random_flips(moved: Sequence[float]) -> float:
    chance, observed = random.Random(SEED), abs(math.fsum(moved))  # noqa: S311 - statistics
    flip: Callable[[float], float] = lambda value: value if chance.getrandbits(1) else -value  # noqa: E731
    larger = sum(is_as_large(math.fsum(map(flip, moved)), observed) for _ in range(FLIPS))
    return (larger + 1) / (FLIPS + 1)


def is_as_large(total: float, observed: float) -> bool:
    return abs(total) >= observed - 1e-12
