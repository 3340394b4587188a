"""Deleted conversations: the model process forgets what it computed for them, sooner or later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.conversation.forgotten_states import (
    AGAIN_S,
    BATCH_KEYS,
    ForgottenStates,
    cache_key,
    delete_local_states,
    record,
)
from core.conversation.sessions import Sessions
from core.conversation.tables import forgotten_states
from core.errors import ModelUnavailable
from core.runtime.digest import hash_id
from core.storage.database import Database
from tests.support.purging import purge

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


async def test_keys_are_passed_on_again_for_requests_that_were_on_their_way(database: Database) -> None:
    """Such a request may have made a new state after the first time. After the second the keys are deleted."""
    models, clock = Models(), Clock()
    forgotten = ForgottenStates(database, models, KEEP, clock)
    await database.write(lambda db: record(db, ["a"], clock.now_s))
    await forgotten.pass_on()
    clock.now_s += AGAIN_S
    await forgotten.pass_on()
    await forgotten.pass_on()

    assert models.forgotten == ["a", "a"]
    assert await pending(database) == 0


async def test_a_conversation_that_began_again_is_forgotten_again(database: Database) -> None:
    """A thread of a platform keeps its key; its second deletion is passed on at once, too."""
    models, clock = Models(), Clock()
    sessions = Sessions(database, clock)
    forgotten = ForgottenStates(database, models, KEEP, clock)
    for _ in range(2):
        clock.now_s += 60
        await sessions.enter(THREAD, "whisper")
        await sessions.forget(THREAD)
        await forgotten.pass_on()

    assert models.forgotten == [cache_key(hash_id(THREAD), "whisper")] * 2


def test_a_service_that_remote_engines_answer_keeps_no_local_states(tmp_path: Path) -> None:
    """No worker would delete them. The rest of the data folder stays, and no folder is no failure."""
    (tmp_path / "suspended" / "model").mkdir(parents=True)
    (tmp_path / "suspended" / "model" / "state").write_bytes(b"x")
    (tmp_path / "csps-llm.db").write_bytes(b"x")
    delete_local_states(tmp_path)
    delete_local_states(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["csps-llm.db"]


async def test_the_daily_purge_forgets_in_batches(database: Database) -> None:
    """More conversations than one request holds."""
    models, clock = Models(), Clock()
    sessions = Sessions(database, clock)
    for number in range(3):
        await sessions.enter(f"{THREAD}:{number}", "whisper")
    await database.write(lambda db: record(db, [f"{n:064x}" for n in range(BATCH_KEYS)], clock.now_s))
    clock.now_s += 60
    assert await purge(database, timedelta(seconds=30), clock.now_s) == {"conversations": 3}
    await ForgottenStates(database, models, KEEP, clock).pass_on()

    assert len(models.forgotten) == len(set(models.forgotten)) == BATCH_KEYS + 3


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
