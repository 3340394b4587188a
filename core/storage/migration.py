"""Brings a database's tables to the form that this version works with, by the scripts in `versions`.

`schema` calls it within its caller's transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy.dialects import sqlite

from core.errors import ConfigError, StorageError


@cache
def scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent))


def upgrade(db: sa.Connection) -> tuple[str, ...]:
    """The revisions that were applied. Raises ConfigError, also if the tables are not those of csps-llm."""
    context = MigrationContext.configure(db)
    pending = following(context.get_current_revision())
    before = broken_references(db)
    with Operations.context(context):
        for script in pending:
            script.module.upgrade()
            context.stamp(scripts(), script.revision)
    if broken := broken_references(db) - before:
        table, parent = next(iter(broken))
        raise StorageError(f"the upgrade was undone: a row of the table {table} refers to none of {parent}")
    return tuple(script.revision for script in pending)


def following(revision: str | None) -> Sequence[Script]:
    """The scripts that come after a revision, oldest first. Raises ConfigError if no script has made it."""
    revisions = list(scripts().walk_revisions())
    if revision and revision not in {script.revision for script in revisions}:
        raise ConfigError(
            f"DATABASE_URL: the database is at revision {revision}, and this version of csps-llm knows revisions up "
            f"to {scripts().get_current_head()}. Start the newer version that upgraded it, or restore the backup "
            "that was made before the upgrade (docs/operating.md, Upgrading)"
        )
    return list(scripts().iterate_revisions("head", revision or "base"))[::-1]


def broken_references(db: sa.Connection) -> Counter[tuple[str, str]]:
    """Counts the rows that refer to no row, by table and table referred to.

    SQLite enforces no foreign keys while tables are rebuilt, so they are checked afterwards. Some may be broken before:
    other programs, and the `sqlite3` shell by default, enforce none.
    """
    if db.dialect.name != sqlite.dialect.name:
        return Counter()
    return Counter((row[0], row[2]) for row in db.exec_driver_sql("PRAGMA foreign_key_check"))
