"""What Slack allows of one kind of call."""

from __future__ import annotations

import pytest

from bindings.delivery.outlet import Throttled
from bindings.slack.streams import TokenBucket


def test_more_than_slack_allows_is_not_asked() -> None:
    """In a minute, from rest: a fifth at once, and then as they come in."""
    now = [0.0]
    budget = TokenBucket(50, lambda: now[0])
    spent = 0
    while now[0] < 60:
        try:
            budget.take()
            spent += 1
        except Throttled as error:
            now[0] += (error.retry_after_s or 0.0) + 1e-6

    assert 58 <= spent <= 61


def test_what_is_refused_costs_nothing() -> None:
    """And says when to come back: then it is granted."""
    now = [0.0]
    budget = TokenBucket(60, lambda: now[0])
    for _ in range(12):
        budget.take()
    for _ in range(3):
        with pytest.raises(Throttled) as caught:
            budget.take()
    now[0] += (caught.value.retry_after_s or 0) + 1e-6

    budget.take()
