"""The lease of a bot's process, in a database that several processes share: PostgreSQL.

A process owns deliveries only while its lease is valid. It renews the lease; one that died or was paused does not, and
the others take over its deliveries. Two fences keep a paused process from going on when it comes back: every write to
the database checks the lease in its own transaction, and every call to the platform checks it by this machine's clock.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import sqlalchemy as sa

from bindings.tables import bot_processes
from core.errors import LeaseLost
from core.storage.database import Database

VALID_SHARE = 0.8  # of the lease: the process stops before others may take over, whatever the clocks do
# A process that is paused within a transaction loses its locks after this time, and others wait no longer for them.
TRANSACTION_LIMITS = ("idle_in_transaction_session_timeout", "lock_timeout")
TRANSACTION_LIMIT_MS = 5_000


def boot_clock() -> float:
    """Seconds that also pass while the machine sleeps, where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ProcessLease:
    """One per process. `process` is the id under which it owns deliveries; each `join` makes a new one.

    Expiry is measured by the database's clock, which all processes share. `clock` gives seconds, and only measures how
    long ago this process renewed.
    """

    def __init__(self, database: Database, platform: str, lease_s: float, clock: Callable[[], float] = boot_clock):
        self.process = ""
        self.platform = platform
        self.lease_s = lease_s
        self.database = database
        self._clock = clock
        self._valid_until = 0.0

    @property
    def valid_s(self) -> float:
        """The seconds for which the lease is certainly valid."""
        return self._valid_until - self._clock()

    def check(self) -> None:
        """Raises LeaseLost, without asking the database."""
        if self.valid_s <= 0:
            raise LeaseLost("the process did not renew its lease in time", retry_after_s=self.lease_s)

    async def join(self) -> None:
        """Starts a lease under a new id, and fences all writes by it from now on. Raises StorageError."""
        began_at, process = self._clock(), secrets.token_hex(8)
        row = {"id": process, "platform": self.platform, "expires_at": database_now() + self.lease_s}
        await self.database.write_unfenced(lambda db: db.execute(bot_processes.insert().values(row)))
        self.database.fence = lambda db: self._check_in_database(db, process)
        self.process = process
        self._valid_until = began_at + VALID_SHARE * self.lease_s

    def _check_in_database(self, db: sa.Connection, process: str) -> None:
        """The fence of all writes. Calls to the platform end with it."""
        try:
            check_lease(db, process)
        except LeaseLost:
            if process == self.process:
                self._valid_until = 0.0
            raise

    async def renew(self) -> None:
        """Raises LeaseLost if others took over, StorageError if the database did not answer: then try again."""
        began_at, own = self._clock(), bot_processes.c.id == self.process
        renewal = bot_processes.update().where(own).values(expires_at=database_now() + self.lease_s)
        await self.database.write(lambda db: db.execute(renewal))
        self._valid_until = began_at + VALID_SHARE * self.lease_s

    async def leave(self) -> None:
        """Ends the lease: others take over at once what this process still owns. Raises StorageError."""
        self._valid_until = 0.0
        await self.database.write(
            lambda db: db.execute(bot_processes.delete().where(bot_processes.c.id == self.process))
        )


def check_lease(db: sa.Connection, process: str) -> None:
    """Keeps the lease until the transaction ends: ending a lease waits for this lock. Raises LeaseLost."""
    limits = (sa.func.set_config(name, str(TRANSACTION_LIMIT_MS), True) for name in TRANSACTION_LIMITS)
    own = sa.select(*limits).select_from(bot_processes).where(bot_processes.c.id == process)
    if db.execute(own.with_for_update(read=True, key_share=True)).first() is None:
        raise lease_lost()


def lease_lost() -> LeaseLost:
    return LeaseLost("other processes took over the deliveries of this one", retry_after_s=1.0)


def database_now() -> sa.ColumnElement[float]:
    """Seconds since 1970 by PostgreSQL's clock."""
    return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Float)


def end_expired_leases(db: sa.Connection) -> None:
    """Ends the leases that were not renewed. One that a transaction of its process still keeps is ended later."""
    expired = sa.select(bot_processes.c.id).where(bot_processes.c.expires_at < database_now())
    db.execute(bot_processes.delete().where(bot_processes.c.id.in_(expired.with_for_update(skip_locked=True))))
