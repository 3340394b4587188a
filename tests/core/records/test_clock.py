"""Which advances of the clock are believed."""

from __future__ import annotations

import pytest

from core.records.clock import ClockReading, find_leap_s, read_clock

DAY_S = 86_400.0
NOON = ClockReading(1_000_000_000.0, 5_000.0, "boot-1")


def later(wall_days: float, uptime_days: float, boot: str = "boot-1") -> ClockReading:
    return ClockReading(NOON.wall_s + wall_days * DAY_S, NOON.uptime_s + uptime_days * DAY_S, boot)


@pytest.mark.parametrize(
    "now",
    [
        later(0.01, 0.01),
        later(40, 40),  # suspended, or idle: the uptime went along
        later(0.04, 0.001),  # a correction of less than an hour
        later(-40, 0.1),  # set back
        later(6, 0, "boot-2"),  # off over a long weekend
        ClockReading(NOON.wall_s + 6 * DAY_S),  # a machine that tells no uptime
    ],
)
def test_a_plausible_clock_is_believed(now: ClockReading) -> None:
    assert find_leap_s(NOON, now) is None


@pytest.mark.parametrize(
    ("now", "leap_days"),
    [
        (later(40, 0.1), 39.9),
        (later(2, 0.1), 1.9),
        (later(40, 0, "boot-2"), 40.0),
        (ClockReading(NOON.wall_s + 400 * DAY_S), 400.0),
        (ClockReading(NOON.wall_s + 40 * DAY_S, 10.0, "boot-1"), 40.0),  # an uptime that began anew
    ],
)
def test_a_leap_is_not_believed(now: ClockReading, leap_days: float) -> None:
    """On the same start of the machine, after another start, and where no uptime is known."""
    leap_s = find_leap_s(NOON, now)

    assert leap_s is not None
    assert pytest.approx(leap_days) == leap_s / DAY_S


def test_the_first_reading_is_believed() -> None:
    assert find_leap_s(None, NOON) is None


def test_a_second_reading_of_this_machine_is_believed() -> None:
    assert find_leap_s(read_clock(), read_clock()) is None
