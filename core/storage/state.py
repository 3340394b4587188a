"""Single values by name, which all processes of a database share: the last known time, claims, ends of chains."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from core.storage.rows import put, put_new

tables = sa.MetaData()
record_state = sa.Table(
    "record_state",
    tables,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),  # JSON
)


def load(db: sa.Connection, name: str) -> Any:
    """The value; None: there is none."""
    stored = db.execute(sa.select(record_state.c.value).where(record_state.c.name == name)).scalar()
    return None if stored is None else json.loads(stored)


def load_locked(db: sa.Connection, name: str, default: Any) -> Any:
    """The value, which no other transaction changes until this one ends. Stores `default` if there is none."""
    put_new(db, record_state, {"name": name, "value": json.dumps(default)})
    query = sa.select(record_state.c.value).where(record_state.c.name == name).with_for_update()
    return json.loads(db.execute(query).scalar_one())


def store(db: sa.Connection, name: str, value: Any) -> None:
    put(db, record_state, {"name": name, "value": json.dumps(value)})
