"""Deletes what is older than its kind is kept, once a day for all processes of a database.

A process claims the purge in the database. Files are on a machine, so each process deletes those of its own data
folder. Nothing is deleted by a clock that cannot be believed (`core.records.clock`).
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql

from core.configuration.record_section import RecordKind
from core.conversation.tables import conversations
from core.errors import StorageError
from core.records.clock import LEAP_LIMIT_S, ClockReading, find_leap_s, read_clock
from core.records.kinds import KINDS, Kind
from core.storage import state
from core.storage.bot_tables import deliveries
from core.storage.database import Database

log = structlog.get_logger()

INTERVAL_S = 3600.0  # between two looks at the clock
PURGE_EVERY_S = 86_400.0
CLAIM_S = 3600.0  # a process that died in a purge holds it up for this long
CLOCK, CLAIM = "clock", "purge"  # names of values in the database

Counts = dict[str, int]


class RecordsPurge:
    """One per process. `data_folder`: the folder of this machine's files."""

    def __init__(
        self,
        database: Database,
        retention: Mapping[RecordKind, timedelta],
        data_folder: Path,
        clock: Callable[[], ClockReading] = read_clock,
    ) -> None:
        self._database = database
        self._retention = retention
        self._data_folder = data_folder
        self._clock = clock
        self._last: ClockReading | None = None  # that this process believed
        self._refuses = False

    async def run(self) -> None:
        """Purges when it is due, until cancelled."""
        while True:
            try:
                await self._database.traces.remove()
                await self.purge_when_due()
            except StorageError as exc:
                log.warning("purge_failed", problem=exc.message)
            await asyncio.sleep(INTERVAL_S)

    async def purge_when_due(self) -> Counts | None:
        """Deletes, unless the clock is not believed or another process purged today. Returns what was deleted."""
        now = self._clock()
        if await self.find_leap_s(now) is not None:
            return None
        await asyncio.to_thread(self._expire_files, now.wall_s)
        if not await self._database.write(lambda db: claim(db, now.wall_s, self._periods())):
            return None
        return await self.purge(now)

    async def find_leap_s(self, now: ClockReading) -> float | None:
        """The seconds by which the clock is ahead; None: it is believed, and becomes the last known time."""
        leap_s = await self._database.write(lambda db: observe(db, self._last, now))
        if leap_s is None:
            self._last = now
        elif not self._refuses:
            log.warning(
                "purge_refused",
                ahead_days=round(leap_s / 86_400, 1),
                reason="the clock is ahead of the last known time; nothing is deleted until it is right",
                hint="if it is right: csps-llm records purge --confirm-clock",
            )
        self._refuses = leap_s is not None
        return leap_s

    async def confirm_clock(self, now: ClockReading) -> None:
        """Makes the clock's time the last known one: an operator says that it is right."""
        await self._database.write(lambda db: state.store(db, CLOCK, now.to_json()))

    async def purge(self, now: ClockReading) -> Counts:
        """Deletes without a claim and without a look at the clock. Returns the number of rows or files by table."""
        counts: Counts = {}
        for kind in KINDS:
            counts |= await self._database.erase(lambda db, kind=kind: self._expire(db, kind, now.wall_s))  # type: ignore[misc]
        files = await asyncio.to_thread(self._expire_files, now.wall_s)
        counts = {name: count for name, count in {**counts, "files": files}.items() if count}
        await self._database.write(lambda db: state.store(db, CLAIM, finished(now.wall_s, self._periods())))
        log.info("records_purged", **counts)
        return counts

    def _expire(self, db: sa.Connection, kind: Kind, now_s: float) -> Counts:
        before = now_s - self._retention[kind.name].total_seconds()
        return {each.table.name: each.expire(db, before, now_s) for each in kind.tables}

    def _expire_files(self, now_s: float) -> int:
        return sum(
            delete_old(path, now_s - self._retention[kind.name].total_seconds())
            for kind in KINDS
            for folder in kind.folders
            for path in self._data_folder.glob(folder.pattern)
        )

    def _periods(self) -> dict[str, float]:
        return {kind: period.total_seconds() for kind, period in self._retention.items()}


def observe(db: sa.Connection, last: ClockReading | None, now: ClockReading) -> float | None:
    """Judges the clock by the last known time, by what this process saw, and by the clock of a database server."""
    stored = state.load_locked(db, CLOCK, None)
    known = ClockReading.from_json(stored) or newest_use(db)
    leap_s = find_leap_s(known, now)
    if leap_s is None and known and known.boot != now.boot and now.wall_s - known.wall_s > LEAP_LIMIT_S:
        leap_s = find_leap_s(last, now)
    if leap_s is None and db.dialect.name == postgresql.dialect.name:
        server_s = float(db.execute(sa.select(sa.func.extract("epoch", sa.func.clock_timestamp()))).scalar_one())
        leap_s = now.wall_s - server_s if now.wall_s - server_s > LEAP_LIMIT_S else None
    if leap_s is None and (known is None or now.wall_s >= known.wall_s or stored is None):
        state.store(db, CLOCK, now.to_json())
    return leap_s


def newest_use(db: sa.Connection) -> ClockReading | None:
    """The last known time of a database that no process observed yet."""
    times = [
        db.execute(sa.select(sa.func.max(column))).scalar() for column in (conversations.c.used_at, deliveries.c.at)
    ]
    known = [each for each in times if each is not None]
    return ClockReading(max(known)) if known else None


def claim(db: sa.Connection, now_s: float, periods: Mapping[str, float]) -> bool:
    """True: the purge is due, and belongs to the caller."""
    held: dict[str, Any] = state.load_locked(db, CLAIM, {"at": 0.0, "until": 0.0, "periods": {}})
    is_due = not 0 <= now_s - held["at"] < PURGE_EVERY_S or held["periods"] != periods
    if not is_due or 0 <= held["until"] - now_s <= CLAIM_S:
        return False
    state.store(db, CLAIM, {**held, "until": now_s + CLAIM_S})
    return True


def finished(now_s: float, periods: Mapping[str, float]) -> dict[str, Any]:
    return {"at": now_s, "until": 0.0, "periods": dict(periods)}


def delete_old(path: Path, before: float) -> bool:
    """Deletes a file, or a folder without a newer file."""
    try:
        files = [path, *path.rglob("*")] if path.is_dir() else [path]
        if max(each.stat().st_mtime for each in files) >= before:
            return False
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:  # another process deletes as well
        return False
    except OSError as exc:
        log.warning("file_not_purged", folder=path.parent.name, problem=exc.strerror)
        return False
    return True
