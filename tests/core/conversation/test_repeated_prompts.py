"""Prompts with the key of an earlier exchange: after a crash, or for another answer."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from core.configuration.settings import Settings
from core.contract import Done, Prompt, Task, Text, Usage
from core.conversation.sessions import Sessions
from core.engine import ChatEngine
from core.errors import ModelRefused
from core.storage.database import Database
from tests.core.support_chatting import TODAY, ask, events_of, serving, shown, text_of
from tests.support.fake_model import Fail

HERE = "slack:T:C:1"


async def said(settings: Settings) -> list[str]:
    conversation = await Sessions(Database(settings.database_url)).enter(HERE, "whisper")
    return [text for exchange in conversation.exchanges for text in (exchange.question.text, exchange.answer)]


async def test_a_complete_answer_is_sent_again(chat: ChatEngine, own_settings: Settings) -> None:
    """The stored answer is sent; the model is not asked, and nothing is stored twice."""
    async with serving(own_settings, ("First.",)) as model:
        await ask(chat, "Hi", HERE, key="m1")
        again = await events_of(chat, Prompt("whisper", "Hi", HERE, key="m1"))

    assert again == [Text("First."), Done("stop", "fake-model", Usage(), exchange=1)]
    assert len(model.requests) == 1
    assert await said(own_settings) == ["Hi", "First."]


async def test_an_interrupted_answer_is_generated_anew(chat: ChatEngine, own_settings: Settings) -> None:
    """It stays the same exchange: the model sees the question once."""
    async with serving(own_settings, ("Half an", " answer"), ("Whole.",)) as model:
        async with aclosing(chat.reply(Prompt("whisper", "Hi", HERE, key="m1"))) as events:
            await anext(events)
        again = await ask(chat, "Hi", HERE, key="m1")

    assert text_of(again) == "Whole."
    assert shown(model.requests[1]).count(f"user: {TODAY}\n\nHi") == 1
    assert await said(own_settings) == ["Hi", "Whole."]


async def test_another_answer_replaces_the_first(chat: ChatEngine, own_settings: Settings) -> None:
    """The prompt contains earlier exchanges and no later ones; later exchanges stay stored."""
    async with serving(own_settings, ("One.",), ("Two.",), ("Better.",)) as model:
        await ask(chat, "First?", HERE, key="m1")
        await ask(chat, "Second?", HERE, key="m2")
        again = await ask(chat, "First?", HERE, key="m1", again=True)

    assert text_of(again) == "Better."
    assert "Second?" not in shown(model.requests[2])
    assert "One." not in shown(model.requests[2])
    assert await said(own_settings) == ["First?", "Better.", "Second?", "Two."]


async def test_context_is_found_again_with_the_first_question(chat: ChatEngine, own_settings: Settings) -> None:
    """The repeated message contains its pasted context."""
    async with serving(own_settings, ("One.",), ("Two.",)) as model:
        await ask(chat, "|CONTEXT|The pool is green.|/CONTEXT| Colour?", HERE, key="m1")
        await ask(chat, "|CONTEXT|The pool is green.|/CONTEXT| Colour?", HERE, key="m1", again=True)

    assert shown(model.requests[1]) == shown(model.requests[0])


async def test_a_key_belongs_to_one_conversation(chat: ChatEngine, own_settings: Settings) -> None:
    """The same key in another conversation is another exchange; a prompt without a key never repeats."""
    async with serving(own_settings, ("One.",), ("Two.",), ("Three.",), ("Four.",)):
        answers = [
            text_of(await ask(chat, "Hi", where, key=key))
            for where, key in ((HERE, "m1"), ("slack:T:C:2", "m1"), (HERE, None), (HERE, None))
        ]

    assert answers == ["One.", "Two.", "Three.", "Four."]


async def test_repeated_toil_is_generated_anew_as_the_same_turn(chat: ChatEngine, own_settings: Settings) -> None:
    """Its schema may have changed; the exchange is stored once."""
    async with serving(own_settings, ('{"a": 1}',), ('{"a": 2}',)):
        for value in ({"a": 1}, {"a": 2}):
            toiled = await chat.toil(Task("whisper", "Count", conversation=HERE, key="m1"))
            assert toiled.value == value

    assert await said(own_settings) == ["Count", '{"a": 2}']


async def test_a_failed_turn_is_generated_anew(chat: ChatEngine, own_settings: Settings) -> None:
    """An unfinished answer is not sent again."""
    async with serving(own_settings, ("Half", Fail(500, "exploded")), ("Whole.",)):
        with pytest.raises(ModelRefused):
            await ask(chat, "Hi", HERE, key="m1")
        again = await ask(chat, "Hi", HERE, key="m1")

    assert text_of(again) == "Whole."
    assert await said(own_settings) == ["Hi", "Whole."]
