"""Inserts that replace a row, or leave it, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy
from sqlalchemy.dialects import postgresql, sqlite

INSERT: Mapping[str, Callable[[sqlalchemy.Table], Any]] = {
    sqlite.dialect.name: sqlite.insert,
    postgresql.dialect.name: postgresql.insert,
}


def put(db: sqlalchemy.Connection, table: sqlalchemy.Table, row: Mapping[str, Any]) -> None:
    """Inserts the row, or replaces the row with its primary key."""
    inserted = INSERT[db.dialect.name](table).values(row)
    db.execute(inserted.on_conflict_do_update(index_elements=table.primary_key.columns, set_=row))


def put_new(db: sqlalchemy.Connection, table: sqlalchemy.Table, row: Mapping[str, Any]) -> Any:
    """The new row's primary key, or None: there is one already that it may not stand beside."""
    inserted = INSERT[db.dialect.name](table).values(row).on_conflict_do_nothing()
    return db.execute(inserted.returning(*table.primary_key.columns)).first()
