"""bindings.delivery.context: rate limits, backoff, and log lines about the platform's health."""

from __future__ import annotations

from structlog.testing import capture_logs

from bindings.delivery.context import TRACKED_CHANNELS, EditInterval, PlatformHealth, RateLimit, RetryPolicy
from bindings.delivery.outlet import Throttled, Unreachable


class Watch:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_posts_are_spaced_by_channel() -> None:
    """A post delays the next one in its channel, and none elsewhere."""
    watch = Watch()
    pace = RateLimit(watch)
    pace.record_post("C1", 1.0)

    assert pace.next_post_at("C1") == 101.0
    assert pace.next_post_at("C2") <= watch.now_s


def test_channels_without_an_interval_are_not_tracked() -> None:
    """Neither is an answer without a channel."""
    pace = RateLimit(Watch())
    pace.record_post("C1", 0.0)
    pace.record_post("", 1.0)

    assert (pace.next_post_at("C1"), pace.next_post_at("")) == (0.0, 0.0)


def test_free_channels_are_dropped_from_memory() -> None:
    """Memory does not grow with the number of channels over time."""
    watch = Watch()
    pace = RateLimit(watch)
    for number in range(5 * TRACKED_CHANNELS):
        watch.now_s += 1.0
        pace.record_post(f"C{number}", 1.0)

    assert len(pace._cooldowns) <= TRACKED_CHANNELS


def test_edits_of_an_answer_are_spaced() -> None:
    watch = Watch()
    pace = EditInterval(watch)
    assert 0.0 == pace.next_edit_at(1.5)
    pace.record_edit()

    assert (101.5, 103.0) == (pace.next_edit_at(1.5), pace.next_edit_at(3.0))


def test_backoff_doubles_up_to_a_limit() -> None:
    """The limit holds for any number of failures."""
    patience = RetryPolicy(first_s=1.0, limit_s=30.0)

    assert 1.0 <= patience.pause_s(1) <= 1.25
    assert 4.0 <= patience.pause_s(3) <= 5.0
    assert 30.0 <= patience.pause_s(10_000) <= 37.5


def test_an_outage_logs_one_line_at_its_start_and_one_at_its_end() -> None:
    """The number of failed calls does not matter."""
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


def test_failures_between_successes_are_not_logged() -> None:
    """Neither are many failures at one moment."""
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
