"""A prompt that is asked a second time under its key: after a crash, or because another answer is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from core.configuration.settings import Settings
from core.contract import Done, Prompt, Task, Text, Usage
from core.conversation.sessions import Sessions
from core.engine import ChatEngine
from core.errors import ModelRefused
from core.storage.database import Database
from tests.core.support_chatting import ask, chat_on, events_of, serving, shown, text_of
from tests.support.fakes import Fail

HERE = "slack:T:C:1"


@pytest.fixture
async def chat(own_settings: Settings) -> AsyncIterator[ChatEngine]:
    async with chat_on(own_settings) as built:
        yield built


async def said(settings: Settings) -> list[str]:
    conversation = await Sessions(Database(settings.database_url)).enter(HERE, "whisper")
    return [text for exchange in conversation.exchanges for text in (exchange.question.text, exchange.answer)]


async def test_an_answer_that_stands_is_given_again(chat: ChatEngine, own_settings: Settings) -> None:
    """Whoever asked could not be told; the model is not asked a second time, and nothing is there twice."""
    async with serving(own_settings, ("First.",)) as model:
        await ask(chat, "Hi", HERE, key="m1")
        again = await events_of(chat, Prompt("whisper", "Hi", HERE, key="m1"))

    assert again == [Text("First."), Done("stop", "fake-model", Usage())]
    assert len(model.requests) == 1
    assert await said(own_settings) == ["Hi", "First."]


async def test_an_answer_that_was_cut_off_is_written_anew(chat: ChatEngine, own_settings: Settings) -> None:
    """As the same turn: the model does not see the question twice."""
    async with serving(own_settings, ("Half an", " answer"), ("Whole.",)) as model:
        async with aclosing(chat.reply(Prompt("whisper", "Hi", HERE, key="m1"))) as events:
            await anext(events)
        again = await ask(chat, "Hi", HERE, key="m1")

    assert text_of(again) == "Whole."
    assert shown(model.requests[1]).count("user: Hi") == 1
    assert await said(own_settings) == ["Hi", "Whole."]


async def test_another_answer_takes_the_place_of_the_first(chat: ChatEngine, own_settings: Settings) -> None:
    """It knows what came before the question and not what came after; later turns stay."""
    async with serving(own_settings, ("One.",), ("Two.",), ("Better.",)) as model:
        await ask(chat, "First?", HERE, key="m1")
        await ask(chat, "Second?", HERE, key="m2")
        again = await ask(chat, "First?", HERE, key="m1", again=True)

    assert text_of(again) == "Better."
    assert "Second?" not in shown(model.requests[2])
    assert "One." not in shown(model.requests[2])
    assert await said(own_settings) == ["First?", "Better.", "Second?", "Two."]


async def test_context_is_found_again_with_the_first_question(chat: ChatEngine, own_settings: Settings) -> None:
    """The whole of the message is asked again, its pasted context too."""
    async with serving(own_settings, ("One.",), ("Two.",)) as model:
        await ask(chat, "|CONTEXT|The pool is green.|/CONTEXT| Colour?", HERE, key="m1")
        await ask(chat, "|CONTEXT|The pool is green.|/CONTEXT| Colour?", HERE, key="m1", again=True)

    assert shown(model.requests[1]) == shown(model.requests[0])


async def test_keys_are_of_one_conversation(chat: ChatEngine, own_settings: Settings) -> None:
    """The same key elsewhere is another turn, and one without a key never repeats."""
    async with serving(own_settings, ("One.",), ("Two.",), ("Three.",), ("Four.",)):
        answers = [
            text_of(await ask(chat, "Hi", where, key=key))
            for where, key in ((HERE, "m1"), ("slack:T:C:2", "m1"), (HERE, None), (HERE, None))
        ]

    assert answers == ["One.", "Two.", "Three.", "Four."]


async def test_toil_is_done_anew_as_the_same_turn(chat: ChatEngine, own_settings: Settings) -> None:
    """Its schema may have changed; its turn is there once."""
    async with serving(own_settings, ('{"a": 1}',), ('{"a": 2}',)):
        for value in ({"a": 1}, {"a": 2}):
            toiled = await chat.toil(Task("whisper", "Count", conversation=HERE, key="m1"))
            assert toiled.value == value

    assert await said(own_settings) == ["Count", '{"a": 2}']


async def test_a_turn_that_failed_is_written_anew(chat: ChatEngine, own_settings: Settings) -> None:
    """What the model could not finish is no answer that stands."""
    async with serving(own_settings, ("Half", Fail(500, "exploded")), ("Whole.",)):
        with pytest.raises(ModelRefused):
            await ask(chat, "Hi", HERE, key="m1")
        again = await ask(chat, "Hi", HERE, key="m1")

    assert text_of(again) == "Whole."
    assert await said(own_settings) == ["Hi", "Whole."]
