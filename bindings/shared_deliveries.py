"""The deliveries of several processes in one PostgreSQL: who owns them, how they change owners, and what others ask.

All unfinished deliveries of a conversation belong to one process, so that they run in order, one at a time. A message
that another process takes is given to that owner. A process asks for the end of another's answer by a signal in the
answer's row.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal

import sqlalchemy as sa

from bindings.delivery_records import Delivery, parse_delivery
from bindings.incoming import Place
from bindings.process_lease import ProcessLease, end_expired_leases, lease_lost
from bindings.tables import attempts, bot_processes, deliveries
from core.runtime.digest import hash_id

Signal = Literal["stop", "withdrawn"]

CLAIM_LOCK = 8_262_016  # the number of the advisory lock under which deliveries change owners
RELEASED = ""  # the process of a delivery that has no owner
COLUMNS = deliveries.c
UNFINISHED = COLUMNS.state == "received"
LIVING = sa.select(bot_processes.c.id)


@dataclass(frozen=True, slots=True)
class OwnedDelivery:
    delivery: Delivery
    adopted: bool  # another process owned it before, and may have posted something
    signal: Signal | None


class SharedDeliveries:
    """Reads and changes the owners of one platform's deliveries. Every method may raise StorageError."""

    def __init__(self, lease: ProcessLease) -> None:
        self._database = lease.database
        self._lease = lease

    async def owned(self) -> list[OwnedDelivery]:
        """The unfinished deliveries of this process, in order of arrival. Raises LeaseLost."""
        counted = deliveries.outerjoin(attempts, attempts.c.answer == COLUMNS.answer)
        query = sa.select(deliveries, attempts.c.times).select_from(counted).where(*self._own())
        own_lease = sa.select(bot_processes.c.id).where(bot_processes.c.id == self._lease.process)

        def read(db: sa.Connection) -> list[Any]:
            if db.execute(own_lease).first() is None:
                raise lease_lost()
            return list(db.execute(query.order_by(COLUMNS.number)).all())

        return [parse_owned(row) for row in await self._database.read(read)]

    async def claim(self, limit: int) -> int:
        """Takes over the oldest conversations without a living owner, `limit` at most. Returns the deliveries' number.

        Each conversation is taken over whole, and by one process only.
        """
        return await self._database.write(lambda db: claim(db, self._lease, limit))

    async def release(self, running: Collection[str]) -> None:
        """Gives away the conversations of this process, except those in which a delivery runs."""
        waiting = deliveries.update().where(*self._own(), COLUMNS.conversation.not_in(running))
        await self._database.write(lambda db: db.execute(waiting.values(process=RELEASED)))

    async def withdraw_question(self, message_hash: str) -> None:
        """Asks the owners of a deleted question's deliveries to end them."""
        await self._signal("withdrawn", COLUMNS.source == message_hash)

    async def stop_answer(self, place: Place, ref: str | None) -> None:
        """Asks the owner of the answer in message `ref` to stop it. None: of each answer in the conversation."""
        answers = (COLUMNS.conversation == hash_id(place.conversation), COLUMNS.kind.in_(("message", "regenerate")))
        shown = () if ref is None else (COLUMNS.refs.contains(json.dumps(ref), autoescape=True),)
        await self._signal("stop", *answers, *shown)

    async def _signal(self, signal: Signal, *wanted: sa.ColumnElement[bool]) -> None:
        others = (COLUMNS.platform == self._lease.platform, UNFINISHED, COLUMNS.process != self._lease.process)
        request = deliveries.update().where(*others, *wanted).values(signal=signal)
        await self._database.write(lambda db: db.execute(request))

    def _own(self) -> tuple[sa.ColumnElement[bool], ...]:
        return COLUMNS.platform == self._lease.platform, UNFINISHED, COLUMNS.process == self._lease.process


def claim(db: sa.Connection, lease: ProcessLease, limit: int) -> int:
    if not db.execute(sa.select(sa.func.pg_try_advisory_xact_lock(CLAIM_LOCK))).scalar():
        return 0  # another process does it
    end_expired_leases(db)
    unfinished = (COLUMNS.platform == lease.platform, UNFINISHED)
    is_orphan = COLUMNS.process.not_in(LIVING)
    is_open = sa.func.bool_and(is_orphan | (COLUMNS.process == lease.process))
    orphaned = sa.select(COLUMNS.conversation).where(*unfinished).group_by(COLUMNS.conversation)
    oldest = orphaned.having(is_open, sa.func.bool_or(is_orphan)).order_by(sa.func.min(COLUMNS.number)).limit(limit)
    adoption = deliveries.update().where(*unfinished, is_orphan, COLUMNS.conversation.in_(oldest))
    return db.execute(adoption.values(process=lease.process, adopted=True)).rowcount


def parse_owned(row: Any) -> OwnedDelivery:
    return OwnedDelivery(replace(parse_delivery(row), crashes=row.times or 0), row.adopted, row.signal)
