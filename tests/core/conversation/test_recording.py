"""Storage of answers: whole, stopped and failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

import pytest

from core.contract import Attachment, Done, Event, Prompt, Source, Status, Text, Usage
from core.conversation.exchanges import Exchange, Question
from core.conversation.recording import ExchangeRecorder
from core.conversation.sessions import Sessions
from core.errors import ExchangeOutdated, ModelUnavailable, PromptTooLong
from core.storage.database import Database
from tests.core.support_chatting import whisper

DONE = Done("length", "m", Usage())
FIRST, SECOND = Source(1, "First"), Source(2, "Second")
PROMPT = Prompt("whisper", "?", "slack:T:C:1")


@pytest.fixture
async def sessions(database: Database) -> Sessions:
    await database.upgrade()
    return Sessions(database)


async def stored(sessions: Sessions) -> tuple[Exchange, ...]:
    return (await sessions.enter("slack:T:C:1", "whisper")).exchanges


async def recorded(recorder: ExchangeRecorder, *steps: Event | Exception) -> AsyncGenerator[Event, None]:
    """An answer of these events, as the engine records one."""
    async with recorder.open_exchange(PROMPT, whisper()) as exchange:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Text):
                exchange.text += step.text
            elif isinstance(step, Source):
                exchange.sources.append(step)
            elif isinstance(step, Done):
                await recorder.finish(exchange, step.reason)
            yield step


async def test_sources_are_stored_with_the_answer(sessions: Sessions) -> None:
    """A source whose number comes again replaces the first one."""
    steps = (Status("reading"), FIRST, SECOND, Text("a"), renewed := Source(1, "Renewed"), Text("b"), DONE)
    async with aclosing(recorded(ExchangeRecorder(sessions), *steps)) as events:
        assert tuple([event async for event in events]) == steps

    assert await stored(sessions) == (Exchange(Question("?"), "ab", "length", (renewed, SECOND)),)


@pytest.mark.parametrize(
    ("end", "reason"),
    [(lambda: ModelUnavailable("gone"), "failed"), (lambda: ValueError("a defect"), "failed"), (None, "stopped")],
)
async def test_a_broken_answer_is_stored_as_far_as_it_came(
    sessions: Sessions, end: Callable[[], Exception] | None, reason: str
) -> None:
    """Its sources are stored too."""
    steps: list[Event | Exception] = [FIRST, Text("ha"), *([end()] if end else []), Text("lf"), SECOND, DONE]
    recorder = ExchangeRecorder(sessions)
    async with aclosing(recorded(recorder, *steps)) as events:
        assert [await anext(events), await anext(events)] == [FIRST, Text("ha")]
        if end:
            with pytest.raises((ModelUnavailable, ValueError)):
                await anext(events)
    await recorder.close()

    [exchange] = await stored(sessions)
    assert (exchange.answer, exchange.reason, exchange.sources) == ("ha", reason, (FIRST,))


async def test_a_revised_question_waits_for_the_running_answer(sessions: Sessions) -> None:
    """It then replaces that answer, as far as it came."""
    recorder, begun, ends = ExchangeRecorder(sessions), asyncio.Event(), asyncio.Event()

    async def answer() -> None:
        async with recorder.open_exchange(PROMPT, whisper()) as exchange:
            exchange.text = "old"
            begun.set()
            await ends.wait()
            await recorder.finish(exchange, "stop")

    async def revise() -> None:
        async with recorder.open_exchange(replace(PROMPT, text="better", revises=True), whisper()) as exchange:
            assert 1 == exchange.number
            exchange.text = "new"
            await recorder.finish(exchange, "stop")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(answer())
        await begun.wait()
        tasks.create_task(revise())
        assert [""] == [each.answer for each in await stored(sessions)]
        ends.set()

    assert [("better", "new")] == [(each.question.text, each.answer) for each in await stored(sessions)]


@pytest.mark.parametrize(("keeps", "names"), [(True, ["old", "new"]), (False, ["new"])])
async def test_a_revised_question_can_keep_its_attachments(sessions: Sessions, keeps: bool, names: list[str]) -> None:
    """The client that edits a question of an earlier visit has only the names of its files."""
    recorder = ExchangeRecorder(sessions)
    await complete(recorder, replace(PROMPT, attachments=(Attachment("old", "rules"),)))
    revision = replace(PROMPT, attachments=(Attachment("new", "more"),), revises=True, keeps_attachments=keeps)
    await complete(recorder, revision)

    [exchange] = await stored(sessions)
    assert names == [file.name for file in exchange.question.attachments]


async def test_a_revision_of_an_earlier_exchange_is_refused(sessions: Sessions) -> None:
    """A stale page would replace an exchange that it does not show. The number of the last one is accepted."""
    recorder = ExchangeRecorder(sessions)
    await complete(recorder, PROMPT)
    await complete(recorder, replace(PROMPT, text="And then?"))
    with pytest.raises(ExchangeOutdated):
        await complete(recorder, replace(PROMPT, text="changed", revises=True, revised=1))
    await complete(recorder, replace(PROMPT, text="better", revises=True, revised=2))

    assert [PROMPT.text, "better"] == [each.question.text for each in await stored(sessions)]


async def complete(recorder: ExchangeRecorder, prompt: Prompt) -> None:
    async with recorder.open_exchange(prompt, whisper()) as exchange:
        await recorder.finish(exchange, "stop")


async def test_a_refused_question_is_removed(sessions: Sessions) -> None:
    """It would have the next question refused too."""
    with pytest.raises(PromptTooLong):
        await anext(recorded(ExchangeRecorder(sessions), PromptTooLong("too long")))

    assert await stored(sessions) == ()


async def test_a_refused_revision_puts_the_old_exchange_back(sessions: Sessions) -> None:
    """It has its answer, files, sources, lead context and the caller's key, as if nothing had been asked."""
    recorder = ExchangeRecorder(sessions)
    first = replace(PROMPT, text="|CONTEXT|pasted|/CONTEXT| Why?", key="m1", attachments=(Attachment("a.txt", "A"),))
    async with recorder.open_exchange(first, whisper()) as exchange:
        exchange.text, exchange.model = "So [1].", "m"
        exchange.sources.append(FIRST)
        await recorder.finish(exchange, "stop")
    before = await sessions.enter("slack:T:C:1", "whisper", key="m1")

    with pytest.raises(PromptTooLong):
        async with recorder.open_exchange(replace(PROMPT, text="much", revises=True), whisper()):
            raise PromptTooLong("too long")

    assert before == await sessions.enter("slack:T:C:1", "whisper", key="m1")
    [kept] = await stored(sessions)
    assert ("So [1].", (FIRST,), "m") == (kept.answer, kept.sources, kept.model)
