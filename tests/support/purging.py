"""Purges a database by a test's clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import get_args

from core.configuration.record_section import RecordKind
from core.records.clock import ClockReading
from core.records.purge import Counts, RecordsPurge
from core.storage.database import Database

NO_FOLDER = Path("/nonexistent")


def same_period(period: timedelta) -> dict[RecordKind, timedelta]:
    return dict.fromkeys(get_args(RecordKind), period)


async def purge(database: Database, older_than: timedelta, now: float) -> Counts:
    """Deletes what was not used for `older_than`. Returns the number of rows by table."""
    return await RecordsPurge(database, same_period(older_than), NO_FOLDER).purge(ClockReading(now))
