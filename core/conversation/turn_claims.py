"""Turns of conversations that several processes answer: one turn at a time, whichever process it runs in.

A turn is claimed by a row that bears its token. Each write of the turn checks the token in its own transaction, so a
process that was paused or cut off writes nothing after another one took the conversation over. A process is alive while
it renews its lease; a restart of the database costs no lease. Only PostgreSQL is shared: on SQLite one process answers,
and a lock in it is enough.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog

from core.conversation.tables import conversations, turn_claims, turn_processes
from core.errors import LeaseLost, StorageError
from core.runtime.background_tasks import BackgroundTasks
from core.runtime.digest import hash_id
from core.storage.database import Database, put, put_new

log = structlog.get_logger()

LEASE_S = 10.0
RENEW_S = 3.0
POLL_S = 0.5  # between two looks for signals, while turns run; the rows of ended ones are deleted then too
RETRY_S = 0.25  # between two tries to claim a conversation in which another process answers
STALE_S = 3600.0  # after which the row of a dead process is deleted


@dataclass(eq=False, slots=True)
class Turn:
    """A turn. `conversation` is its hash. `task` is cancelled if the turn is stopped or lost."""

    conversation: str
    task: asyncio.Task[Any] | None
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    tries: int = 0  # to claim it, that are on their way to the database
    is_claimed: bool = False

    def check(self, db: sa.Connection) -> None:
        """Keeps the claim until the transaction ends. Raises LeaseLost if another process took the conversation."""
        own = sa.select(turn_claims.c.turn).where(
            turn_claims.c.conversation == self.conversation, turn_claims.c.turn == self.token
        )
        if db.execute(own.with_for_update(read=True)).first() is None:
            raise LeaseLost("another process took over this conversation", retry_after_s=1.0)


class TurnClaims:
    """The turns of one process. `run` keeps them; without it, others take them over after `lease_s`."""

    def __init__(self, database: Database, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._lease_s = lease_s
        self._process = secrets.token_hex(8)
        self._turns: set[Turn] = set()
        self._ended: set[Turn] = set()  # whose rows are still to be deleted
        self._tries = BackgroundTasks()
        self._woken = asyncio.Event()
        self._renew_at: float | None = None  # by the loop's clock; None: the lease has not begun

    @asynccontextmanager
    async def claim(self, conversation: str) -> AsyncGenerator[Turn, None]:
        """Waits until no other process answers in the conversation, and holds it. Raises StorageError.

        The callers of one process come one after another by themselves.
        """
        turn = Turn(hash_id(conversation), asyncio.current_task())
        self._turns.add(turn)
        try:
            if self._renew_at is None:
                await self._renew()
            while not await self._tries.shield(self._try_to_claim(turn)):  # noqa: ASYNC110 - the other is elsewhere
                await asyncio.sleep(RETRY_S)
            turn.is_claimed = True
            self._woken.set()
            yield turn
        finally:
            self._turns.remove(turn)
            self._ended.add(turn)  # this process can begin the next turn at once, others when the row is deleted

    async def is_held_elsewhere(self, conversation: str) -> bool:
        """True while another living process answers in the conversation. Raises StorageError."""
        held = sa.select(turn_claims.c.turn).where(
            turn_claims.c.conversation == hash_id(conversation),
            turn_claims.c.process != self._process,
            self._is_living(turn_claims.c.process),
        )
        return await self._database.read(lambda db: db.execute(held).first() is not None)

    async def wait_elsewhere(self, conversation: str) -> None:
        """Returns when no other living process answers in the conversation. Raises StorageError."""
        while await self.is_held_elsewhere(conversation):  # noqa: ASYNC110 - it is held elsewhere
            await asyncio.sleep(POLL_S)

    async def stop_elsewhere(self, *matching: sa.ColumnElement[bool]) -> None:
        """Asks other processes to stop their answers in these conversations. Raises StorageError."""
        keys = sa.select(conversations.c.key).where(*matching)
        request = turn_claims.update().where(turn_claims.c.conversation.in_(keys)).values(signal="stop")
        await self._database.write(lambda db: db.execute(request), repeatable=True)

    async def run(self) -> None:
        """Keeps the lease and the turns until cancelled."""
        while True:
            self._woken.clear()
            try:
                await self._keep()
            except StorageError as exc:
                log.warning("turns_not_renewed", problem=exc.message)
            if self._turns or self._ended:
                await asyncio.sleep(POLL_S)  # one look for all turns, however many begin and end meanwhile
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._idle_pause_s):
                        await self._woken.wait()

    async def leave(self) -> None:
        """Gives up the lease and all turns, which have ended. While the database is away, the lease ends by itself."""
        await self._tries.join()
        if self._renew_at is None:
            return
        try:
            await self._database.write(lambda db: forget_process(db, turn_processes.c.id == self._process))
        except StorageError as exc:
            log.warning("turns_not_given_up", problem=exc.message)

    @property
    def _idle_pause_s(self) -> float | None:
        return None if self._renew_at is None else RENEW_S

    async def _keep(self) -> None:
        """Renews the lease, deletes the rows of ended turns, and cancels those that were stopped or lost."""
        if self._renew_at is None:
            return
        if asyncio.get_running_loop().time() >= self._renew_at:
            await self._renew()
        ended = {turn.token for turn in self._ended if not turn.tries}
        watched = [turn for turn in self._turns if turn.is_claimed]
        if not ended and not watched:
            return
        going_on = await self._look(ended, [turn.token for turn in watched])
        self._ended = {turn for turn in self._ended if turn.token not in ended}
        self._cancel_lost(watched, going_on)

    async def _look(self, ended: Collection[str], watched: Sequence[str]) -> Collection[str]:
        """Deletes the rows of ended turns, and returns those of the others that go on, in one transaction."""
        rows = sa.select(turn_claims.c.turn).where(turn_claims.c.turn.in_(watched), turn_claims.c.signal.is_(None))

        def look(db: sa.Connection) -> set[str]:
            if ended:
                db.execute(turn_claims.delete().where(turn_claims.c.turn.in_(ended)))
            return set(db.execute(rows).scalars().all())

        return await (self._database.write(look) if ended else self._database.read(look))

    def _cancel_lost(self, watched: Sequence[Turn], going_on: Collection[str]) -> None:
        """Cancels the turns that another process asked to stop or took over, and those of deleted conversations."""
        for turn in watched:
            if turn.token not in going_on and turn in self._turns and turn.task:
                log.info("turn_ended_by_another_process")
                turn.task.cancel()

    async def _renew(self) -> None:
        until = database_now() + self._lease_s
        row = {"id": self._process, "expires_at": until}
        await self._database.write(lambda db: put(db, turn_processes, row), repeatable=True)
        if self._renew_at is None:
            stale = turn_processes.c.expires_at < database_now() - STALE_S
            await self._database.write(lambda db: forget_process(db, stale))
        self._renew_at = asyncio.get_running_loop().time() + RENEW_S

    async def _try_to_claim(self, turn: Turn) -> bool:
        turn.tries += 1
        try:
            return await self._database.write(lambda db: self._claim(db, turn), repeatable=True)
        finally:
            turn.tries -= 1

    def _claim(self, db: sa.Connection, turn: Turn) -> bool:
        """Claims the conversation, unless another living process has it."""
        row = {"conversation": turn.conversation, "process": self._process, "turn": turn.token}
        if put_new(db, turn_claims, row):
            return True
        this = turn_claims.c.conversation == turn.conversation
        holder = db.execute(sa.select(turn_claims.c.process).where(this).with_for_update()).scalar()
        # In a statement of its own: it then sees the lease of a process that began after the first one.
        if holder is None or (holder != self._process and db.execute(sa.select(self._is_living(holder))).scalar()):
            return False
        db.execute(turn_claims.update().where(this).values({**row, "signal": None}))
        return True

    def _is_living(self, process: sa.ColumnElement[str] | str) -> sa.ColumnElement[bool]:
        """True if the process renewed its lease, or had no time to do so since the database started."""
        just_started = sa.extract("epoch", sa.func.pg_postmaster_start_time()) > database_now() - self._lease_s
        lease = sa.select(turn_processes.c.id).where(
            turn_processes.c.id == process, sa.or_(turn_processes.c.expires_at > database_now(), just_started)
        )
        return lease.exists()


def forget_process(db: sa.Connection, *matching: sa.ColumnElement[bool]) -> None:
    """Deletes processes and their claims."""
    processes = sa.select(turn_processes.c.id).where(*matching)
    db.execute(turn_claims.delete().where(turn_claims.c.process.in_(processes)))
    db.execute(turn_processes.delete().where(*matching))


def database_now() -> sa.ColumnElement[float]:
    """Seconds since 1970 by PostgreSQL's clock, which all processes share."""
    return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Float)
