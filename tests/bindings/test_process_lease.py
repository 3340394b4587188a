"""bindings.process_lease and bindings.shared_deliveries: who may write, and who owns what, on one PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from bindings.process_lease import VALID_SHARE, ProcessLease, end_expired_leases
from bindings.shared_deliveries import SharedDeliveries
from bindings.store import Store
from bindings.tables import bot_processes
from core.errors import LeaseLost
from core.storage.database import Database
from tests.bindings.intake.support_intake import THREAD, Clock, message

LEASE_S = 60.0


@dataclass
class Member:
    """One process on the shared database."""

    database: Database
    lease: ProcessLease
    store: Store
    shared: SharedDeliveries
    clock: Clock

    async def expire(self) -> None:
        """Ends the lease by the database's clock."""
        own = bot_processes.c.id == self.lease.process
        await self.database.write_unfenced(
            lambda db: db.execute(bot_processes.update().where(own).values(expires_at=0))
        )

    async def owned(self) -> list[str]:
        return [each.delivery.message_hash for each in await self.shared.owned()]


@asynccontextmanager
async def member(url: str) -> AsyncIterator[Member]:
    database, clock = Database(url), Clock()
    lease = ProcessLease(database, "slack", LEASE_S, clock)
    await database.upgrade()
    await lease.join()
    try:
        yield Member(database, lease, Store(database, lease=lease), SharedDeliveries(lease), clock)
    finally:
        await database.close()


@pytest.fixture
async def first(postgresql_url: str) -> AsyncIterator[Member]:
    async with member(postgresql_url) as opened:
        yield opened


@pytest.fixture
async def second(postgresql_url: str) -> AsyncIterator[Member]:
    async with member(postgresql_url) as opened:
        yield opened


async def test_a_lease_that_is_not_renewed_ends_by_the_clock(first: Member) -> None:
    """It ends before others may take over, without a word from the database."""
    first.clock.now += VALID_SHARE * LEASE_S - 1
    first.lease.check()
    await first.lease.renew()
    first.clock.now += VALID_SHARE * LEASE_S - 1
    first.lease.check()
    first.clock.now += 2
    with pytest.raises(LeaseLost):
        first.lease.check()


async def test_a_process_whose_lease_others_ended_writes_nothing(first: Member, second: Member) -> None:
    """The first refused write also ends its calls to the platform. With a new lease it writes again."""
    await first.expire()
    await second.shared.claim(10)

    with pytest.raises(LeaseLost):
        await first.store.take(message("hello"), "message")
    with pytest.raises(LeaseLost):
        first.lease.check()
    with pytest.raises(LeaseLost):
        await first.lease.renew()

    await first.lease.join()
    assert await first.store.take(message("hello"), "message")
    first.lease.check()


async def test_a_write_under_way_keeps_the_lease(first: Member, second: Member) -> None:
    """Others can end it only once the transaction is over, so that nothing is written after a takeover."""
    inside, finished = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(_db: sa.Connection) -> None:
        loop.call_soon_threadsafe(inside.set)
        finished.wait(30)

    writing = asyncio.create_task(first.database.write(slow))
    await inside.wait()
    await first.expire()
    await second.database.write(end_expired_leases)
    assert [first.lease.process, second.lease.process] == sorted_by_first(await leases(second), first)

    finished.set()
    await writing
    await second.database.write(end_expired_leases)
    assert [second.lease.process] == await leases(second)


async def leases(by: Member) -> list[str]:
    return list(await by.database.read(lambda db: db.execute(sa.select(bot_processes.c.id)).scalars().all()))


def sorted_by_first(processes: list[str], first: Member) -> list[str]:
    return sorted(processes, key=lambda process: process != first.lease.process)


async def test_a_conversation_is_taken_over_whole_and_by_one(
    first: Member, second: Member, postgresql_url: str
) -> None:
    """A message that arrives for a dead owner is stored for it, and goes with the rest."""
    await first.store.take(message("one", 1), "message")
    await first.expire()
    await second.store.take(message("two", 2), "message")
    assert [] == await second.owned()

    async with member(postgresql_url) as third:
        claimed = await asyncio.gather(second.shared.claim(10), third.shared.claim(10))
        assert {0, 2} == set(claimed)
        assert {0, 2} == {len(await each.owned()) for each in (second, third)}


async def test_a_conversation_with_a_living_owner_is_not_taken_over(first: Member, second: Member) -> None:
    """Not even the part of it that its owner gave away."""
    await first.store.take(message("one", 1), "message")
    await first.shared.release(())
    await second.shared.claim(10)
    await second.store.take(message("two", 2), "message")
    await first.lease.leave()
    await first.lease.join()

    assert 0 == await first.shared.claim(10)
    assert 2 == len(await second.owned())


async def test_the_oldest_conversations_are_taken_over_first(first: Member, second: Member) -> None:
    taken = [
        await first.store.take(message("x", number, replace(THREAD, thread=f"{number}.0")), "message")
        for number in range(1, 4)
    ]
    await first.lease.leave()

    assert 2 == await second.shared.claim(2)
    assert [each.message_hash for each in taken[:2] if each] == await second.owned()
