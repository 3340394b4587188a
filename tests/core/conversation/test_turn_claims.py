"""Turns of one conversation in two processes on one PostgreSQL: their order, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from core.contract import Prompt
from core.conversation.exchanges import Question
from core.conversation.recording import ExchangeRecorder, OpenExchange
from core.conversation.sessions import Sessions, is_named
from core.conversation.tables import turn_claims, turn_processes
from core.conversation.turn_claims import TurnClaims
from core.errors import LeaseLost
from core.runtime.background_tasks import run_beside
from core.storage.database import Database
from tests.core.support_chatting import whisper
from tests.support.databases import dump_tables, execute

pytestmark = pytest.mark.slow

OWNER = "visitor:a"


@dataclass
class Process:
    """A process of the service, as far as conversations are concerned."""

    database: Database
    sessions: Sessions
    claims: TurnClaims
    recorder: ExchangeRecorder

    @asynccontextmanager
    async def answering(self, conversation: str, text: str = "?", **fields: bool) -> AsyncIterator[OpenExchange]:
        prompt = Prompt("whisper", text, conversation, owner=OWNER, **fields)  # type: ignore[arg-type]
        async with self.recorder.open_exchange(prompt, whisper()) as exchange:
            yield exchange

    async def answer(self, conversation: str, text: str) -> None:
        async with self.answering(conversation, text) as exchange:
            exchange.text = f"re: {text}"
            await self.recorder.finish(exchange, "stop")


@asynccontextmanager
async def process(url: str) -> AsyncIterator[Process]:
    database = Database(url)
    await database.upgrade()
    sessions, claims = Sessions(database), TurnClaims(database)
    try:
        async with run_beside(claims.run()):
            yield Process(database, sessions, claims, ExchangeRecorder(sessions, claims))
        await claims.leave()
    finally:
        await database.close()


@pytest.fixture
async def first(postgresql_url: str) -> AsyncIterator[Process]:
    async with process(postgresql_url) as running:
        yield running


@pytest.fixture
async def second(first: Process, postgresql_url: str) -> AsyncIterator[Process]:
    async with process(postgresql_url) as running:
        yield running


@pytest.fixture
async def conversation(first: Process) -> str:
    return await first.sessions.open("whisper", OWNER)


async def stored(by: Process, conversation: str) -> list[tuple[str, str, str | None]]:
    found = await by.sessions.resume(conversation, "whisper", OWNER)
    return [(each.question.text, each.answer, each.reason) for each in found.exchanges]


async def expire(by: Process) -> None:
    """Ends all leases as time would, if their processes were dead or paused, long after the database started."""
    by.claims._lease_s = 0.0
    await by.database.write(lambda db: db.execute(turn_processes.update().values(expires_at=0.0)))


async def test_a_turn_waits_for_the_one_in_another_process(first: Process, second: Process, conversation: str) -> None:
    """It sees the whole earlier exchange."""
    async with first.answering(conversation, "one") as exchange:
        later = asyncio.create_task(second.answer(conversation, "two"))
        waiting = await second.claims.is_held_elsewhere(conversation)
        exchange.text = "re: one"
        await first.recorder.finish(exchange, "stop")
        assert not later.done()
    await later

    assert waiting
    assert [("one", "re: one", "stop"), ("two", "re: two", "stop")] == await stored(first, conversation)


async def test_turns_of_many_conversations_do_not_wait_for_each_other(first: Process, second: Process) -> None:
    """Each conversation has a claim of its own."""
    here, there = [await first.sessions.open("whisper", OWNER) for _ in range(2)]
    async with first.answering(here), second.answering(there):
        pass


async def test_questions_from_both_processes_stay_in_order(first: Process, second: Process, conversation: str) -> None:
    """None is doubled, lost, or given the answer to another."""
    texts = [f"question {number}" for number in range(12)]
    async with asyncio.TaskGroup() as group:
        for number, text in enumerate(texts):
            group.create_task((first, second)[number % 2].answer(conversation, text))

    found = await stored(first, conversation)
    assert sorted(texts) == sorted(question for question, _, _ in found)
    assert all((answer, reason) == (f"re: {question}", "stop") for question, answer, reason in found)


async def test_a_dead_process_frees_its_conversation(
    first: Process, second: Process, conversation: str, postgresql_url: str
) -> None:
    """Its question stays without an answer, and what it writes late is refused."""
    async with first.answering(conversation, "one") as exchange:
        exchange.text = "late"
        await expire(second)
        await second.answer(conversation, "two")
        with pytest.raises(LeaseLost):
            await first.recorder.finish(exchange, "stop")

    assert [("one", "", None), ("two", "re: two", "stop")] == await stored(first, conversation)


async def test_a_revised_question_never_gets_the_answer_to_the_old_one(
    first: Process, second: Process, conversation: str
) -> None:
    """The old answer is written by a process that was paused meanwhile."""
    async with first.answering(conversation, "old") as exchange:
        exchange.text = "late"
        await expire(second)
        async with second.answering(conversation, "new", revises=True) as revised:
            with pytest.raises(LeaseLost):
                await first.recorder.finish(exchange, "stop")
            revised.text = "re: new"
            await second.recorder.finish(revised, "stop")

    assert [("new", "re: new", "stop")] == await stored(first, conversation)


async def test_a_paused_process_goes_on_if_nobody_took_over(first: Process, second: Process, conversation: str) -> None:
    """Its claim is its own until another process takes it."""
    async with first.answering(conversation, "one") as exchange:
        await expire(second)
        exchange.text = "re: one"
        await first.recorder.finish(exchange, "stop")

    assert [("one", "re: one", "stop")] == await stored(first, conversation)


async def test_an_answer_is_stopped_from_another_process(first: Process, second: Process, conversation: str) -> None:
    """Its text so far is stored."""

    async def write() -> None:
        async with first.answering(conversation, "one") as exchange:
            exchange.text = "half"
            begun.set()
            await asyncio.Event().wait()

    begun, writing = asyncio.Event(), None
    writing = asyncio.create_task(write())
    await begun.wait()
    await second.claims.stop_elsewhere(is_named(conversation))
    with pytest.raises(asyncio.CancelledError):
        await writing
    await second.claims.wait_elsewhere(conversation)

    assert [("one", "half", "stopped")] == await stored(second, conversation)


async def test_nothing_remains_of_turns_and_processes(
    first: Process, second: Process, conversation: str, postgresql_url: str
) -> None:
    """Claims are deleted after their turns, and processes when they leave."""
    await first.answer(conversation, "one")
    await second.answer(conversation, "two")
    for each in (first, second):
        await each.claims.leave()

    tables = dump_tables(postgresql_url)
    assert ([], []) == (tables[turn_claims.name], tables[turn_processes.name])


async def test_a_question_that_is_written_twice_is_stored_once(first: Process, conversation: str) -> None:
    """After a broken commit nobody knows whether it was stored; the turn's token finds it."""
    found = await first.sessions.resume(conversation, "whisper", OWNER)
    async with first.claims.claim(conversation) as turn:
        sessions = first.sessions.within(turn)
        keys = [await sessions.begin_exchange(found.id, Question("one"), None, turn.token) for _ in range(2)]

    assert keys[0] == keys[1]


async def test_a_broken_connection_is_replaced(first: Process, conversation: str, postgresql_url: str) -> None:
    """The server ended all connections, as when it is restarted."""
    await first.answer(conversation, "one")
    name = sa.make_url(postgresql_url).database
    others = f"datname = '{name}' AND pid <> pg_backend_pid()"
    execute(postgresql_url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    await first.answer(conversation, "two")

    assert ["one", "two"] == [question for question, _, _ in await stored(first, conversation)]
