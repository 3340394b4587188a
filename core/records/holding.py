"""Places, lists and releases holds. What a hold covers is in `core.holds`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core.errors import NotFound
from core.holds.copies import drop_unheld
from core.holds.tables import hold_keys, holds
from core.records.subjects import Subject, with_speakers


@dataclass(frozen=True, slots=True)
class Hold:
    """Times are seconds since 1970. `from_at`: what was used since then is held; 0: everything."""

    id: int
    placed_at: float
    who: str
    reason: str
    subject: str
    from_at: float
    released_at: float | None
    released_by: str | None


def place(db: sa.Connection, subject: Subject, who: str, reason: str, from_at: float, now: float) -> int:
    """Holds what the subject has stored and will store, until the hold is released. Returns its number."""
    row = {"placed_at": now, "who": who, "reason": reason, "subject": subject.label, "from_at": from_at}
    number = int(db.execute(holds.insert().values(row).returning(holds.c.id)).scalar_one())
    keys = with_speakers(db, subject).keys
    db.execute(hold_keys.insert(), [{"hold": number, "key": key} for key in sorted(keys)])
    return number


def find(db: sa.Connection) -> Sequence[Hold]:
    """All holds, released ones included, oldest first."""
    return [Hold(**row) for row in db.execute(sa.select(holds).order_by(holds.c.id)).mappings()]


def release(db: sa.Connection, number: int, who: str, now: float) -> tuple[Hold, int]:
    """Returns the hold, and the number of copies of deleted records that go with it. Raises NotFound."""
    active = (holds.c.id == number, holds.c.released_at.is_(None))
    released = holds.update().where(*active).values(released_at=now, released_by=who).returning(holds)
    row = db.execute(released).mappings().first()
    if row is None:
        raise NotFound(f"no active hold has the number {number}; csps-llm records holds lists them")
    return Hold(**row), drop_unheld(db)
