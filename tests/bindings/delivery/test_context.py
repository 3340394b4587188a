"""bindings.delivery.context and .health: when something may be done again, and when an operator is told."""

from __future__ import annotations

from structlog.testing import capture_logs

from bindings.delivery.context import TRACKED_CHANNELS, EditInterval, PlatformHealth, RateLimit, RetryPolicy
from bindings.delivery.outlet import Throttled, Unreachable


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_posts_are_paced_by_channel() -> None:
    """One channel's post holds up the next one there, and none elsewhere."""
    watch = Watch()
    pace = RateLimit(watch)
    pace.record_post("C1", 1.0)

    assert pace.next_post_at("C1") == 101.0
    assert pace.next_post_at("C2") <= watch.now_s


def test_channels_without_interval_are_not_remembered() -> None:
    """Nor is an answer that belongs to no channel."""
    pace = RateLimit(Watch())
    pace.record_post("C1", 0.0)
    pace.record_post("", 1.0)

    assert (pace.next_post_at("C1"), pace.next_post_at("")) == (0.0, 0.0)


def test_channels_that_are_free_again_are_forgotten() -> None:
    """Memory does not grow with all the channels that there ever were."""
    watch = Watch()
    pace = RateLimit(watch)
    for number in range(5 * TRACKED_CHANNELS):
        watch.now_s += 1.0
        pace.record_post(f"C{number}", 1.0)

    assert len(pace._cooldowns) <= TRACKED_CHANNELS


def test_edits_are_paced_by_answer() -> None:
    """From one to the next."""
    watch = Watch()
    pace = EditInterval(watch)
    assert 0.0 == pace.next_edit_at(1.5)
    pace.record_edit()

    assert (101.5, 103.0) == (pace.next_edit_at(1.5), pace.next_edit_at(3.0))


def test_backoff_doubles_up_to_a_limit() -> None:
    """However many failures there were."""
    patience = RetryPolicy(first_s=1.0, limit_s=30.0)

    assert 1.0 <= patience.pause_s(1) <= 1.25
    assert 4.0 <= patience.pause_s(3) <= 5.0
    assert 30.0 <= patience.pause_s(10_000) <= 37.5


def test_an_outage_is_told_once_and_its_end_once() -> None:
    """However many calls failed meanwhile."""
    watch = Watch()
    health = PlatformHealth(failures=3, grace_s=5.0, clock=watch)
    with capture_logs() as logs:
        for _ in range(100):
            health.record_failure(Unreachable("connection refused"))
            watch.now_s += 1.0
        assert health.failing
        health.record_success()
        health.record_success()

    assert ["platform_failed", "platform_recovered"] == [line["event"] for line in logs]
    assert (logs[0]["code"], logs[1]["after_s"]) == ("Unreachable", 100)
    assert not health.failing


def test_failures_among_successes_are_nothing_to_tell() -> None:
    """Nor are many at one moment."""
    watch = Watch()
    health = PlatformHealth(failures=3, grace_s=5.0, clock=watch)
    with capture_logs() as logs:
        for _ in range(50):
            health.record_failure(Throttled("too many", retry_after_s=1.0))
        health.record_success()
        for _ in range(50):
            watch.now_s += 10.0
            health.record_failure(Unreachable("503"))
            health.record_success()

    assert [] == logs
