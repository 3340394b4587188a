"""What SQLite's files have left of deleted rows: nothing, once no reader is in the way."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from core.conversation.exchanges import Question
from core.conversation.sessions import Sessions
from core.storage import erasing
from core.storage.database import Database
from tests.support.databases import execute

SECRET = "plutonium-quartz-42"


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'test.db'}"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(url_in(tmp_path))
    await opened.upgrade()
    yield opened
    await opened.close()


def found_in(folder: Path) -> list[str]:
    """The files whose raw bytes have the secret."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes())


async def ask(sessions: Sessions) -> str:
    """A conversation whose texts fill pages of their own."""
    name = await sessions.open("whisper", "visitor:ana")
    key = await sessions.begin_exchange((await sessions.resume(name, "whisper", "visitor:ana")).id, Question(SECRET))
    await sessions.finish_exchange(key, SECRET * 2000, "stop")
    return name


async def test_a_deleted_conversation_is_in_no_file(database: Database, tmp_path: Path) -> None:
    """Others of the same pages stay."""
    sessions = Sessions(database)
    name, other = await ask(sessions), await sessions.open("whisper", "visitor:ana")
    assert found_in(tmp_path) != []

    await sessions.forget(name, "visitor:ana")

    assert [] == found_in(tmp_path)
    await sessions.resume(other, "whisper", "visitor:ana")


async def test_a_reader_delays_the_truncation(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion does not wait for it. When the reader ends, the log is truncated."""
    sessions = Sessions(database)
    name = await ask(sessions)
    monkeypatch.setattr(erasing, "PAUSES_S", (0.0,))
    monkeypatch.setattr(erasing, "LAST_PAUSE_S", 0.01)
    reader = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM turns").fetchall()
    with capture_logs() as logs:
        await sessions.forget(name, "visitor:ana")
        assert found_in(tmp_path) != []
        retrying = database.traces._retrying
        assert retrying is not None
        reader.close()
        await retrying

    assert [] == found_in(tmp_path)
    assert {"deleted_rows_still_in_wal"} >= {each["event"] for each in logs if each["log_level"] == "warning"}


async def test_closing_does_not_wait_for_readers(database: Database, tmp_path: Path) -> None:
    sessions = Sessions(database)
    name = await ask(sessions)
    reader = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM turns").fetchall()
    await sessions.forget(name, "visitor:ana")

    async with asyncio.timeout(5):
        await database.close()
    reader.close()


async def test_an_upgrade_overwrites_what_earlier_versions_left(tmp_path: Path) -> None:
    """Before revision 0008, deleted rows stayed in free pages."""
    url = url_in(tmp_path)
    insert = f"INSERT INTO old VALUES ('{SECRET * 2000}')"
    execute(url, "PRAGMA secure_delete=OFF", "CREATE TABLE old (text TEXT)", insert, "DELETE FROM old")
    assert ["test.db"] == found_in(tmp_path)

    database = Database(url)
    await database.upgrade()
    await database.close()

    assert [] == found_in(tmp_path)


async def test_updated_rows_are_overwritten(database: Database, tmp_path: Path) -> None:
    await ask(Sessions(database))
    await database.erase(lambda db: db.execute(sa.text("UPDATE turns SET question = '', answer = ''")))

    assert [] == found_in(tmp_path)
