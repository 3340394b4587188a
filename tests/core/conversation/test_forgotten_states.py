"""Deleted conversations: the model process forgets what it computed for them, sooner or later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.conversation.forgotten_states import BATCH_KEYS, ForgottenStates, cache_key, record
from core.conversation.sessions import Sessions
from core.conversation.tables import forgotten_states
from core.errors import ModelUnavailable
from core.runtime.digest import hash_id
from core.storage.database import Database

THREAD = "slack:T1:C1:1"
KEEP = timedelta(days=31)


class Models:
    """Engines that are away until a test lets them answer."""

    def __init__(self) -> None:
        self.away = False
        self.forgotten: list[str] = []
        self.tried = asyncio.Event()

    async def forget(self, keys: Sequence[str]) -> None:
        self.tried.set()
        if self.away:
            raise ModelUnavailable("away")
        self.forgotten += keys


class Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.upgrade()
    yield database
    await database.close()


async def pending(database: Database) -> int:
    count = sa.select(sa.func.count()).select_from(forgotten_states)
    return int(await database.read(lambda db: db.execute(count).scalar_one()))


async def test_a_deleted_conversation_is_forgotten_under_every_personality(database: Database) -> None:
    """Its key is the one that its prompts had. Other conversations stay."""
    models, sessions = Models(), Sessions(database)
    keys = {(await sessions.enter(THREAD, name)).cache_key for name in ("whisper", "guide")}
    await sessions.enter("slack:T1:C1:2", "whisper")
    await sessions.forget(THREAD)
    await ForgottenStates(database, models, KEEP).pass_on()

    assert set(models.forgotten) == keys
    assert len(keys) == 2
    assert await pending(database) == 0
    assert sessions.deleted.is_set()


async def test_keys_wait_for_a_model_process_that_is_away(database: Database) -> None:
    """They are passed on by another process, after a restart of this one, and once."""
    models, sessions = Models(), Sessions(database)
    await sessions.enter(THREAD, "whisper")
    models.away = True
    await sessions.forget(THREAD)
    with pytest.raises(ModelUnavailable):
        await ForgottenStates(database, models, KEEP).pass_on()
    assert await pending(database) == 1

    models.away = False
    other = ForgottenStates(database, models, KEEP)
    await other.pass_on()
    await other.pass_on()
    assert models.forgotten == [cache_key(hash_id(THREAD), "whisper")]


async def test_the_daily_purge_forgets_in_batches(database: Database) -> None:
    """More conversations than one request holds."""
    models, clock = Models(), Clock()
    sessions = Sessions(database, clock)
    for number in range(3):
        await sessions.enter(f"{THREAD}:{number}", "whisper")
    await database.write(lambda db: record(db, [f"{n:064x}" for n in range(BATCH_KEYS)], clock.now_s))
    clock.now_s += 60
    assert await sessions.purge(timedelta(seconds=30)) == 3
    await ForgottenStates(database, models, KEEP, clock).pass_on()

    assert len(set(models.forgotten)) == BATCH_KEYS + 3
    assert await pending(database) == 0


async def test_nothing_is_recorded_if_the_deletion_fails(database: Database) -> None:
    """Deletion and record are one transaction."""
    sessions = Sessions(database)
    with pytest.raises(Exception, match="no such session"):
        await sessions.forget(THREAD)

    assert await pending(database) == 0
    assert not sessions.deleted.is_set()


async def test_keys_of_a_model_that_never_comes_back_expire(database: Database) -> None:
    """It deletes unused states by itself after the same time."""
    models, clock = Models(), Clock()
    await database.write(lambda db: record(db, ["a"], clock.now_s))
    clock.now_s += KEEP.total_seconds() - 1
    models.away = True
    forgotten = ForgottenStates(database, models, KEEP, clock)
    with pytest.raises(ModelUnavailable):
        await forgotten.pass_on()
    assert await pending(database) == 1
    clock.now_s += 2
    await forgotten.pass_on()

    assert await pending(database) == 0


async def test_a_deletion_is_passed_on_at_once(database: Database) -> None:
    """The background task waits for deletions, at start it looks for what others left."""
    models, sessions = Models(), Sessions(database)
    await sessions.enter(THREAD, "whisper")
    running = asyncio.create_task(ForgottenStates(database, models, KEEP).run(sessions.deleted))
    await sessions.forget(THREAD)
    await asyncio.wait_for(models.tried.wait(), 20)
    running.cancel()

    assert models.forgotten == [cache_key(hash_id(THREAD), "whisper")]


async def test_the_key_reveals_neither_the_conversation_nor_its_row(database: Database) -> None:
    """A model process that lists its keys cannot open a conversation."""
    sessions = Sessions(database)
    name = await sessions.open("whisper")
    key = (await sessions.resume(name, "whisper")).cache_key

    assert key is not None
    assert key not in (name, hash_id(name))
    assert hash_id(name) not in key
    assert len(key) == 64
