"""The engine screens what people send before it stores it or asks the model."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from core.configuration.settings import Settings
from core.contract import (
    Attachment,
    Masked,
    PersonalInformation,
    Prompt,
    Rating,
    Task,
    ToilResult,
    TranscriptTurn,
    Turn,
)
from core.engine import ChatEngine
from core.errors import PersonalInformationRefused
from core.privacy.policy import Policy
from core.screening import FixedPolicy, Screener
from tests.core.support_chatting import ask, chat_on, events_of, serving, shown

SIN = "193 456 787"
MASKED = "[social insurance number removed]"
BLOCKING = Screener(FixedPolicy(Policy(default={"sin": "block"})))


def stored_bytes(settings: Settings) -> bytes:
    return b"".join(file.read_bytes() for file in settings.data_folder.rglob("*") if file.is_file())


async def test_a_masked_question_is_announced_stored_and_answered(chat: ChatEngine, own_settings: Settings) -> None:
    """The event is first; neither the model nor the disk gets the number, also not by files and thread messages."""
    along = {"attachments": (Attachment("a.txt", SIN),), "thread_messages": (Turn("user", SIN, "Bob"),)}
    async with serving(own_settings) as model:
        name = await chat.open("whisper")
        events = await ask(chat, f"Mine is {SIN}.", name, **along)
        turns = await chat.resume(name, "whisper")

    assert Masked((PersonalInformation("sin", 3),), f"Mine is {MASKED}.") == events[0]
    assert f"Mine is {MASKED}." == turns[0].text
    assert "193" not in shown(model.requests[0])
    assert 3 == shown(model.requests[0]).count(MASKED)
    assert SIN.encode() not in stored_bytes(own_settings)


async def test_a_blocked_question_reaches_neither_disk_nor_model(own_settings: Settings) -> None:
    """The next question of the conversation is answered."""
    async with serving(own_settings) as model, chat_on(own_settings, screener=BLOCKING) as chat:
        name = await chat.open("whisper")
        with pytest.raises(PersonalInformationRefused):
            await ask(chat, f"Mine is {SIN}.", name)
        await ask(chat, "Hello?", name)
        turns = await chat.resume(name, "whisper")

    assert ["Hello?", "Hello there."] == [turn.text for turn in turns]
    assert 1 == len(model.requests)
    assert SIN.encode() not in stored_bytes(own_settings)


async def test_a_large_file_is_screened(chat: ChatEngine, own_settings: Settings) -> None:
    text = "Ordinary words of a long report.\n" * 5000 + SIN
    async with serving(own_settings) as model:
        events = await ask(chat, "What is the number?", attachments=(Attachment("a.txt", text),))

    assert isinstance(events[0], Masked)
    assert SIN not in shown(model.requests[0])


async def test_toil_is_masked_and_its_result_says_so(chat: ChatEngine, own_settings: Settings) -> None:
    toil = chat.toil_events(Task("whisper", f"Read {SIN}"))
    async with serving(own_settings, ('{"a": 1}',)) as model, aclosing(toil) as events:
        seen = [event async for event in events]

    assert isinstance(seen[0], Masked)
    assert isinstance(seen[-1], ToilResult)
    assert (PersonalInformation("sin", 1),) == seen[-1].masked
    assert SIN not in shown(model.requests[0])


async def test_the_history_of_a_caller_is_masked(chat: ChatEngine, own_settings: Settings) -> None:
    async with serving(own_settings) as model:
        await events_of(chat, Prompt("whisper", "And?", history=(Turn("user", SIN), Turn("assistant", SIN))))

    assert SIN not in shown(model.requests[0])


async def test_titles_and_comments_are_masked(chat: ChatEngine, own_settings: Settings) -> None:
    async with serving(own_settings):
        name = await chat.open("whisper", "ann")
        await ask(chat, "Hi", name, owner="ann")
        summary = await chat.change_conversation(name, "ann", f"About {SIN}")
        await chat.rate(Rating(name, 1, "bad", f"It is {SIN}"), "ann")

    assert f"About {MASKED}" == summary.title
    assert SIN.encode() not in stored_bytes(own_settings)


async def test_a_blocked_title_is_refused(own_settings: Settings) -> None:
    async with serving(own_settings), chat_on(own_settings, screener=BLOCKING) as chat:
        name = await chat.open("whisper", "ann")
        await ask(chat, "Hi", name, owner="ann")
        with pytest.raises(PersonalInformationRefused):
            await chat.change_conversation(name, "ann", SIN)


async def test_the_placeholder_is_in_the_persons_language(chat: ChatEngine, own_settings: Settings) -> None:
    async with serving(own_settings):
        name = await chat.open("whisper")
        await ask(chat, SIN, name, language="fr")
        (question, _answer) = await chat.resume(name, "whisper")

    assert isinstance(question, TranscriptTurn)
    assert "[numéro d’assurance sociale retiré]" == question.text
