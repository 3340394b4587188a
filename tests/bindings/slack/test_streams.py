"""Slack's rate limits."""

from __future__ import annotations

import pytest

from bindings.delivery.outlet import Throttled
from bindings.slack.streams import TokenBucket


def test_calls_stay_below_slacks_limit() -> None:
    """A minute has a fifth of its calls at once, and the others as tokens arrive."""
    now = [0.0]
    bucket = TokenBucket(50, lambda: now[0])
    taken = 0
    while now[0] < 60:
        try:
            bucket.take()
            taken += 1
        except Throttled as error:
            now[0] += (error.retry_after_s or 0.0) + 1e-6

    assert 58 <= taken <= 61


def test_a_refused_call_takes_no_token() -> None:
    """The error gives the time after which a call succeeds."""
    now = [0.0]
    bucket = TokenBucket(60, lambda: now[0])
    for _ in range(12):
        bucket.take()
    for _ in range(3):
        with pytest.raises(Throttled) as caught:
            bucket.take()
    now[0] += (caught.value.retry_after_s or 0) + 1e-6

    bucket.take()
