"""What of an answer is stored, however it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import pytest

from core.contract import Done, Event, Source, Status, Text, Usage
from core.conversation.recording import Recorder
from core.conversation.sessions import Exchange, Question, RunningTurn, Sessions
from core.errors import ModelUnavailable, PromptTooLong
from core.storage.database import Database

DONE = Done("length", "m", Usage())
FIRST, SECOND = Source(1, "First"), Source(2, "Second")


@pytest.fixture
async def sessions(database: Database) -> Sessions:
    opened = Sessions(database)
    await opened.create_tables()
    return opened


@pytest.fixture
async def turn(sessions: Sessions) -> RunningTurn:
    conversation = await sessions.enter("slack:T:C:1", "whisper")
    return await sessions.begin_turn(conversation.id, Question("?"))


async def stored(sessions: Sessions) -> tuple[Exchange, ...]:
    return (await sessions.enter("slack:T:C:1", "whisper")).exchanges


async def answering(*steps: Event | Exception) -> AsyncGenerator[Event, None]:
    for step in steps:
        if isinstance(step, Exception):
            raise step
        yield step


async def test_sources_are_stored_with_the_answer(sessions: Sessions, turn: RunningTurn) -> None:
    """One whose number comes again takes the place of the first; every event passes."""
    steps = (Status("reading"), FIRST, SECOND, Text("a"), renewed := Source(1, "Renewed"), Text("b"), DONE)
    async with aclosing(Recorder(sessions).reply(turn, answering(*steps))) as events:
        assert tuple([event async for event in events]) == steps

    assert await stored(sessions) == (Exchange(Question("?"), "ab", "length", (renewed, SECOND)),)


@pytest.mark.parametrize(
    ("end", "reason"),
    [(lambda: ModelUnavailable("gone"), "failed"), (lambda: ValueError("a defect"), "failed"), (None, "stopped")],
)
async def test_so_are_those_of_a_broken_answer(
    sessions: Sessions, turn: RunningTurn, end: Callable[[], Exception] | None, reason: str
) -> None:
    """As far as they were told."""
    steps: list[Event | Exception] = [FIRST, Text("ha"), *([end()] if end else []), Text("lf"), SECOND, DONE]
    recorder = Recorder(sessions)
    async with aclosing(recorder.reply(turn, answering(*steps))) as events:
        assert [await anext(events), await anext(events)] == [FIRST, Text("ha")]
        if end:
            with pytest.raises((ModelUnavailable, ValueError)):
                await anext(events)
    await recorder.close()

    [exchange] = await stored(sessions)
    assert (exchange.answer, exchange.reason, exchange.sources) == ("ha", reason, (FIRST,))


async def test_a_refused_question_leaves_nothing(sessions: Sessions, turn: RunningTurn) -> None:
    """It must not spoil the next one."""
    with pytest.raises(PromptTooLong):
        await anext(Recorder(sessions).reply(turn, answering(PromptTooLong("too long"))))

    assert await stored(sessions) == ()
