"""Two processes of one platform on one PostgreSQL: each answer once and in order, whoever took the message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bindings.intake.intake import Intake
from bindings.process_lease import ProcessLease
from bindings.tables import attempts, bot_processes, deliveries
from core.contract import Done, Prompt, Text, Usage
from core.errors import LeaseLost, StorageError
from core.storage.database import Database
from tests.bindings.intake.support_intake import THREAD, BotHarness, message
from tests.support.fake_engine import FakeEngine, ReplyStep

WHERE = THREAD.conversation


class Answers:
    """What the engine replies. Each answer waits for `gate`."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.running = self.most_at_once = 0

    def __call__(self, prompt: Prompt) -> Iterable[ReplyStep]:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            yield Text(f"re: {prompt.text}")
            yield self.gate
            yield Done("stop", "fake-model", Usage())
        finally:
            self.running -= 1


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def harness(tmp_path: Path, answers: Answers, postgresql_url: str) -> BotHarness:
    return BotHarness(tmp_path / "var", FakeEngine(answers), environ={"DATABASE_URL": postgresql_url})


@asynccontextmanager
async def sharing_process(harness: BotHarness) -> AsyncIterator[Intake]:
    async with harness.process() as intake:
        await intake.join()
        yield intake


def lease_of(intake: Intake) -> ProcessLease:
    lease = intake._bot.store.lease
    assert lease
    return lease


async def change(harness: BotHarness, statement: sa.Executable) -> None:
    database = Database(harness.environ["DATABASE_URL"])
    await database.write(lambda db: db.execute(statement))
    await database.close()


async def expire(harness: BotHarness, intake: Intake) -> None:
    """Ends the lease of a process as time would end it, if the process were dead or paused."""
    own = bot_processes.c.id == lease_of(intake).process
    await change(harness, bot_processes.update().where(own).values(expires_at=0.0))


async def shown(harness: BotHarness, *texts: str) -> None:
    await harness.until(lambda: list(texts) == harness.channels.texts(WHERE))


async def test_an_event_that_reaches_both_is_answered_once(harness: BotHarness, answers: Answers) -> None:
    answers.gate.set()
    async with sharing_process(harness) as first, sharing_process(harness) as second:
        taken = await asyncio.gather(*(intake.take(message("hello")) for intake in (first, second, first, second)))
        await harness.until_finished()

    assert 1 == sum(taken)
    assert ["re: hello"] == harness.channels.texts(WHERE)


async def test_a_conversation_runs_in_order_in_one_process(harness: BotHarness, answers: Answers) -> None:
    """The second process takes a message while the first one answers; the answers wait for one another."""
    async with sharing_process(harness) as first, sharing_process(harness) as second:
        await first.take(message("one", 1))
        await shown(harness, "re: one")
        await second.take(message("two", 2))
        await first.take(message("three", 3))
        await second.take(message("four", 4))
        assert ["re: one"] == harness.channels.texts(WHERE)
        answers.gate.set()
        await harness.until_finished()

    assert ["re: one", "re: two", "re: three", "re: four"] == harness.channels.texts(WHERE)
    assert 1 == answers.most_at_once


async def test_other_conversations_run_in_the_process_that_took_them(harness: BotHarness, answers: Answers) -> None:
    async with sharing_process(harness) as first, sharing_process(harness) as second:
        await first.take(message("one", 1))
        await second.take(message("two", 2, replace(THREAD, thread="2.0")))
        await harness.until(lambda: answers.running == 2)
        assert (1, 1) == tuple(len(intake._running_conversations()) for intake in (first, second))
        answers.gate.set()
        await harness.until_finished()


@pytest.mark.parametrize("way", ["command", "button", "button of the thread"])
async def test_an_answer_stops_wherever_the_request_arrives(harness: BotHarness, way: str) -> None:
    """The command needs no notice of its own, because the answer says that it was stopped."""
    async with sharing_process(harness) as first, sharing_process(harness) as second:
        await first.take(message("hello"))
        await shown(harness, "re: hello")
        if way == "command":
            await second.take(message("stop", 2))
        else:
            [ref] = harness.channels.channels[WHERE].messages
            await harness.until(lambda: second.find_answer(THREAD, ref))
            await second.stop_answer(THREAD, ref if way == "button" else None)
        await harness.until_finished()

    [page] = harness.channels.shown(WHERE)
    assert page.closing
    assert page.closing.note == "Stopped, as requested."


