"""Events of a key are limited within any period of time."""

from __future__ import annotations

from core.runtime.rate_limit import RateLimit


def test_a_key_has_its_number_of_events_in_any_period() -> None:
    """Another key has its own. The returned time is exactly as long as it takes."""
    now = [0.0]
    limit = RateLimit(2, 60, lambda: now[0])

    assert [limit.take("a"), limit.take("b")] == [0, 0]
    now[0] = 10
    assert [limit.take("a"), limit.take("a"), limit.take("b")] == [0, 50, 0]
    now[0] = 59
    assert limit.take("a") == 1
    now[0] = 60
    assert [limit.take("a"), limit.take("a")] == [0, 10]


def test_keys_without_events_are_forgotten() -> None:
    """A client that changes its address cannot fill the memory."""
    now = [0.0]
    limit = RateLimit(1, 60, lambda: now[0])
    for number in range(100):
        limit.take(str(number))
    now[0] = 60
    limit.take("last")

    assert list(limit._events) == ["last"]
