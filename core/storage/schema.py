"""The revision of a database's tables, and the way to the newest one. Loads Alembic only for a database that is behind.

Knows no table and no URL. Each function works in the transaction of its caller, who keeps other processes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

VERSION_TABLE = sa.table("alembic_version", sa.column("version_num"))  # Alembic's names
NEWEST = max(script.name.partition("_")[0] for script in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """The state of a database's tables. `revision` is None if none has been applied; `pending` are oldest first."""

    revision: str | None
    pending: tuple[str, ...]


def examine(db: sa.Connection) -> SchemaVersion:
    """Changes nothing. Raises ConfigError if a newer version of csps-llm made the tables."""
    return schema_after(stored_revision(db))


def schema_after(revision: str | None) -> SchemaVersion:
    if revision == NEWEST:
        return SchemaVersion(revision, ())
    from core.storage import migration  # it loads Alembic, which takes 11 MB of memory

    return SchemaVersion(revision, tuple(script.revision for script in migration.following(revision)))


def upgrade(db: sa.Connection) -> tuple[str, ...]:
    """The revisions that were applied. Raises ConfigError, also if the tables are not those of csps-llm."""
    if stored_revision(db) == NEWEST:  # another process upgraded while this one waited for the lock
        return ()
    from core.storage import migration

    return migration.upgrade(db)


def stored_revision(db: sa.Connection) -> str | None:
    if not sa.inspect(db).has_table(VERSION_TABLE.name):
        return None
    revision = db.execute(sa.select(VERSION_TABLE.c.version_num)).scalar()
    return None if revision is None else str(revision)
