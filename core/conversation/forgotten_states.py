"""Has the model process forget what it computed for deleted conversations, also if it is away when they are deleted.

`Sessions` records the keys in the transaction that deletes the conversations. They are passed on at once, and again
after AGAIN_S: a request of the conversation may have been on its way to the model process when it was deleted. Then
they leave the database. Any process of the service may pass them on, several times if need be.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
import structlog

from core.conversation.tables import forgotten_states
from core.errors import CspsError
from core.runtime.digest import hash_id
from core.storage.database import Database, put

log = structlog.get_logger()

BATCH_KEYS = 500
AGAIN_S = 900.0  # longer than a request waits for a model
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
        self._passed_on: dict[str, float] = {}  # keys, and when their conversations were deleted

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
        settled = self._clock() - AGAIN_S
        recorded = await self._database.read(load_recorded)
        self._passed_on = {key: at for key, at in self._passed_on.items() if recorded.get(key) == at}
        due = [key for key, at in recorded.items() if at <= settled or key not in self._passed_on]
        for start in range(0, len(due), BATCH_KEYS):
            keys = due[start : start + BATCH_KEYS]
            await self._forgetter.forget(keys)
            self._passed_on.update({key: recorded[key] for key in keys})
            columns = forgotten_states.c
            done = forgotten_states.delete().where(columns.key.in_(keys), columns.forgotten_at <= settled)
            await self._database.write(lambda db, done=done: db.execute(done))  # type: ignore[misc]


def load_recorded(db: sa.Connection) -> dict[str, float]:
    """The recorded keys, and when their conversations were deleted."""
    rows = db.execute(sa.select(forgotten_states.c.key, forgotten_states.c.forgotten_at))
    return {row.key: row.forgotten_at for row in rows}


def record(db: sa.Connection, keys: Iterable[str], now: float) -> None:
    """Records deleted conversations; one that began again and is deleted again counts from now."""
    for key in keys:
        put(db, forgotten_states, {"key": key, "forgotten_at": now})


def delete_local_states(data_folder: Path) -> None:
    """Deletes what local models keep of callers, for a service that only remote engines answer: no worker would."""
    folder = data_folder / "suspended"
    if folder.exists():
        log.info("suspended_states_deleted", reason="LLM_URL is set")
        shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(data_folder / "schemas", ignore_errors=True)


def cache_key(conversation_key: str, personality: str) -> str:
    """The name under which engines know a conversation: a digest of its digest, which no database contains."""
    return hash_id(f"prompt cache {conversation_key} {personality}")
