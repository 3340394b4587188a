"""Intervals and the paired test, against values of textbooks and exact enumeration."""

from __future__ import annotations

import pytest

from core.evaluation.statistics import compare, estimate, exact_flips, paired_test, random_flips, sign_test


def test_wilson_s_interval_of_a_share() -> None:
    """8 of 10: 0.490 to 0.943 (Brown, Cai and DasGupta 2001); it stays within 0 and 1."""
    found = estimate([1.0] * 8 + [0.0] * 2)

    assert found is not None
    assert (found.mean, found.count) == (0.8, 10)
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    all_right = estimate([1.0] * 5)
    assert all_right is not None
    assert (all_right.high, all_right.low) == pytest.approx((1.0, 0.5655), abs=1e-4)


def test_the_interval_of_a_mean_contains_it() -> None:
    """The bootstrap of few values stays between them, and is the same each time."""
    values = [0.2, 0.4, 0.5, 0.9]
    found = estimate(values)

    assert found is not None
    assert min(values) <= found.low < found.mean < found.high <= max(values)
    assert found.mean == pytest.approx(0.5)
    assert estimate(values) == found
    assert estimate([]) is None


@pytest.mark.parametrize(("wins", "count", "p"), [(9, 10, 22 / 1024), (5, 10, 1.0), (0, 5, 2 / 32), (1, 1, 1.0)])
def test_the_sign_test_is_exact(wins: int, count: int, p: float) -> None:
    """Both tails of the binomial distribution with one half."""
    assert sign_test(wins, count) == pytest.approx(p)


def test_flips_of_signs() -> None:
    """Of three equal differences, two of the eight combinations are as large; random flips come close to exact ones."""
    assert exact_flips([0.5, 0.5, 0.5]) == 2 / 8
    values = [0.3, 0.1, 0.4, -0.2, 0.5, 0.2, 0.35, 0.15]
    assert random_flips(values) == pytest.approx(exact_flips(values), abs=0.02)


def test_a_comparison_counts_only_what_differs() -> None:
    """Equal answers say nothing about which subject is better."""
    same = compare([1.0, 0.0], [1.0, 0.0])
    assert same is not None
    assert (same.mean, same.p) == (0.0, 1.0)
    better = compare([1.0] * 9 + [0.0] + [1.0] * 5, [0.0] * 9 + [1.0] + [1.0] * 5)
    assert better is not None
    assert better.mean == pytest.approx(8 / 15)
    assert better.p == pytest.approx(22 / 1024)
    assert better.low > 0
    assert compare([], []) is None
    assert paired_test([0.0, 0.0]) == 1.0
