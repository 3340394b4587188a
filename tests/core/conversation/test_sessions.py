"""Conversations: who may have them, that they last, and that turns follow one another."""

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
from core.conversation.sessions import EXCHANGES_KEPT_IN_VIEW, Sessions
from core.conversation.turns import Exchange, Question, RunningTurn
from core.errors import ConfigError, SessionUnknown, StorageError
from core.storage.database import Database
from tests.support.databases import dumped, execute

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
    """Another process finds every turn as it was, with what came along and how it ended."""
    name = await sessions.open("whisper", "alice")
    question = Question("Hi?", (Attachment("a.txt", "A"),), (Turn("user", "psst", "Bob"),))
    conversation = await sessions.resume(name, "whisper", "alice")
    turn = await sessions.begin_turn(conversation.id, question, "pasted")
    await sessions.finish_turn(turn, "Hel", "stopped")

    other = Sessions(Database(database_url))
    found = await other.resume(name, "whisper", "alice")

    assert found.exchanges == (Exchange(question, "Hel", "stopped"),)
    assert found.context == "pasted"


async def test_a_question_is_durable_before_its_answer(sessions: Sessions) -> None:
    """A turn that never ended is there, marked as not ended."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    await sessions.begin_turn(conversation.id, Question("Hi?"))

    assert (await sessions.resume(name, "whisper")).exchanges == (Exchange(Question("Hi?"), "", None),)


@pytest.mark.parametrize(
    ("personality", "user"), [("chuchotte", "alice"), ("whisper", "mallory"), ("whisper", None), ("", "alice")]
)
async def test_only_its_personality_and_user_have_a_conversation(
    sessions: Sessions, personality: str, user: str | None
) -> None:
    """The id alone does not open a conversation that is bound to somebody."""
    name = await sessions.open("whisper", "alice")

    with pytest.raises(SessionUnknown):
        await sessions.resume(name, personality, user)
    with pytest.raises(SessionUnknown):
        await sessions.enter(name, personality, user)


async def test_a_client_cannot_choose_its_id(sessions: Sessions) -> None:
    """A "web:" id that was not issued stays unknown, however often it is used."""
    for _ in range(2):
        with pytest.raises(SessionUnknown):
            await sessions.enter("web:chosen", "whisper")


async def test_ids_are_unguessable_and_stored_as_hashes(sessions: Sessions, database_url: str) -> None:
    """Whoever reads the database cannot use what is in it."""
    name = await sessions.open("whisper", "alice@example.gc.ca")
    stored = str(dumped(database_url))

    assert len(name) >= len("web:") + 43
    assert name.removeprefix("web:") not in stored
    assert "alice@example.gc.ca" not in stored


async def test_a_platforms_conversation_begins_when_first_used(sessions: Sessions) -> None:
    """Each personality has its own history under a platform's id, whoever speaks."""
    first = await sessions.enter("slack:T:C:1", "whisper", "alice")
    again = await sessions.enter("slack:T:C:1", "whisper", "bob")
    other = await sessions.enter("slack:T:C:1", "chuchotte", "bob")

    assert first.id == again.id != other.id


async def test_forgotten_is_forgotten(sessions: Sessions) -> None:
    """Nothing of it is left, a late answer does not bring it back, and forgetting twice is told."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    turn = await sessions.begin_turn(conversation.id, Question("secret"))
    await sessions.forget(name)
    await sessions.finish_turn(turn, "more", "stop")

    with pytest.raises(SessionUnknown):
        await sessions.resume(name, "whisper")
    with pytest.raises(SessionUnknown):
        await sessions.forget(name)
    with pytest.raises(SessionUnknown):
        await sessions.begin_turn(conversation.id, Question("again"))


async def test_turns_of_a_deleted_conversation_do_not_reach_the_next(sessions: Sessions) -> None:
    """SQLite uses a freed number again; the turns under it went with their conversation."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    await sessions.begin_turn(conversation.id, Question("mine"))
    await sessions.forget(name)

    assert (await sessions.resume(await sessions.open("whisper"), "whisper")).exchanges == ()


