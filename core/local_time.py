"""The time of day where the service's people are: the setting TIME_ZONE, else the machine's zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.localtime import get_localzone

Clock = Callable[[], datetime]  # returns the present moment in the zone in which people are told it


def local_clock(zone: str | None = None) -> Clock:
    """`zone`: a name of the IANA, such as "America/Toronto". None: the machine's. Raises ValueError for another."""
    chosen = find_zone(zone) if zone else machine_zone()
    return lambda: datetime.now(chosen)


def find_zone(name: str) -> ZoneInfo:
    """Raises ValueError for a name that is no time zone's."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:  # OSError: the name of a folder, such as "America"
        raise ValueError(f"there is no time zone {name!r}") from exc


def machine_zone() -> tzinfo:
    """The machine's zone by its name, so that it can be shown; its present offset where it has none."""
    try:
        local = get_localzone()
        return find_zone(getattr(local, "key", None) or str(local))
    except (LookupError, ValueError):  # TZ or /etc/localtime name no zone
        return datetime.now(UTC).astimezone().tzinfo or UTC
