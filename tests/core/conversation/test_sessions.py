"""Conversations: access, durability, and the order of exchanges."""

from __future__ import annotations

import asyncio
import multiprocessing
import traceback
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.contract import Attachment, Turn
from core.conversation.exchanges import Exchange, ExchangeKey, Question
from core.conversation.sessions import EXCHANGES_KEPT_IN_VIEW, Sessions
from core.errors import ConfigError, SessionUnknown, StorageError
from core.storage.database import Database
from tests.support.databases import dump_tables, execute
from tests.support.purging import purge

FULL_DISK = {
    "sqlite": ("CREATE TRIGGER full BEFORE INSERT ON turns BEGIN SELECT RAISE(FAIL, 'disk is full'); END",),
    "postgresql": (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'disk is full' USING DETAIL = new.question; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON turns FOR EACH ROW EXECUTE FUNCTION refuse()",
    ),
}


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sessions(database_url: str, clock: Clock) -> AsyncIterator[Sessions]:
    database = Database(database_url)
    await database.upgrade()
    yield Sessions(database, clock)
    await database.close()


async def test_a_conversation_outlives_its_process(sessions: Sessions, database_url: str) -> None:
    """Another process finds every exchange with its attachments and its ending."""
    name = await sessions.open("whisper", "alice")
    question = Question("Hi?", (Attachment("a.txt", "A"),), (Turn("user", "psst", "Bob"),))
    conversation = await sessions.resume(name, "whisper", "alice")
    key = await sessions.begin_exchange(conversation.id, question, "pasted")
    await sessions.finish_exchange(key, "Hel", "stopped")

    other = Sessions(Database(database_url))
    found = await other.resume(name, "whisper", "alice")

    assert found.exchanges == (Exchange(question, "Hel", "stopped"),)
    assert found.context == "pasted"


async def test_a_question_is_durable_before_its_answer(sessions: Sessions) -> None:
    """An exchange without an end has no reason."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    await sessions.begin_exchange(conversation.id, Question("Hi?"))

    assert (await sessions.resume(name, "whisper")).exchanges == (Exchange(Question("Hi?"), "", None),)


@pytest.mark.parametrize(
    ("personality", "user"), [("chuchotte", "alice"), ("whisper", "mallory"), ("whisper", None), ("", "alice")]
)
async def test_only_its_personality_and_user_have_a_conversation(
    sessions: Sessions, personality: str, user: str | None
) -> None:
    """The id alone does not give access to a user's conversation."""
    name = await sessions.open("whisper", "alice")

    with pytest.raises(SessionUnknown):
        await sessions.resume(name, personality, user)
    with pytest.raises(SessionUnknown):
        await sessions.enter(name, personality, user)


async def test_a_client_cannot_choose_its_id(sessions: Sessions) -> None:
    """An invented "web:" id stays unknown, also after several uses."""
    for _ in range(2):
        with pytest.raises(SessionUnknown):
            await sessions.enter("web:chosen", "whisper")


async def test_ids_are_unguessable_and_stored_as_hashes(sessions: Sessions, database_url: str) -> None:
    """The database's content gives no access: the id of a conversation with an owner is of no use without the owner."""
    name, owned = await sessions.open("whisper"), await sessions.open("whisper", "alice@example.gc.ca")
    stored = str(dump_tables(database_url))

    assert len(name) >= len("web:") + 43
    assert name.removeprefix("web:") not in stored
    assert owned in stored
    assert "alice@example.gc.ca" not in stored


async def test_a_platforms_conversation_begins_when_first_used(sessions: Sessions) -> None:
    """Each personality has its own history under a platform's id, for all speakers."""
    first = await sessions.enter("slack:T:C:1", "whisper", "alice")
    again = await sessions.enter("slack:T:C:1", "whisper", "bob")
    other = await sessions.enter("slack:T:C:1", "chuchotte", "bob")

    assert first.id == again.id != other.id


async def test_a_forgotten_conversation_stays_deleted(sessions: Sessions) -> None:
    """Nothing remains, a late answer does not restore it, and a second deletion is an error."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    key = await sessions.begin_exchange(conversation.id, Question("secret"))
    await sessions.forget(name)
    await sessions.finish_exchange(key, "more", "stop")

    with pytest.raises(SessionUnknown):
        await sessions.resume(name, "whisper")
    with pytest.raises(SessionUnknown):
        await sessions.forget(name)
    with pytest.raises(SessionUnknown):
        await sessions.begin_exchange(conversation.id, Question("again"))


async def test_turns_of_a_deleted_conversation_do_not_reach_the_next(sessions: Sessions) -> None:
    """SQLite reuses a freed id; its old exchanges are deleted with their conversation."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    await sessions.begin_exchange(conversation.id, Question("mine"))
    await sessions.forget(name)

    assert (await sessions.resume(await sessions.open("whisper"), "whisper")).exchanges == ()


