"""Removes what SQLite's files still have of deleted rows.

`PRAGMA secure_delete` overwrites deleted rows in the database file. Its write-ahead log keeps earlier versions of
changed pages until it is truncated, which waits for all readers. PostgreSQL has its own ways: docs/operating.md,
Records.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import sqlalchemy
import structlog
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()

READERS_WAIT_MS = 250  # for which writers may have to wait as well
PAUSES_S = (0.5, 2.0, 10.0, 30.0)
LAST_PAUSE_S = 60.0


@dataclass(slots=True)
class TraceRemover:
    """Truncates the write-ahead log of one database, later if something reads it now."""

    engine: sqlalchemy.Engine
    _retrying: asyncio.Task[None] | None = field(default=None, init=False)

    async def remove(self) -> bool:
        """False: a reader is in the way, and the removal is tried again until it succeeds."""
        if await asyncio.to_thread(truncate_log, self.engine):
            return True
        if self._retrying is None or self._retrying.done():
            self._retrying = asyncio.create_task(self._retry())
        return False

    async def close(self) -> None:
        """Tries for the last time; the next process to start tries as well."""
        if self._retrying and not self._retrying.done():
            self._retrying.cancel()
            await asyncio.gather(self._retrying, return_exceptions=True)
            await asyncio.to_thread(truncate_log, self.engine)

    async def _retry(self) -> None:
        pauses = iter(PAUSES_S)
        while True:
            pause_s = next(pauses, LAST_PAUSE_S)
            await asyncio.sleep(pause_s)
            if await asyncio.to_thread(truncate_log, self.engine):
                return
            if pause_s >= PAUSES_S[-1]:
                log.warning("deleted_rows_still_in_wal", reason="a transaction has been reading the database since")


def truncate_log(engine: sqlalchemy.Engine) -> bool:
    """True: the write-ahead log has nothing of earlier transactions, or there is none. Blocks for READERS_WAIT_MS."""
    if engine.dialect.name != sqlite.dialect.name:
        return True
    try:
        with contextlib.closing(engine.raw_connection()) as connection:
            before = connection.execute("PRAGMA busy_timeout").fetchone()[0]
            connection.execute(f"PRAGMA busy_timeout={READERS_WAIT_MS}")
            try:
                busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                connection.execute(f"PRAGMA busy_timeout={before}")
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as exc:
        log.debug("wal_not_truncated", problem=type(exc).__name__)
        return False
    return not busy


def compact(engine: sqlalchemy.Engine) -> None:
    """Writes an SQLite database anew: before `secure_delete` was on, deleted rows stayed in free pages."""
    try:
        with contextlib.closing(engine.raw_connection()) as connection:
            connection.execute("VACUUM")
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as exc:
        log.warning("database_not_compacted", problem=str(exc))
    truncate_log(engine)
