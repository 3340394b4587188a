"""Messages around stop, forget and the removal of the bot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from bindings.incoming import IncomingMessage, ThreadMessages
from core.contract import Done, Prompt, Text, Usage
from tests.bindings.intake.support_intake import DIRECT, THREAD, BotHarness, FakeChannels, message
from tests.support.fake_engine import FakeEngine, ReplyStep

WHERE = THREAD.conversation


class Gated(FakeEngine):
    """An engine whose answer to "long" waits for `gate`."""

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
def harness(tmp_path: Path, engine: Gated) -> BotHarness:
    return BotHarness(tmp_path / "var", engine)


async def until_shown(harness: BotHarness, conversation: str, text: str) -> None:
    await harness.until(lambda: any(text in each for each in harness.channels.texts(conversation)))


async def test_a_question_after_forget_is_answered(harness: BotHarness, engine: Gated) -> None:
    """It may arrive before forget has run."""
    async with harness.process() as intake:
        await intake.take(message("long one"))
        await until_shown(harness, WHERE, "re: long one")
        await intake.take(message("forget", 2))
        await intake.take(message("What is new?", 3))
        await harness.until_finished()

    assert "re: What is new?" in harness.channels.texts(WHERE)
    assert any("forgotten" in each for each in harness.channels.texts(WHERE))


async def test_stop_applies_to_questions_and_not_to_commands(harness: BotHarness, engine: Gated) -> None:
    """A running command ends by itself; stop means the question behind it."""
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

    harness.channels = Slow()
    async with harness.process() as intake:
        await intake.take(message("help"))
        await intake.take(message("How far is it?", 2))
        await intake.take(message("stop", 3))
        slow.set()
        await harness.until_finished()

    assert [] == engine.prompts
    assert "Stopped, as requested." == harness.channels.texts(WHERE)[-1]


async def test_stopping_a_waiting_question_gets_a_notice(harness: BotHarness, engine: Gated) -> None:
    """All places are busy, so no answer would show the note."""
    harness.environ["BOT_ANSWERS"] = "1"
    async with harness.process() as intake:
        await intake.take(message("long one", 1, DIRECT))
        await until_shown(harness, DIRECT.conversation, "re: long one")
        await intake.take(message("And me?", 2))
        await intake.take(message("stop", 3))
        engine.gate.set()
        await harness.until_finished()

    assert ["Stopped, as requested."] == harness.channels.texts(WHERE)
    assert ["long one"] == [prompt.text for prompt in engine.prompts]


@pytest.mark.parametrize("way", ["left", "uninstalled"])
async def test_a_removed_bot_stores_nothing_again(harness: BotHarness, engine: Gated, way: str) -> None:
    """A thread was still being read when the bot was removed."""
    hearing, go_on = asyncio.Event(), asyncio.Event()

    class Listening(FakeChannels):
        async def thread_messages(self, incoming: IncomingMessage) -> ThreadMessages:
            hearing.set()
            await go_on.wait()
            return ThreadMessages()

    harness.channels = Listening()
    async with harness.process() as intake:
        await intake.take(message("a secret"))
        await hearing.wait()
        if way == "left":
            await intake.forget_places("T1", lambda place: True)
        else:
            await intake.forget_workspace("T1")
        go_on.set()
        await harness.until(lambda: not list(intake._answer_queue.all()))

    assert ([], {}) == (engine.prompts, engine.sessions)
