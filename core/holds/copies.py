"""Copies of held rows that their owners deleted. `core.records.export` reads them; no adapter does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import sqlalchemy as sa

from core.holds.conditions import is_copy_held
from core.holds.tables import held_copies

CopyKind = Literal["conversation", "exchange", "delivery"]
Rows = Sequence[Mapping[str, Any]]


def keep_copy(
    db: sa.Connection, kind: CopyKind, keys: Iterable[str | None], used_at: float, rows: Mapping[str, Rows], now: float
) -> None:
    """Stores rows by table, in the transaction that deletes them."""
    content = {table: [dict(row) for row in each] for table, each in rows.items() if each}
    values = {
        "kind": kind,
        "known_as": " ".join(sorted({key for key in keys if key})),
        "at": used_at,
        "copied_at": now,
        "content": json.dumps(content),
    }
    db.execute(held_copies.insert().values(values))


def select_rows(db: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> Rows:
    return [dict(row) for row in db.execute(sa.select(table).where(*where)).mappings()]


def drop_unheld(db: sa.Connection) -> int:
    """Deletes the copies that no hold covers any more. Returns their number."""
    return db.execute(held_copies.delete().where(sa.not_(is_copy_held()))).rowcount
