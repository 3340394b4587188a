"""The database behind a URL: short transactions in threads, its refusals as StorageError.

Owns the connection, and what SQLite and PostgreSQL each need to be safe with many processes. Knows no table.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from core.errors import ConfigError, StorageError

Result = TypeVar("Result")
Work = Callable[[sqlalchemy.Connection], Result]
Insert = Callable[[sqlalchemy.Table], Any]

BUSY_TIMEOUT_S = 10
LOCKED_PAUSE_S = 0.02
CREATION_LOCK = 8_262_015  # PostgreSQL's "IF NOT EXISTS" is not safe for two at once
RETRY_AFTER_S = 5.0
SQLITE_PRAGMAS = (
    f"busy_timeout={BUSY_TIMEOUT_S * 1000}",  # first, so that the next ones wait too
    "journal_mode=WAL",
    "synchronous=FULL",  # what was acknowledged survives a power cut
    "foreign_keys=ON",
)
INSERT: Mapping[str, Insert] = {sqlite.dialect.name: sqlite.insert, postgresql.dialect.name: postgresql.insert}


class Database:
    """`read` and `write` run one short transaction each; a process may be killed in either without loss."""

    def __init__(self, url: str) -> None:
        """Raises ConfigError for a URL that cannot be used, StorageError for a folder that cannot be written."""
        self._engine = connect(url)
        self._writer = self._engine.execution_options(writes=True)
        # One state of the database for all of a transaction's statements, as SQLite has it anyway.
        steady = {"isolation_level": "REPEATABLE READ"} if self._engine.dialect.name == postgresql.dialect.name else {}
        self._reader = self._engine.execution_options(**steady)

    async def write(self, work: Work[Result]) -> Result:
        """Commits what `work` did, or raises StorageError and nothing was done. A cancelled caller does not undo it."""
        return await asyncio.to_thread(run, self._writer, work)

    async def read(self, work: Work[Result]) -> Result:
        """What `work` sees does not change while it looks."""
        return await asyncio.to_thread(run, self._reader, work)

    async def create(self, tables: sqlalchemy.MetaData) -> None:
        """Creates what is not there yet; several processes may do so at once."""

        def work(db: sqlalchemy.Connection) -> None:
            lock_creation(db)
            tables.create_all(db)

        await self.write(work)

    async def ping(self) -> None:
        """Raises StorageError if the database does not answer."""
        await self.read(lambda connection: connection.execute(sqlalchemy.select(1)).scalar())

    async def close(self) -> None:
        await asyncio.to_thread(self._engine.dispose)


def lock_creation(db: sqlalchemy.Connection) -> None:
    """Until the transaction's end nobody else creates tables."""
    if db.dialect.name == postgresql.dialect.name:
        db.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(CREATION_LOCK)))


def put(db: sqlalchemy.Connection, table: sqlalchemy.Table, row: Mapping[str, Any]) -> None:
    """In the place of the row that has its primary key, if there is one."""
    inserted = INSERT[db.dialect.name](table).values(row)
    db.execute(inserted.on_conflict_do_update(index_elements=table.primary_key.columns, set_=row))


def put_new(db: sqlalchemy.Connection, table: sqlalchemy.Table, row: Mapping[str, Any]) -> Any:
    """The new row's primary key, or None: there is one already that it may not stand beside."""
    inserted = INSERT[db.dialect.name](table).values(row).on_conflict_do_nothing()
    return db.execute(inserted.returning(*table.primary_key.columns)).first()


def connect(url: str) -> sqlalchemy.Engine:
    try:
        parsed = sqlalchemy.make_url(url)
        # Parameters are what people wrote: they must not reach a log by way of an exception.
        engine = sqlalchemy.create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    except ArgumentError as exc:
        raise ConfigError("DATABASE_URL: not a database URL; use one such as sqlite:////srv/csps-llm.db") from exc
    except ImportError as exc:
        raise ConfigError(f"DATABASE_URL: {parsed.drivername} needs a Python package: {exc}") from exc
    if parsed.get_backend_name() == "sqlite":
        prepare_file(parsed.database)
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "begin", begin_sqlite)
    return engine


def prepare_file(path: str | None) -> None:
    """The file exists before SQLite opens it, so that nobody else on the machine can read it."""
    if not path or path == ":memory:":
        raise ConfigError("DATABASE_URL: a database in memory would forget every conversation; name a file")
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=True)
    except OSError as exc:
        raise StorageError(f"the database {file} cannot be created: {exc.strerror}") from exc


def prepare_sqlite(connection: Any, _record: object) -> None:
    # sqlite3 would begin transactions by its own rules; with None it leaves that to `begin_sqlite`.
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        patiently(connection, f"PRAGMA {pragma}")


def patiently(connection: Any, statement: str) -> None:
    """Turning WAL on waits for no other process that does so, whatever busy_timeout says. In a thread."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc) or time.monotonic() > deadline:
                raise
            time.sleep(LOCKED_PAUSE_S)
        else:
            return


def begin_sqlite(connection: sqlalchemy.Connection) -> None:
    # A transaction that reads and then writes cannot wait for another writer; one that begins as a writer can.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def run(engine: sqlalchemy.Engine, work: Work[Result]) -> Result:
    try:
        with engine.begin() as connection:
            return work(connection)
    except SQLAlchemyError as exc:
        # Not its cause: what PostgreSQL says in detail holds what people wrote, and would be logged with a traceback.
        raise StorageError(f"the database refused: {reason(exc)}", retry_after_s=RETRY_AFTER_S) from None


def reason(exc: SQLAlchemyError) -> str:
    """The driver's words without what follows them: PostgreSQL's details hold values."""
    if not isinstance(exc, DBAPIError):
        return type(exc).__name__
    return str(exc.orig).partition("\n")[0] or type(exc.orig).__name__
