"""Answers that are made again, and the reasons why they may differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.configuration.settings import Settings
from core.contract import Attachment, Done, Task, Turn
from core.conversation.tables import exchanges
from core.engine import ChatEngine
from core.receipts.receipt import DocumentReceipt
from core.receipts.replay import Activity, Replay, changed_sources, parse_activity
from core.storage.database import Database
from tests.core.support_chatting import ask, serving, whisper


async def replayed(chat: ChatEngine, receipt: str | None) -> Replay:
    assert receipt is not None
    stored = await chat.receipts.load(receipt)
    assert stored is not None
    return await chat.replay(stored)


def reasons(outcome: Replay) -> set[str]:
    """Without the digest of the model's file, which the fake model has none of."""
    return {each.reason for each in outcome.obstacles} - {"file_unknown"}


async def last_receipt(chat: ChatEngine, conversation: str) -> str | None:
    return (await chat.resume(conversation, "whisper"))[-1].receipt


async def test_the_same_prompt_with_the_same_seed_is_asked_again(chat: ChatEngine, own_settings: Settings) -> None:
    """A second question with a file, in a conversation with a pasted text: every message is the same."""
    async with serving(own_settings) as model:
        name = await chat.open("whisper")
        await ask(chat, "|CONTEXT|The leave is 18 months.|/CONTEXT| How long?", name)
        await ask(
            chat,
            "And this?",
            name,
            attachments=(Attachment("b.txt", "BBB"),),
            thread_messages=(Turn("user", "x", "Bo"),),
        )
        outcome = await replayed(chat, await last_receipt(chat, name))

    asked, again = model.requests[1:]
    assert outcome.outcome == "same"
    assert reasons(outcome) == set()
    assert again["messages"] == asked["messages"]
    assert (again["seed"], again["temperature"]) == (asked["seed"], asked["temperature"])


async def test_an_earlier_answer_is_asked_as_of_its_day(chat: ChatEngine, own_settings: Settings) -> None:
    """Later exchanges of its conversation are not in the prompt."""
    async with serving(own_settings) as model:
        name = await chat.open("whisper")
        first = await ask(chat, "|CONTEXT|Context.|/CONTEXT| First?", name)
        await ask(chat, "Second?", name)
        assert isinstance(first[-1], Done)
        outcome = await replayed(chat, first[-1].receipt)

    assert (outcome.outcome, reasons(outcome)) == ("same", set())
    assert model.requests[2]["messages"] == model.requests[0]["messages"]


async def test_another_text_is_shown_from_where_it_parts(chat: ChatEngine, own_settings: Settings) -> None:
    """All else is the same, so that rounding must have decided."""
    async with serving(own_settings, ("The answer is 4.",), ("The answer is 5.",)):
        name = await chat.open("whisper")
        await ask(chat, "2 + 2?", name)
        outcome = await replayed(chat, await last_receipt(chat, name))

    assert (outcome.outcome, outcome.stored, outcome.text) == ("different", "The answer is 4.", "The answer is 5.")
    assert outcome.same_chars == len("The answer is ")
    assert reasons(outcome) <= {"rounding"}


async def test_replay_stores_nothing(chat: ChatEngine, own_settings: Settings) -> None:
    """The conversation has the same turns."""
    async with serving(own_settings):
        name = await chat.open("whisper")
        await ask(chat, "Hi", name)
        before = await chat.resume(name, "whisper")
        await replayed(chat, before[-1].receipt)

        assert await chat.resume(name, "whisper") == before


async def test_a_changed_personality_is_named(chat: ChatEngine, own_settings: Settings) -> None:
    """Its system prompt is not that of the receipt; the prompt is another one."""
    async with serving(own_settings):
        name = await chat.open("whisper")
        await ask(chat, "Hi", name)
        chat._personalities._by_name = {"whisper": whisper(system="Be brief.")}
        outcome = await replayed(chat, await last_receipt(chat, name))

    assert reasons(outcome) == {"personality_changed", "prompt_changed"}


async def test_changed_documents_are_named_by_their_numbers(chat: ChatEngine, own_settings: Settings) -> None:
    """Here the stored file was changed behind the service's back."""
    async with serving(own_settings):
        name = await chat.open("whisper")
        await ask(chat, "What?", name, attachments=(Attachment("a.txt", "AAA"),))
        database = Database(own_settings.database_url)
        update = exchanges.update().values(attachments='[{"name": "a.txt", "text": "BBB", "omissions": []}]')
        await database.write(lambda db: db.execute(update))
        await database.close()
        outcome = await replayed(chat, await last_receipt(chat, name))

    assert [(each.reason, each.detail) for each in outcome.obstacles if each.reason != "file_unknown"] == [
        ("sources_changed", "[1]")
    ]


async def test_answers_that_nobody_stored_cannot_be_made_again(chat: ChatEngine, own_settings: Settings) -> None:
    """The same holds for deleted ones whose receipt has days of its own."""
    async with serving(own_settings):
        events = await ask(chat, "Hi")
        assert isinstance(events[-1], Done)
        outcome = await replayed(chat, events[-1].receipt)

    assert (outcome.outcome, reasons(outcome)) == ("impossible", {"not_stored"})


async def test_json_values_cannot_be_made_again(chat: ChatEngine, own_settings: Settings) -> None:
    """Their schema is not stored."""
    async with serving(own_settings, ('{"a": 1}',)):
        name = await chat.open("whisper")
        result = await chat.toil(Task("whisper", "One", {"type": "object"}, conversation=name))
        outcome = await replayed(chat, result.receipt)

    assert (outcome.outcome, reasons(outcome)) == ("impossible", {"json"})


async def test_a_model_or_personality_that_is_gone_is_named(chat: ChatEngine, own_settings: Settings) -> None:
    """Nothing is asked then."""
    async with serving(own_settings) as model:
        name = await chat.open("whisper")
        await ask(chat, "Hi", name)
        receipt = await last_receipt(chat, name)
        assert receipt is not None
        stored = await chat.receipts.load(receipt)
        assert stored is not None
        assert stored.receipt.model is not None
        other = replace(stored.receipt, model=replace(stored.receipt.model, name="gone", title="Gone"))
        without_model = await chat.replay(replace(stored, receipt=other))
        chat._personalities._by_name = {}
        without_personality = await chat.replay(stored)

    assert len(model.requests) == 1
    assert (without_model.outcome, reasons(without_model)) == ("impossible", {"model_gone"})
    assert reasons(without_personality) == {"personality_gone"}


def test_activity_sums_the_models() -> None:
    """Waiting requests count as running: they would share the batch."""
    metrics = (
        'csps_model_running{model="a"} 1.0\ncsps_model_running{model="b"} 0.0\ncsps_model_waiting{model="a"} 2.0\n'
        'csps_model_requests_total{model="a"} 12.0\ncsps_model_requests_total{model="b"} 3.0\n'
    )

    assert parse_activity(metrics) == Activity(running=3, ended=15)
    assert parse_activity("") == Activity()


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [({1: "a"}, {1: "a"}, []), ({1: "a"}, {1: "b"}, [1]), ({1: "a", 2: "b"}, {1: "a"}, [2]), ({}, {3: "c"}, [3])],
)
def test_changed_sources(before: dict[int, str], now: dict[int, str], changed: list[int]) -> None:
    """A source that is new or gone has changed too."""
    was, are = (tuple(DocumentReceipt(*each) for each in build(documents)) for documents in (before, now))

    assert changed_sources(was, are) == changed


def build(documents: dict[int, str]) -> list[tuple[int, str, str]]:
    return [(number, "looked_up", digest) for number, digest in documents.items()]
