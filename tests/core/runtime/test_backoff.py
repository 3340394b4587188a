"""The pauses between attempts."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from core.runtime.backoff import NO_JITTER, Backoff, parse_retry_after


def test_pauses_double_up_to_the_limit() -> None:
    """The first pause is `first_s`; after many failures the pause is `limit_s`."""
    backoff = Backoff(0.5, 3.0, NO_JITTER)
    assert list(islice(backoff.pauses(), 5)) == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert backoff.pause_s(100_000) == 3.0


def test_no_failure_needs_no_pause() -> None:
    """A caller may count from the second failure."""
    assert Backoff(0.5, 3.0).pause_s(0) == Backoff(0.5, 3.0).pause_s(-1) == 0.0


def test_jitter_spreads_the_pauses() -> None:
    """Each pause lies in the range, and they differ."""
    pauses = [Backoff(4.0, 4.0, (0.5, 1.0)).pause_s(1) for _ in range(50)]
    assert all(2.0 <= pause <= 4.0 for pause in pauses)
    assert len(set(pauses)) > 1


def test_a_pause_is_not_shorter_than_the_server_asks() -> None:
    """Retry-After may exceed the limit; a shorter one changes nothing."""
    backoff = Backoff(1.0, 8.0, NO_JITTER)
    assert backoff.pause_s(1, at_least_s=60.0) == 60.0
    assert backoff.pause_s(3, at_least_s=2.0) == 4.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (0.25, 0.25),
        ("-1", 0.0),
        ("1e9", 60.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 5.0),
        (None, 5.0),
        ("nan", 5.0),
        ("inf", 5.0),
        ({}, 5.0),
    ],
)
def test_retry_after(value: Any, seconds: float) -> None:
    """Seconds are limited; anything else gives the default."""
    assert parse_retry_after(value, default_s=5.0, limit_s=60.0) == seconds
