"""The log of accesses: every entry in order, and a chain that shows changes and removals."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from core.records import accesses
from core.records.accesses import ANCHOR, load_accesses, record_access
from core.storage import state
from core.storage.database import Database


@pytest.fixture
async def log(database: Database) -> Database:
    """The database, with three entries in the log."""
    await database.upgrade()
    for number, action in enumerate(("show", "export", "delete"), 1):
        await record_access(database, "ana@host", action, "user 3f2a", now=100.0 * number)
    return database


async def change(database: Database, statement: str) -> None:
    await database.write(lambda db: db.execute(sa.text(statement)))


async def test_accesses_are_listed_in_order(log: Database) -> None:
    found = await load_accesses(log)

    assert [("ana@host", "show"), ("ana@host", "export"), ("ana@host", "delete")] == [
        (each.who, each.action) for each in found.entries
    ]
    assert found.broken_at is None


async def test_accesses_at_once_make_one_chain(log: Database) -> None:
    """No entry is lost, and none has another's number."""
    await asyncio.gather(*(record_access(log, "bob@host", "show", str(n)) for n in range(8)))
    found = await load_accesses(log)

    assert list(range(1, 12)) == [each.number for each in found.entries]
    assert found.broken_at is None


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE record_accesses SET who = 'eve' WHERE number = 2", 2),
        ("UPDATE record_accesses SET at = 1.5 WHERE number = 1", 1),
        ("DELETE FROM record_accesses WHERE number = 1", 1),
        ("DELETE FROM record_accesses WHERE number = 2", 2),
        ("DELETE FROM record_accesses WHERE number = 3", 3),
        ("DELETE FROM record_accesses", 1),
        ("DELETE FROM record_state", 4),
    ],
)
async def test_a_changed_or_removed_entry_is_seen(log: Database, statement: str, broken_at: int) -> None:
    """The first, one in the middle, the last, all of them, and the stored end of the chain."""
    await change(log, statement)

    assert broken_at == (await load_accesses(log)).broken_at


async def test_old_entries_expire_without_breaking_the_chain(log: Database) -> None:
    """The chain begins after the last expired entry. A removal after that is still seen."""
    assert 2 == await log.write(lambda db: accesses.expire(db, 250.0))
    found = await load_accesses(log)
    assert ([3], None) == ([each.number for each in found.entries], found.broken_at)

    assert 1 == await log.write(lambda db: accesses.expire(db, 1000.0))
    await record_access(log, "ana@host", "show", "user 3f2a")
    found = await load_accesses(log)
    assert ([4], None) == ([each.number for each in found.entries], found.broken_at)

    await log.write(lambda db: state.store(db, ANCHOR, accesses.START))
    assert 1 == (await load_accesses(log)).broken_at
