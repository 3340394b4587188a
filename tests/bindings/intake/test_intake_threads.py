"""Commands where threads are conversations: forgetting and choosing inside and outside of a thread."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bindings.incoming import BotCommand
from core.contract import Language
from tests.bindings.intake.support_intake import DIRECT, THREAD, BotHarness, message
from tests.support.fake_engine import FakeEngine
from tests.support.purging import purge

WHERE = THREAD.conversation
CHANNEL = replace(THREAD, thread=None, threaded=True)  # a slash command, where conversations are threads
SECRETARY = replace(DIRECT, threaded=True)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(names=("whisper", "chuchotte", "guide"))


@pytest.mark.parametrize(
    ("language", "notice"),
    [("en", "Nothing was deleted: in this channel, each thread"), ("fr", "Rien n’a été supprimé\u00a0: dans ce canal")],
)
@pytest.mark.parametrize("way", ["slash command", "first of its thread"])
async def test_forget_outside_a_thread_deletes_nothing(
    harness: BotHarness, engine: FakeEngine, way: str, language: Language, notice: str
) -> None:
    """It would delete other people's messages. The notice explains how to delete a thread."""
    place = CHANNEL if way == "slash command" else replace(THREAD, thread="m2")
    wish = replace(message("", 2, place, language=language), command=BotCommand("forget"))
    await harness.answer_all(message("hello"), wish)

    (page,) = harness.channels.shown(place.conversation)
    assert page.text.startswith(notice)
    assert WHERE in engine.sessions


async def test_forget_in_a_direct_conversation_leaves_its_threads(harness: BotHarness, engine: FakeEngine) -> None:
    """The notice says that threads are separate conversations."""
    thread = replace(DIRECT, thread="1.0")
    wish = message("", 3, SECRETARY, command=BotCommand("forget"))
    await harness.answer_all(message("hello", 1, DIRECT), message("hello", 2, thread), wish)

    notice = harness.channels.texts(DIRECT.conversation)[-1]
    assert "This conversation is forgotten" in notice
    assert "Threads are separate conversations" in notice
    assert {thread.conversation} == set(engine.sessions)


async def test_a_choice_for_a_channel_applies_to_its_new_threads(harness: BotHarness, engine: FakeEngine) -> None:
    """It stays after a restart. Existing threads, own choices and other channels do not change."""
    later, own = replace(THREAD, thread="2.0"), replace(THREAD, thread="3.0")
    choice = message("guide", 2, CHANNEL, command=BotCommand("personality", "guide"))
    await harness.answer_all(message("hello", 1), choice)
    await harness.answer_all(
        message("hello", 3),
        message("hello", 4, later),
        message("personality chuchotte", 5, own),
        message("hello", 6, own),
        message("hello", 7, replace(later, channel="C2")),
    )

    answered = {prompt.conversation: prompt.personality for prompt in engine.prompts}
    assert {
        WHERE: "whisper",
        later.conversation: "guide",
        own.conversation: "chuchotte",
        "slack:T1:C2:2.0": "whisper",
    } == answered
    (notice,) = harness.channels.texts(CHANNEL.conversation)
    assert "in threads that begin here from now on. To change who answers in an existing thread" in notice


async def test_a_choice_in_a_direct_conversation_applies_to_it_and_its_new_threads(
    harness: BotHarness, engine: FakeEngine
) -> None:
    choice = message("", 2, SECRETARY, command=BotCommand("personality", "guide"))
    await harness.answer_all(message("hello", 1, DIRECT), choice)
    await harness.answer_all(message("hello", 3, DIRECT), message("hello", 4, replace(DIRECT, thread="1.0")))

    assert ["whisper", "guide", "guide"] == [prompt.personality for prompt in engine.prompts]


async def test_a_used_choice_is_not_purged(harness: BotHarness, engine: FakeEngine) -> None:
    """A choice that nobody uses during the retention period is."""
    day_s = 24 * 3600
    await harness.answer_all(message("", 1, CHANNEL, command=BotCommand("personality", "guide")))
    for day in range(1, 4):
        harness.clock.now += 20 * day_s
        await harness.answer_all(message("hello", 1 + day, replace(THREAD, thread=f"{day}.0")))
    harness.clock.now += 40 * day_s
    async with harness.open():
        await purge(harness.store._database, timedelta(days=30), harness.clock.now)
    await harness.answer_all(message("hello", 9, replace(THREAD, thread="9.0")))

    assert ["guide", "guide", "guide", "whisper"] == [prompt.personality for prompt in engine.prompts]
