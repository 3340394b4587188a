"""Has the model process forget what it computed for deleted conversations, also if it is away when they are deleted.

`Sessions` records the keys in the transaction that deletes the conversations. They stay in the database until the model
process has answered. Any process of the service may pass them on, several times if need be.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Protocol

import sqlalchemy as sa
import structlog

from core.conversation.tables import forgotten_states
from core.errors import CspsError
from core.runtime.digest import hash_id
from core.storage.database import Database, put_new

log = structlog.get_logger()

BATCH_KEYS = 500
INTERVAL_S = 60.0  # between two looks for the keys of other processes, and after a failure


class Forgetter(Protocol):
    """A client of models (`core.model.client`)."""

    async def forget(self, keys: Sequence[str]) -> None:
        """Raises CspsError if a model process could not be reached."""


class ForgottenStates:
    """One per process. `keep`: a model process deletes unused states by itself after this time."""

    def __init__(
        self, database: Database, forgetter: Forgetter, keep: timedelta, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._forgetter = forgetter
        self._keep = keep
        self._clock = clock

    async def run(self, changed: asyncio.Event) -> None:
        """Passes on the keys at start, after each `changed` and now and then, until cancelled."""
        while True:
            changed.clear()
            try:
                await self.pass_on()
            except CspsError as exc:
                log.debug("states_not_forgotten_yet", code=exc.code, problem=exc.message)
            try:
                async with asyncio.timeout(INTERVAL_S):
                    await changed.wait()
            except TimeoutError:
                pass

    async def pass_on(self) -> None:
        """Passes all recorded keys on. Raises CspsError if the model process or the database is away."""
        last = self._clock() - self._keep.total_seconds()
        expired = forgotten_states.delete().where(forgotten_states.c.forgotten_at < last)
        await self._database.write(lambda db: db.execute(expired))
        while keys := await self._database.read(pending):
            await self._forgetter.forget(keys)
            done = forgotten_states.delete().where(forgotten_states.c.key.in_(keys))
            await self._database.write(lambda db, done=done: db.execute(done))  # type: ignore[misc]


def pending(db: sa.Connection) -> list[str]:
    """The keys to pass on next."""
    return list(db.execute(sa.select(forgotten_states.c.key).limit(BATCH_KEYS)).scalars())


def record(db: sa.Connection, keys: Iterable[str], now: float) -> None:
    for key in keys:
        put_new(db, forgotten_states, {"key": key, "forgotten_at": now})


def cache_key(conversation_key: str, personality: str) -> str:
    """The name under which engines know a conversation: a digest of its digest, which no database contains."""
    return hash_id(f"prompt cache {conversation_key} {personality}")
