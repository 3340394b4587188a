"""The database behind a URL: short transactions in threads. Refusals of the database become StorageErrors.

Owns the connection, and what SQLite and PostgreSQL each need to be safe with many processes. Knows no table.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import errno
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy
import structlog
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from core.errors import ConfigError, StorageAway, StorageError
from core.runtime.disk_faults import explain_disk_fault, find_disk_fault
from core.storage import encryption, erasing, schema
from core.storage.encryption import KeyRing
from core.storage.erasing import TraceRemover
from core.storage.outages import is_away, ping_idle_connections, with_options
from core.storage.rows import put as put
from core.storage.rows import put_new as put_new
from core.storage.schema import SchemaVersion

log = structlog.get_logger()
Result = TypeVar("Result")
Work = Callable[[sqlalchemy.Connection], Result]

BUSY_TIMEOUT_S = 10
LOCKED_PAUSE_S = 0.02
UPGRADE_TIMEOUT_S = 600  # the longest wait for another process that upgrades an SQLite database
SLOW_UPGRADE_S = 2
REHEARSAL_LOCK_S = 10
# The number of PostgreSQL's advisory lock: versions before the first revision created their tables under the same one.
SCHEMA_LOCK = 8_262_015
RETRY_AFTER_S = 5.0
AWAY_WAIT_S = 15.0  # a PostgreSQL that is restarted is back within seconds
FIRST_PAUSE_S, LAST_PAUSE_S = 0.05, 1.0  # between two tries to reach it
SQLITE_PRAGMAS = (
    f"busy_timeout={BUSY_TIMEOUT_S * 1000}",  # first, so that the next ones wait too
    "journal_mode=WAL",
    "synchronous=FULL",  # an acknowledged write survives a power cut
    "foreign_keys=ON",
    "secure_delete=ON",  # deleted rows are overwritten with zeros
)
# SQLite changes most of a table by copying it, and deletes the rows that refer to the old one if keys are enforced.
SQLITE_UPGRADE_PRAGMAS = (f"busy_timeout={UPGRADE_TIMEOUT_S * 1000}", "foreign_keys=OFF")
SQLITE_FULL = "SQLITE_FULL"
SQLITE_DISK_ERRORS = (SQLITE_FULL, "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")


class Database:
    """`read` and `write` run one short transaction each; a process may be killed in either without loss."""

    def __init__(self, url: str, keys: KeyRing | None = None) -> None:
        """`keys`: encrypt people's words. Raises ConfigError for a URL that cannot be used, StorageError for a folder
        that cannot be written.
        """
        self._engine = connect(url)
        self.keys = keys
        encryption.use_keys(self._engine.dialect, keys)
        self._writer = self._engine.execution_options(writes=True)
        # One state of the database for all of a transaction's statements, as SQLite has it anyway.
        steady = {"isolation_level": "REPEATABLE READ"} if self._engine.dialect.name == postgresql.dialect.name else {}
        self._reader = self._engine.execution_options(**steady)
        self.traces = TraceRemover(self._engine)
        self.fence: Work[None] | None = None  # begins each transaction of `write`; raises to prevent it

    @property
    def serves_several(self) -> bool:
        """True if processes on several machines can share this database."""
        return self._engine.dialect.name == postgresql.dialect.name

    def fenced(self, fence: Work[None]) -> Database:
        """The same database, with a fence of its own instead of this one's."""
        view = copy.copy(self)
        view.fence = fence
        return view

    async def write(self, work: Work[Result], *, repeatable: bool = False) -> Result:
        """Commits what `work` did, or raises StorageError and nothing was done. A cancelled caller does not undo it.

        Where the connection broke at the commit, StorageAway is raised and nobody knows. `repeatable`: doing `work`
        twice does what once does, so it waits for a database that is away, up to AWAY_WAIT_S.
        """
        fenced = work if self.fence is None else put_before(self.fence, work)
        return await (wait_for_return(self._writer, fenced) if repeatable else self.write_unfenced(fenced))

    async def erase(self, work: Work[Result]) -> Result:
        """Works as `write`, for deletions: soon afterwards, SQLite's files have nothing of what was deleted."""
        result = await self.write(work)
        await self.traces.remove()
        return result

    async def write_unfenced(self, work: Work[Result]) -> Result:
        """Works as `write`, without the fence."""
        return await asyncio.to_thread(run, self._writer, work)

    async def read(self, work: Work[Result]) -> Result:
        """Runs `work` in a read transaction: the data does not change under it. Waits for a database that is away."""
        return await wait_for_return(self._reader, work)

    async def examine_schema(self) -> SchemaVersion:
        """Raises ConfigError if a newer version of csps-llm made the tables, StorageError."""
        return await self.read(schema.examine)

    async def upgrade(self) -> tuple[str, ...]:
        """Brings the tables to the newest revision, all or nothing, and returns the revisions that were applied.

        Several processes may call it at once: one upgrades, the others wait. Raises ConfigError if a newer version of
        csps-llm made the tables, or another program, or if its texts are encrypted with other keys; StorageError.
        """
        applied = await self._upgrade()
        await self.write_unfenced(lambda db: encryption.require_keys(db, self.keys))
        return applied

    async def _upgrade(self) -> tuple[str, ...]:
        found = await self.examine_schema()
        if not found.pending:
            return ()
        began_at = time.monotonic()
        upgrading = asyncio.create_task(asyncio.to_thread(upgrade, self._engine.url))
        await asyncio.wait({upgrading}, timeout=SLOW_UPGRADE_S)
        if not upgrading.done():
            log.info("database_upgrade_running", from_revision=found.revision, to_revision=found.pending[-1])
        applied = await upgrading
        if applied:
            seconds = round(time.monotonic() - began_at, 1)
            log.info("database_upgraded", from_revision=found.revision, to_revision=applied[-1], duration_s=seconds)
        return applied

    async def ping(self) -> None:
        """Raises StorageError if the database does not answer now."""
        await asyncio.to_thread(run, self._reader, lambda db: db.execute(sqlalchemy.select(1)).scalar())

    async def close(self) -> None:
        await self.traces.close()
        await asyncio.to_thread(self._engine.dispose)


