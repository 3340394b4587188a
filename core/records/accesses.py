"""The log of accesses: which administrator exported, showed, deleted or held whose records, and when.

Append-only. Each entry's digest covers its own fields and the digest before it, and both ends of the chain are stored
apart, so that a changed or removed entry is seen. Whoever can write to the database could make the whole chain anew:
each entry is also a line of the service's log, which leaves the machine where an operator collects it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa
import structlog

from core.records.tables import accesses
from core.storage import state
from core.storage.database import Database
from core.strict_json import storable

log = structlog.get_logger()

HEAD, ANCHOR = "accesses", "accesses_purged"  # the chain's last entry, and the last one that was purged
START = {"number": 0, "digest": ""}


@dataclass(frozen=True, slots=True)
class Access:
    """An entry. `subject`: whose records, such as "user 3f2a…" or "feedback"; never their words."""

    number: int
    at: float  # seconds since 1970
    who: str
    action: str
    subject: str
    digest: str


@dataclass(frozen=True, slots=True)
class AccessLog:
    """All entries, oldest first. `broken_at`: the number at which the chain is broken; None: it is whole."""

    entries: tuple[Access, ...]
    broken_at: int | None


async def record_access(database: Database, who: str, action: str, subject: str, now: float | None = None) -> None:
    """Records an access before it happens; durable when it returns. Raises StorageError: then it must not happen."""
    at = time.time() if now is None else now
    await database.write(lambda db: append(db, who, action, subject, at))


def append(db: sa.Connection, who: str, action: str, subject: str, at: float) -> None:
    """Works as `record_access` within the caller's transaction."""
    head = state.load_locked(db, HEAD, START)
    fields = (head["number"] + 1, at, storable(who), action, storable(subject))
    entry = Access(*fields, digest=link(head["digest"], *fields))
    db.execute(accesses.insert().values(asdict(entry)))
    state.store(db, HEAD, {"number": entry.number, "digest": entry.digest})
    log.info("record_access", number=entry.number, who=who, action=action, subject=subject, digest=entry.digest)


def link(before: str, number: int, at: float, who: str, action: str, subject: str) -> str:
    """The digest of an entry that follows the digest `before`."""
    content = json.dumps([before, number, at, who, action, subject], ensure_ascii=True)
    return hashlib.sha256(content.encode()).hexdigest()


async def load_accesses(database: Database) -> AccessLog:
    def read(db: sa.Connection) -> AccessLog:
        rows = db.execute(sa.select(accesses).order_by(accesses.c.number)).mappings()
        entries = tuple(Access(**row) for row in rows)
        return AccessLog(entries, find_break(entries, state.load(db, ANCHOR) or START, state.load(db, HEAD) or START))

    return await database.read(read)


def find_break(entries: Sequence[Access], anchor: dict[str, object], head: dict[str, object]) -> int | None:
    """The number of the first entry that is changed or missing."""
    number, digest = anchor["number"], anchor["digest"]
    assert isinstance(number, int)
    assert isinstance(digest, str)
    for entry in entries:
        number += 1
        if entry.number != number:
            return number
        digest = link(digest, entry.number, entry.at, entry.who, entry.action, entry.subject)
        if digest != entry.digest:
            return number
    return None if (number, digest) == (head["number"], head["digest"]) else number + 1


def expire(db: sa.Connection, before: float) -> int:
    """Deletes the oldest entries up to a time, and remembers where the chain now begins. Returns their number."""
    younger = sa.select(sa.func.min(accesses.c.number)).where(accesses.c.at >= before)
    first_kept = db.execute(younger).scalar()
    old = accesses.c.number < first_kept if first_kept is not None else sa.true()
    last = db.execute(sa.select(accesses).where(old).order_by(accesses.c.number.desc()).limit(1)).first()
    if last is None:
        return 0
    state.store(db, ANCHOR, {"number": last.number, "digest": last.digest})
    return db.execute(accesses.delete().where(old)).rowcount