async def test_a_withdrawn_turn_leaves_nothing(sessions: Sessions) -> None:
    """Neither question nor context: the next prompt is again the first."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    await sessions.withdraw_turn(await sessions.begin_turn(conversation.id, Question("x"), "huge"))

    assert await sessions.resume(name, "whisper") == conversation


async def test_what_nobody_continued_is_purged(sessions: Sessions, clock: Clock) -> None:
    """Only what is older than the limit goes; a turn makes a conversation young."""
    old, used = await sessions.open("whisper"), await sessions.open("whisper")
    clock.now += 1000
    await sessions.begin_turn((await sessions.resume(used, "whisper")).id, Question("hi"))

    assert await sessions.purge(timedelta(seconds=999)) == 1
    await sessions.resume(used, "whisper")
    with pytest.raises(SessionUnknown):
        await sessions.resume(old, "whisper")


async def test_turns_at_once_get_different_numbers(sessions: Sessions) -> None:
    """Also without the engine's lock, as from two processes, no question is lost."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")

    turns = await asyncio.gather(*(sessions.begin_turn(conversation.id, Question(str(n))) for n in range(8)))

    assert {turn.number for turn in turns} == set(range(1, 9))


async def test_a_very_long_conversation_is_read_in_part(sessions: Sessions) -> None:
    """The latest turns are given, and how many came before them."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    for number in range(EXCHANGES_KEPT_IN_VIEW + 2):
        await sessions.begin_turn(conversation.id, Question(str(number)))

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
            turn = await sessions.begin_turn(shared.id, Question(str(number)))
            await sessions.finish_turn(turn, "ok", "stop")

    asyncio.run(work())


async def test_processes_create_and_share_one_database(database_url: str) -> None:
    """Four that begin at once on no file at all lose nothing."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=use, args=(database_url, 5)) for _ in range(4)]
    for process in processes:
        process.start()
    await asyncio.gather(*(asyncio.to_thread(process.join) for process in processes))

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    shared = await Sessions(Database(database_url)).enter("slack:T:C:shared", "whisper")
    assert len(shared.exchanges) == 20


async def test_a_refusal_of_the_database_is_told_without_what_people_wrote(
    sessions: Sessions, database_url: str
) -> None:
    """A full disk is a StorageError with the database's words, not with the question."""
    secret = "-".join("my secret")  # no line of this file that a traceback could show
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    execute(database_url, *FULL_DISK[sa.make_url(database_url).get_backend_name()])

    with pytest.raises(StorageError, match="disk is full") as caught:
        await sessions.begin_turn(conversation.id, Question(secret))

    assert secret not in "".join(traceback.format_exception(caught.value))


async def test_storage_that_cannot_be_used_is_told_at_once(tmp_path: Path) -> None:
    """A bad URL is the operator's error; a file in the place of a folder too is told."""
    for url in ("nonsense", "sqlite://", "sqlite:///:memory:", "nodb://x/y"):
        with pytest.raises(ConfigError, match="DATABASE_URL"):
            Database(url)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be created"):
        Database(f"sqlite:///{tmp_path / 'file' / 'x.db'}")


async def test_the_database_is_not_readable_by_others(tmp_path: Path) -> None:
    """What people wrote is for the service's account alone."""
    file = tmp_path / "folder" / "sessions.db"
    await Database(f"sqlite:///{file}").upgrade()

    assert file.stat().st_mode & 0o077 == 0


async def test_finishing_a_turn_that_is_not_there_changes_nothing(sessions: Sessions) -> None:
    """No turn comes into being by its end."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    await sessions.finish_turn(RunningTurn(conversation.id, 7), "x", "stop")

    assert (await sessions.resume(name, "whisper")).exchanges == ()


async def test_what_a_model_wrote_is_stored_whatever_it_is(sessions: Sessions) -> None:
    """NUL and half characters, which a token can hold and a database cannot."""
    name = await sessions.open("whisper")
    conversation = await sessions.resume(name, "whisper")
    await sessions.finish_turn(await sessions.begin_turn(conversation.id, Question("?")), "a\0b\ud83dc", "stop")

    assert (await sessions.resume(name, "whisper")).exchanges[0].answer == "ab?c"


async def test_a_platforms_conversation_is_not_resumed_by_its_name(sessions: Sessions) -> None:
    """Its name can be guessed: who has nothing else is told what is told of one that is not there."""
    await sessions.enter("slack:T1:C2:1712.5", "whisper")

    with pytest.raises(SessionUnknown, match="no such session"):
        await sessions.resume("slack:T1:C2:1712.5", "whisper")