# ---------------------------------------------------------------- the schema


def upgrade(url: sqlalchemy.URL) -> tuple[str, ...]:
    """Returns the revisions that it applied; none if another process applied them meanwhile. Runs in a thread."""
    engine = connect(url, upgrades=True)
    try:
        is_new = not run(engine, lambda db: sqlalchemy.inspect(db).get_table_names())
        applied = run(engine, locked_upgrade)
        if applied and not is_new and engine.dialect.name == sqlite.dialect.name:
            erasing.compact(engine)
        return applied
    finally:
        engine.dispose()


def locked_upgrade(db: sqlalchemy.Connection) -> tuple[str, ...]:
    lock_schema(db)
    return schema.upgrade(db)


def lock_schema(db: sqlalchemy.Connection) -> None:
    """Keeps others from changing tables until the transaction ends. SQLite's write lock does so by itself.

    PostgreSQL needs it even for "CREATE ... IF NOT EXISTS", which fails if two run at once.
    """
    if db.dialect.name == postgresql.dialect.name:
        db.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(SCHEMA_LOCK)))


def examine(url: str) -> SchemaVersion:
    """Works as `Database.examine_schema`, but creates no SQLite file."""
    parsed = parse(url)
    if parsed.get_backend_name() == sqlite.dialect.name and not Path(require_file(parsed.database)).exists():
        return schema.schema_after(None)
    engine = connect(parsed)
    try:
        return run(engine, schema.examine)
    finally:
        engine.dispose()


def rehearse(url: str) -> tuple[str, ...]:
    """Applies pending revisions to a copy (SQLite) or in a transaction that is rolled back (PostgreSQL).

    The revisions that `Database.upgrade` would apply. Raises ConfigError and StorageError as that does.
    """
    parsed = parse(url)
    if parsed.get_backend_name() != sqlite.dialect.name:
        return rolled_back(connect(parsed))
    source = Path(require_file(parsed.database))
    try:
        with tempfile.TemporaryDirectory(dir=source.parent if source.exists() else None) as folder:
            copy = Path(folder) / "rehearsal.db"
            if source.exists():
                copy_sqlite(source, copy)
            return upgrade(parsed.set(database=str(copy)))
    except (OSError, sqlite3.Error) as exc:
        raise StorageError(f"the database {source} cannot be copied for a rehearsal: {exc}") from exc


def copy_sqlite(source: Path, copy: Path) -> None:
    """Copies a database that others may be writing to."""
    with (
        contextlib.closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as original,
        contextlib.closing(sqlite3.connect(copy)) as copied,
    ):
        original.backup(copied)


def rolled_back(engine: sqlalchemy.Engine) -> tuple[str, ...]:
    """Waits REHEARSAL_LOCK_S at the most for a lock, because those who come later wait behind it."""

    def work(db: sqlalchemy.Connection) -> tuple[str, ...]:
        db.exec_driver_sql(f"SET LOCAL lock_timeout = '{REHEARSAL_LOCK_S}s'")
        applied = locked_upgrade(db)
        db.rollback()
        return applied

    try:
        return run(engine, work)
    finally:
        engine.dispose()


