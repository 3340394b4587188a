"""bindings.delivery.pace and .health: when something may be done again, and when an operator is told."""

from __future__ import annotations

from structlog.testing import capture_logs

from bindings.delivery.health import Health
from bindings.delivery.manner import Patience
from bindings.delivery.outlet import Throttled, Unreachable
from bindings.delivery.pace import CHANNELS_IN_VIEW, EditPace, Pace


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_posts_are_paced_by_channel() -> None:
    """One channel's post holds up the next one there, and none elsewhere."""
    watch = Watch()
    pace = Pace(watch)
    pace.posting("C1", 1.0)

    assert pace.post_at("C1") == 101.0
    assert pace.post_at("C2") <= watch.now_s


def test_channels_without_interval_are_not_remembered() -> None:
    """Nor is an answer that belongs to no channel."""
    pace = Pace(Watch())
    pace.posting("C1", 0.0)
    pace.posting("", 1.0)

    assert (pace.post_at("C1"), pace.post_at("")) == (0.0, 0.0)


def test_channels_that_are_free_again_are_forgotten() -> None:
    """Memory does not grow with all the channels that there ever were."""
    watch = Watch()
    pace = Pace(watch)
    for number in range(5 * CHANNELS_IN_VIEW):
        watch.now_s += 1.0
        pace.posting(f"C{number}", 1.0)

    assert len(pace._free_at) <= CHANNELS_IN_VIEW


def test_edits_are_paced_by_answer() -> None:
    """From one to the next."""
    watch = Watch()
    pace = EditPace(watch)
    assert 0.0 == pace.edit_at(1.5)
    pace.editing()

    assert (101.5, 103.0) == (pace.edit_at(1.5), pace.edit_at(3.0))


def test_backoff_doubles_up_to_a_limit() -> None:
    """However many failures there were."""
    patience = Patience(first_s=1.0, limit_s=30.0)

    assert 1.0 <= patience.pause_s(1) <= 1.25
    assert 4.0 <= patience.pause_s(3) <= 5.0
    assert 30.0 <= patience.pause_s(10_000) <= 37.5


def test_an_outage_is_told_once_and_its_end_once() -> None:
    """However many calls failed meanwhile."""
    watch = Watch()
    health = Health(failures=3, grace_s=5.0, clock=watch)
    with capture_logs() as logs:
        for _ in range(100):
            health.failed(Unreachable("connection refused"))
            watch.now_s += 1.0
        assert health.failing
        health.worked()
        health.worked()

    assert ["platform_failing", "platform_works_again"] == [line["event"] for line in logs]
    assert (logs[0]["code"], logs[1]["after_s"]) == ("Unreachable", 100)
    assert not health.failing


def test_failures_among_successes_are_nothing_to_tell() -> None:
    """Nor are many at one moment."""
    watch = Watch()
    health = Health(failures=3, grace_s=5.0, clock=watch)
    with capture_logs() as logs:
        for _ in range(50):
            health.failed(Throttled("too many", retry_after_s=1.0))
        health.worked()
        for _ in range(50):
            watch.now_s += 10.0
            health.failed(Unreachable("503"))
            health.worked()

    assert [] == logs
