"""A PostgreSQL that is away: which errors say so, and the options of its connections."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors
from sqlalchemy.exc import IntegrityError, OperationalError

from core.errors import StorageAway
from core.storage import database as database_module
from core.storage import outages
from core.storage.database import Database
from core.storage.outages import is_away, ping_idle_connections, with_options


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (psycopg.OperationalError("connection refused"), True),
        (errors.AdminShutdown("terminating connection"), True),
        (errors.CannotConnectNow("the database system is starting up"), True),
        (errors.ConnectionFailure("gone"), True),
        (errors.DiskFull("no space left"), False),
        (errors.LockNotAvailable("lock timeout"), False),
    ],
)
def test_errors_of_the_connection_mean_away(error: psycopg.Error, away: bool) -> None:
    """A full disk and a lock are answers of a server that is there."""
    assert away is is_away(OperationalError("SELECT 1", {}, error))


def test_a_refused_row_does_not_mean_away() -> None:
    """The same holds for every error of SQLite."""
    assert not is_away(IntegrityError("INSERT", {}, errors.UniqueViolation("twice")))
    assert not is_away(OperationalError("SELECT 1", {}, Exception("database is locked")))


def test_the_operators_options_win() -> None:
    """Those in the URL stay as they are."""
    url = with_options(sa.make_url("postgresql+psycopg://u@h/d?connect_timeout=60"))

    assert ("60", "20000") == (url.query["connect_timeout"], url.query["tcp_user_timeout"])
    assert {} == dict(with_options(sa.make_url("sqlite:////srv/a.db")).query)


async def test_reads_wait_for_a_database_that_returns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Repeatable writes do too. Others fail at once, and so does each after the wait."""
    database, tries = Database(f"sqlite:///{tmp_path}/unused.db"), []

    def run(_engine: sa.Engine, work: str) -> str:
        tries.append(work)
        if len(tries) % 3:
            raise StorageAway("away")
        return work

    monkeypatch.setattr(database_module, "run", run)
    assert "read" == await database.read("read")  # type: ignore[arg-type]
    assert "write" == await database.write("write", repeatable=True)  # type: ignore[arg-type]
    with pytest.raises(StorageAway):
        await database.write("once")  # type: ignore[arg-type]
    monkeypatch.setattr(database_module, "AWAY_WAIT_S", 0.0)
    with pytest.raises(StorageAway):
        await database.read("late")  # type: ignore[arg-type]

    assert ["read"] * 3 + ["write"] * 3 + ["once", "late"] == tries


@pytest.mark.parametrize(("after_s", "pings"), [(0.0, 2), (3600.0, 0)])
def test_only_idle_connections_are_pinged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, after_s: float, pings: int
) -> None:
    """A new connection and a busy one are used at once: a ping costs a transaction."""
    monkeypatch.setattr(outages, "PING_AFTER_S", after_s)
    engine, pinged = sa.create_engine(f"sqlite:///{tmp_path}/any.db"), []
    monkeypatch.setattr(engine.dialect, "do_ping", pinged.append)
    ping_idle_connections(engine)
    for _ in range(3):
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT 1")

    assert pings == len(pinged)


def test_an_idle_connection_that_broke_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The transaction then runs on a new one."""
    monkeypatch.setattr(outages, "PING_AFTER_S", 0.0)
    engine, pinged = sa.create_engine(f"sqlite:///{tmp_path}/any.db"), []

    def ping(connection: object) -> None:
        pinged.append(connection)
        raise sqlite3.OperationalError("gone")

    monkeypatch.setattr(engine.dialect, "do_ping", ping)
    ping_idle_connections(engine)
    for _ in range(2):
        with engine.begin() as connection:
            used = connection.connection.dbapi_connection
            assert 1 == connection.exec_driver_sql("SELECT 1").scalar()

    assert [used] != pinged
    assert 1 == len(pinged)
