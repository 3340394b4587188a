"""Figures: the time to first text from counts in buckets, rates and costs."""

from __future__ import annotations

import pytest

from core.statistics.figures import BUCKETS_S, Price, Sums, bucket_of, quantile


def test_a_quantile_lies_in_the_bucket_of_its_answer() -> None:
    """Within a bucket the times are taken as evenly spread."""
    counts = {bucket_of(0.15): 10, bucket_of(0.9): 10}

    assert quantile(counts, 0.5) == pytest.approx(0.2)
    assert quantile(counts, 0.25) == pytest.approx(0.15)
    assert quantile(counts, 0.95) == pytest.approx(0.975)
    assert quantile({}, 0.5) is None


def test_times_beyond_the_last_bucket_count_as_its_beginning() -> None:
    assert quantile({bucket_of(10_000): 3}, 0.5) == BUCKETS_S[-1]


def test_rates_without_answers_are_unknown() -> None:
    """No figure divides by zero."""
    assert (Sums().tokens_per_s, Sums().cached_share) == (None, None)
    busy = Sums(answers=2, prompt_tokens=100, cached_tokens=75, answer_tokens=60, writing_s=3.0)
    assert (busy.tokens_per_s, busy.cached_share) == (20.0, 0.75)


def test_a_price_is_for_a_million_tokens() -> None:
    assert Sums(prompt_tokens=2_000_000, answer_tokens=500_000).cost(Price(0.5, 2.0)) == pytest.approx(2.0)