async def test_a_withdrawn_turn_leaves_nothing(sessions: Sessions) -> None:
    """Neither question nor context remains: the next prompt is the first again."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    await sessions.withdraw_exchange(await sessions.begin_exchange(conversation.id, Question("x"), "huge"))

    assert await sessions.resume(name, "whisper") == conversation


async def test_old_conversations_are_purged(sessions: Sessions, database_url: str, clock: Clock) -> None:
    """Only conversations older than the limit go; an exchange renews a conversation."""
    old, used = await sessions.open("whisper"), await sessions.open("whisper")
    clock.now += 1000
    await sessions.begin_exchange((await sessions.resume(used, "whisper")).id, Question("hi"))

    database = Database(database_url)
    assert await purge(database, timedelta(seconds=999), clock.now) == {"conversations": 1}
    await database.close()
    await sessions.resume(used, "whisper")
    with pytest.raises(SessionUnknown):
        await sessions.resume(old, "whisper")


async def test_turns_at_once_get_different_numbers(sessions: Sessions) -> None:
    """No question is lost without the engine's lock, for example in two processes."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")

    keys = await asyncio.gather(*(sessions.begin_exchange(conversation.id, Question(str(n))) for n in range(8)))

    assert {key.number for key in keys} == set(range(1, 9))


async def test_a_very_long_conversation_is_read_in_part(sessions: Sessions) -> None:
    """The view contains the latest exchanges and the number of earlier ones."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    for number in range(EXCHANGES_KEPT_IN_VIEW + 2):
        await sessions.begin_exchange(conversation.id, Question(str(number)))

    found = await sessions.resume(name, "whisper")

    assert found.earlier == 2
    assert found.exchanges[0].question.text == "2"


def use(database_url: str, count: int) -> None:
    async def work() -> None:
        database = Database(database_url)
        await database.upgrade()
        sessions = Sessions(database)
        shared = await sessions.enter("slack:T:C:shared", "whisper")
        for number in range(count):
            key = await sessions.begin_exchange(shared.id, Question(str(number)))
            await sessions.finish_exchange(key, "ok", "stop")

    asyncio.run(work())


async def test_processes_create_and_share_one_database(database_url: str) -> None:
    """Four processes start at once without a file and lose nothing."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=use, args=(database_url, 5)) for _ in range(4)]
    for process in processes:
        process.start()
    await asyncio.gather(*(asyncio.to_thread(process.join) for process in processes))

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    shared = await Sessions(Database(database_url)).enter("slack:T:C:shared", "whisper")
    assert len(shared.exchanges) == 20


async def test_database_errors_do_not_contain_peoples_messages(sessions: Sessions, database_url: str) -> None:
    """A full disk is a StorageError with the database's message and without the question."""
    secret = "-".join("my secret")  # no line of this file that a traceback could show
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    execute(database_url, *FULL_DISK[sa.make_url(database_url).get_backend_name()])

    with pytest.raises(StorageError, match="disk is full") as caught:
        await sessions.begin_exchange(conversation.id, Question(secret))

    assert secret not in "".join(traceback.format_exception(caught.value))


async def test_unusable_storage_is_an_error_at_once(tmp_path: Path) -> None:
    """A bad URL is a ConfigError; a file in the place of a folder is a StorageError."""
    for url in ("nonsense", "sqlite://", "sqlite:///:memory:", "nodb://x/y"):
        with pytest.raises(ConfigError, match="DATABASE_URL"):
            Database(url)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be created"):
        Database(f"sqlite:///{tmp_path / 'file' / 'x.db'}")


async def test_the_database_is_not_readable_by_others(tmp_path: Path) -> None:
    """Only the service's account may read people's messages."""
    file = tmp_path / "folder" / "sessions.db"
    await Database(f"sqlite:///{file}").upgrade()

    assert file.stat().st_mode & 0o077 == 0


async def test_finishing_a_turn_that_is_not_there_changes_nothing(sessions: Sessions) -> None:
    """Finishing does not create an exchange."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    await sessions.finish_exchange(ExchangeKey(conversation.id, 7), "x", "stop")

    assert (await sessions.resume(name, "whisper")).exchanges == ()


async def test_any_text_of_a_model_can_be_stored(sessions: Sessions) -> None:
    """A token may contain NUL and half surrogate pairs; a database cannot store them."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    await sessions.finish_exchange(await sessions.begin_exchange(conversation.id, Question("?")), "a\0b\ud83dc", "stop")

    assert (await sessions.resume(name, "whisper")).exchanges[0].answer == "ab?c"


async def test_a_platforms_conversation_is_not_resumed_by_its_id(sessions: Sessions) -> None:
    """Its id can be guessed, so the error is the same as for an unknown one."""
    await sessions.enter("slack:T1:C2:1712.5", "whisper")

    with pytest.raises(SessionUnknown, match="no such session"):
        await sessions.resume("slack:T1:C2:1712.5", "whisper")
