"""Judges whether the clock may be believed before old records are deleted. Pure, except `read_clock`.

A clock that jumped ahead makes everything look old. The last believed reading is in the database. On the same start of
the machine, its uptime tells how much time really passed; `/proc/uptime` counts suspension and follows no clock. After
another start, or on another machine, only a gap of GAP_LIMIT_S is believed.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LEAP_LIMIT_S = 3600.0  # corrections by a time server
GAP_LIMIT_S = 7 * 86_400.0  # a service that was off


@dataclass(frozen=True, slots=True)
class ClockReading:
    """`boot` names the start of the machine; "": unknown."""

    wall_s: float  # seconds since 1970
    uptime_s: float = 0.0
    boot: str = ""

    @classmethod
    def from_json(cls, value: dict[str, Any] | None) -> ClockReading | None:
        return None if value is None else cls(**value)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_clock() -> ClockReading:
    try:
        uptime_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError, IndexError):  # not Linux
        return ClockReading(time.time())
    return ClockReading(time.time(), uptime_s, boot)


def find_leap_s(known: ClockReading | None, now: ClockReading) -> float | None:
    """The seconds by which the clock is ahead of what can be believed; None: it can be believed.

    A clock that was set back deletes less, and is believed.
    """
    if known is None:
        return None
    advance_s = now.wall_s - known.wall_s
    same_start = known.boot == now.boot != "" and now.uptime_s >= known.uptime_s
    passed_s, limit_s = (now.uptime_s - known.uptime_s, LEAP_LIMIT_S) if same_start else (0.0, GAP_LIMIT_S)
    return advance_s - passed_s if advance_s > passed_s + limit_s else None
