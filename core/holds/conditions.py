"""The rows that a hold covers, as SQL conditions. A row is covered by a key of its own and by the time of its use."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from core.holds.tables import held_copies, hold_keys, holds


def is_held(used_at: sa.Column[float], *keys: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """Selects the rows of a table whose column `keys` has a held key."""
    return active_holds(hold_keys.c.key.in_(keys), used_at).correlate(used_at.table)


def active_holds(
    covers: sa.ColumnElement[bool], used_at: sa.Column[float], *others: sa.ColumnElement[bool]
) -> sa.Exists:
    """Tells whether there is a hold that was not released. `covers`: the condition on its key."""
    joined = sa.select(holds.c.id).join(hold_keys)
    return joined.where(holds.c.released_at.is_(None), holds.c.from_at <= used_at, covers, *others).exists()


def is_copy_held() -> sa.ColumnElement[bool]:
    return active_holds(held_copies.c.known_as.contains(hold_keys.c.key), held_copies.c.at).correlate(held_copies)


def any_hold(db: sa.Connection) -> bool:
    return db.execute(sa.select(holds.c.id).where(holds.c.released_at.is_(None)).limit(1)).first() is not None