# ---------------------------------------------------------------- connections


def parse(url: str | sqlalchemy.URL) -> sqlalchemy.URL:
    try:
        return sqlalchemy.make_url(url)
    except ArgumentError as exc:
        raise ConfigError("DATABASE_URL: not a database URL; use one such as sqlite:////srv/csps-llm.db") from exc


def connect(url: str | sqlalchemy.URL, *, upgrades: bool = False) -> sqlalchemy.Engine:
    """`upgrades`: for changing tables, which on SQLite takes other settings, and the write lock from the beginning."""
    parsed = parse(url)
    try:
        # Parameters are what people wrote: they must not reach a log by way of an exception.
        engine = sqlalchemy.create_engine(with_options(parsed), hide_parameters=True)
    except ArgumentError as exc:
        raise ConfigError("DATABASE_URL: not a database URL; use one such as sqlite:////srv/csps-llm.db") from exc
    except ImportError as exc:
        raise ConfigError(f"DATABASE_URL: {parsed.drivername} needs a Python package: {exc}") from exc
    if parsed.get_backend_name() == "sqlite":
        prepare_file(parsed.database)
        pragmas = (*SQLITE_PRAGMAS, *SQLITE_UPGRADE_PRAGMAS) if upgrades else SQLITE_PRAGMAS
        event.listen(engine, "connect", lambda connection, _record: prepare_sqlite(connection, pragmas))
        event.listen(engine, "begin", begin_sqlite)
    else:
        ping_idle_connections(engine)
    return engine.execution_options(writes=upgrades)


def require_file(path: str | None) -> str:
    if not path or path == ":memory:":
        raise ConfigError("DATABASE_URL: a database in memory would forget every conversation; name a file")
    return path


def serves_several(url: str) -> bool:
    """True if processes on several machines can share this database. Raises ConfigError."""
    return parse(url).get_backend_name() == postgresql.dialect.name


def prepare_file(path: str | None) -> None:
    """Creates the file before SQLite opens it, so that nobody else on the machine can read it."""
    file = Path(require_file(path))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=True)
    except OSError as exc:
        raise StorageError(f"the database {file} cannot be created: {explain_disk_fault(exc)}") from exc


def prepare_sqlite(connection: Any, pragmas: Sequence[str]) -> None:
    # sqlite3 would begin transactions by its own rules; with None it leaves that to `begin_sqlite`.
    connection.isolation_level = None
    for pragma in pragmas:
        patiently(connection, f"PRAGMA {pragma}")


def patiently(connection: Any, statement: str) -> None:
    """Turning WAL on ignores busy_timeout: it fails at once while another process does the same. In a thread."""
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
        # Drops the cause: PostgreSQL's details contain people's texts, and a traceback would log them.
        error, why = StorageAway if is_away(exc) else StorageError, disk_reason(exc, engine.url.database) or reason(exc)
        raise error(f"the database refused: {why}", retry_after_s=RETRY_AFTER_S) from None


async def wait_for_return(engine: sqlalchemy.Engine, work: Work[Result]) -> Result:
    """Runs `work`, again and again while the database is away. Raises StorageAway after AWAY_WAIT_S.

    The waiting takes no thread: others need them when the database is back.
    """
    deadline, pause_s = time.monotonic() + AWAY_WAIT_S, FIRST_PAUSE_S
    while True:
        try:
            return await asyncio.to_thread(run, engine, work)
        except StorageAway:
            if time.monotonic() + pause_s > deadline:
                raise
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LAST_PAUSE_S)


def put_before(fence: Work[None], work: Work[Result]) -> Work[Result]:
    def fenced(connection: sqlalchemy.Connection) -> Result:
        fence(connection)
        return work(connection)

    return fenced


def disk_reason(exc: SQLAlchemyError, database: str | None) -> str | None:
    """The cause in the words of the operating system, where SQLite only knows that it cannot write; else None."""
    name = getattr(getattr(exc, "orig", None), "sqlite_errorname", "")
    if not database or not name.startswith(SQLITE_DISK_ERRORS):
        return None
    if fault := find_disk_fault(Path(database).parent):
        return explain_disk_fault(fault)
    return explain_disk_fault(OSError(errno.ENOSPC, "")) if name == SQLITE_FULL else None  # there was no room just now


def reason(exc: SQLAlchemyError) -> str:
    """The driver's words without what follows them: PostgreSQL's details hold values."""
    if not isinstance(exc, DBAPIError):
        return type(exc).__name__
    return str(exc.orig).partition("\n")[0] or type(exc.orig).__name__
