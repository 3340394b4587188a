"""What was asked beside a wish to stop or to forget, and in conversations that the bot was taken out of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from bindings.incoming import IncomingMessage
from core.contract import Done, Prompt, Text, Turn, Usage
from tests.bindings.intake.support_intake import DIRECT, THREAD, FakeChannels, Office, message
from tests.support.fakes import FakeEngine, ReplyStep

WHERE = THREAD.conversation


class Gated(FakeEngine):
    """The answer to "long" waits for `gate`."""

    def __init__(self) -> None:
        super().__init__(self.answer)
        self.gate = asyncio.Event()

    def answer(self, prompt: Prompt) -> Iterable[ReplyStep]:
        held = [self.gate] if prompt.text.startswith("long") else []
        return (Text(f"re: {prompt.text}"), *held, Done("stop", "fake-model", Usage()))


@pytest.fixture
def engine() -> Gated:
    return Gated()


@pytest.fixture
def office(tmp_path: Path, engine: Gated) -> Office:
    return Office(tmp_path / "var", engine)


async def until_shown(office: Office, conversation: str, text: str) -> None:
    async with asyncio.timeout(10):
        while not any(text in each for each in office.channels.texts(conversation)):
            await asyncio.sleep(0.005)


async def test_what_is_asked_after_a_wish_to_forget_is_answered(office: Office, engine: Gated) -> None:
    """Also if it came before the wish had its turn."""
    async with office.process() as intake:
        await intake.take(message("long one"))
        await until_shown(office, WHERE, "re: long one")
        await intake.take(message("forget", 2))
        await intake.take(message("What is new?", 3))
        await office.settled()

    assert "re: What is new?" in office.channels.texts(WHERE)
    assert any("forgotten" in each for each in office.channels.texts(WHERE))


async def test_stop_is_for_what_was_asked_and_not_for_a_command(office: Office, engine: Gated) -> None:
    """A command that is being answered is over by itself; the question behind it is what is meant."""
    slow = asyncio.Event()

    class Slow(FakeChannels):
        def outlet(self, incoming: IncomingMessage) -> Any:
            outlet = super().outlet(incoming)
            if incoming.message == "m1":
                post = outlet.post

                async def late(*arguments: Any) -> str:
                    await slow.wait()
                    return await post(*arguments)

                outlet.post = late  # type: ignore[method-assign]
            return outlet

    office.channels = Slow()
    async with office.process() as intake:
        await intake.take(message("help"))
        await intake.take(message("How far is it?", 2))
        await intake.take(message("stop", 3))
        slow.set()
        await office.settled()

    assert [] == engine.prompts
    assert "Stopped, as requested." == office.channels.texts(WHERE)[-1]


async def test_a_question_that_is_stopped_before_it_began_is_said_to_be(office: Office, engine: Gated) -> None:
    """Where as many answers are written as may be: nobody else would say so."""
    office.environ["BOT_ANSWERS"] = "1"
    async with office.process() as intake:
        await intake.take(message("long one", 1, DIRECT))
        await until_shown(office, DIRECT.conversation, "re: long one")
        await intake.take(message("And me?", 2))
        await intake.take(message("stop", 3))
        engine.gate.set()
        await office.settled()

    assert ["Stopped, as requested."] == office.channels.texts(WHERE)
    assert ["long one"] == [prompt.text for prompt in engine.prompts]


@pytest.mark.parametrize("way", ["left", "uninstalled"])
async def test_where_the_bot_was_taken_out_nothing_is_remembered_again(office: Office, engine: Gated, way: str) -> None:
    """Of what was still being read when it happened."""
    hearing, go_on = asyncio.Event(), asyncio.Event()

    class Listening(FakeChannels):
        async def thread_messages(self, incoming: IncomingMessage) -> tuple[Turn, ...]:
            hearing.set()
            await go_on.wait()
            return ()

    office.channels = Listening()
    async with office.process() as intake:
        await intake.take(message("a secret"))
        await hearing.wait()
        if way == "left":
            await intake.forget_places("T1", lambda place: True)
        else:
            await intake.forget_workspace("T1")
        go_on.set()
        async with asyncio.timeout(10):
            while list(intake._answers.all()):
                await asyncio.sleep(0.005)

    assert ([], {}) == (engine.prompts, engine.sessions)