async def test_a_deleted_question_takes_its_answer_along(harness: BotHarness) -> None:
    """The event of the deletion may reach the other process."""
    async with sharing_process(harness) as first, sharing_process(harness) as second:
        await first.take(message("hello"))
        await shown(harness, "re: hello")
        await second.withdraw_question(THREAD, "m1")
        await harness.until_finished()

    assert [] == harness.channels.texts(WHERE)


async def test_a_removed_workspace_ends_the_answers_of_all_processes(harness: BotHarness) -> None:
    async with sharing_process(harness) as first, sharing_process(harness) as second:
        await first.take(message("hello"))
        await shown(harness, "re: hello")
        await second.forget_workspace("T1")
        await shown(harness)


async def test_what_a_dead_process_left_is_finished_by_the_other(harness: BotHarness, answers: Answers) -> None:
    """The answer under way is continued in its message. The waiting one follows. Both attempts count as one crash."""
    async with sharing_process(harness) as survivor:
        async with sharing_process(harness) as dying:
            await dying.take(message("one", 1))
            await shown(harness, "re: one")
            await survivor.take(message("two", 2))
        await expire(harness, dying)
        await harness.until(lambda: answers.running == 1)
        counted = await lease_of(survivor).database.read(
            lambda db: db.execute(sa.select(attempts.c.times)).scalars().all()
        )
        answers.gate.set()
        await harness.until_finished()

    assert ["re: one", "re: two"] == harness.channels.texts(WHERE)
    assert [1] == list(counted)


async def test_a_paused_process_writes_nothing_when_it_comes_back(harness: BotHarness, answers: Answers) -> None:
    """Others took over meanwhile. It can neither call the platform nor write to the database, and then works anew."""
    async with sharing_process(harness) as paused:
        await paused.take(message("one", 1))
        await shown(harness, "re: one")
        lease, process = lease_of(paused), lease_of(paused).process
        await expire(harness, paused)
        async with sharing_process(harness) as other:
            await harness.until(other._running_conversations)
            await harness.until(lambda: lease.process != process)
            assert frozenset() == paused._running_conversations()
            answers.gate.set()
            await harness.until_finished()
            assert ["re: one"] == harness.channels.texts(WHERE)
        await paused.take(message("two", 2))
        await harness.until_finished()

    assert ["re: one", "re: two"] == harness.channels.texts(WHERE)


async def test_a_stopping_process_gives_its_waiting_messages_away(harness: BotHarness, answers: Answers) -> None:
    """The other process answers them at once. A conversation with a running answer waits for the answer's end."""
    elsewhere = replace(THREAD, thread="2.0")
    harness.environ["BOT_ANSWERS"] = "1"
    async with sharing_process(harness) as stopping:
        await stopping.take(message("one", 1))
        await shown(harness, "re: one")
        await stopping.take(message("two", 2))
        await stopping.take(message("three", 3, elsewhere))
        async with sharing_process(harness) as other:
            draining = asyncio.create_task(stopping.drain(60))
            await harness.until(lambda: harness.channels.texts(elsewhere.conversation))
            assert ["re: one"] == harness.channels.texts(WHERE)
            answers.gate.set()
            await draining
            await harness.until_finished()
            assert frozenset() == other._running_conversations()

    assert ["re: one", "re: two"] == harness.channels.texts(WHERE)
    assert ["re: three"] == harness.channels.texts(elsewhere.conversation)


async def test_a_process_without_a_database_stops_before_others_take_over(harness: BotHarness) -> None:
    """It may not know whether they did. It refuses new messages, so that the platform delivers them again."""
    async with sharing_process(harness) as intake:
        await intake.take(message("one", 1))
        await shown(harness, "re: one")
        lease = lease_of(intake)
        lease._clock = lambda: 1e12
        with pytest.raises(LeaseLost):
            lease.check()
        await change(harness, bot_processes.delete())
        with pytest.raises(StorageError):
            await intake.take(message("two", 2))


async def test_a_job_folder_of_another_process_is_kept(harness: BotHarness, answers: Answers) -> None:
    """A starting process removes only the files of finished jobs."""
    async with sharing_process(harness) as first:
        await first.take(message("one", 1))
        await shown(harness, "re: one")
        names = await lease_of(first).database.read(
            lambda db: db.execute(sa.select(deliveries.c.answer)).scalars().all()
        )
        for name in (*names, "finished"):
            (harness.folder / "jobs" / "slack" / name).mkdir(parents=True)
        async with sharing_process(harness) as second:
            await second._sweep_jobs()
            assert list(names) == [folder.name for folder in harness.jobs]
        answers.gate.set()
        await harness.until_finished()
