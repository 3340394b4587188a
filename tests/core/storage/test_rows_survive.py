"""An upgrade from the last published revision: every row is the same after it."""

from __future__ import annotations

from core.storage.database import Database, rehearse
from tests.support.databases import dump_tables
from tests.support.old_databases import create_at, fill


async def test_every_row_is_the_same_after_an_upgrade(database_url: str) -> None:
    """New columns and tables may be added. A rehearsal changes nothing."""
    create_at(database_url, "0007")
    fill(database_url, turns=300)
    before = dump_tables(database_url)

    applied = rehearse(database_url)
    rehearsed = dump_tables(database_url)
    database = Database(database_url)
    await database.upgrade()
    await database.close()
    after = dump_tables(database_url)

    assert applied
    assert before == rehearsed
    assert (300, 30) == (len(before["turns"]), len(before["conversations"]))
    for table in before.keys() - {"alembic_version"}:
        columns = before[table][0].keys() if before[table] else ()
        assert before[table] == [{name: row[name] for name in columns} for row in after[table]], table
