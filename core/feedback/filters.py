"""The choice among people's verdicts, and the formats that they are written in. Values only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal

from core.errors import BadRequest

ChannelName = Literal["web", "slack", "discord", "teams"]
VerdictName = Literal["good", "bad"]
ExportFormat = Literal["csv", "json", "jsonl"]
AGE = re.compile(r"(\d{1,5})([dh])")
HOURS = {"d": 24, "h": 1}


@dataclass(frozen=True, slots=True)
class FeedbackFilter:
    """None chooses all. `model`: its name or title. `since`: seconds since 1970."""

    channel: ChannelName | None = None
    verdict: VerdictName | None = None
    personality: str | None = None
    model: str | None = None
    since: float | None = None


def parse_since(words: str, now: datetime) -> float:
    """The seconds since 1970 of "2026-11-30" in the zone of `now`, or of an age: "7d", "12h". Raises BadRequest."""
    if age := AGE.fullmatch(words.strip()):
        return (now - timedelta(hours=int(age[1]) * HOURS[age[2]])).timestamp()
    try:
        return start_of(date.fromisoformat(words.strip()), now.tzinfo).timestamp()
    except ValueError as exc:
        raise BadRequest(f"{words!r} is no date; write a day such as 2026-11-30, or an age such as 7d or 12h") from exc


def start_of(day: date, zone: tzinfo | None) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
