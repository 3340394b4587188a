"""The receipts of answers: what they contain, and how long they are kept."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.configuration.settings import Settings
from core.contract import Attachment, Done, Event, Prompt, Sampling, Source, Task, Text
from core.engine import ChatEngine
from core.errors import ModelUnavailable
from core.rag.documents import Passage
from core.rag.rendering import DEFAULT_STYLE, NumberedDocument
from core.rag.retrieved import RetrievedDocument
from core.receipts.digests import digest_document, digest_personality
from core.receipts.receipt import plain_id
from core.receipts.store import ReceiptPolicy, StoredReceipt, expire
from core.storage.database import Database
from tests.core.support_chatting import ask, events_of, serving, whisper
from tests.support.fake_model import Die

SECRET = "tulip-4711"


def receipt_of(events: Sequence[Event]) -> str:
    done = events[-1]
    assert isinstance(done, Done)
    assert done.receipt is not None
    return done.receipt


async def load(chat: ChatEngine, receipt: str) -> StoredReceipt:
    found = await chat.receipts.load(receipt)
    assert found is not None
    return found


async def test_a_receipt_says_how_an_answer_was_made(chat: ChatEngine, own_settings: Settings) -> None:
    """It has the model, the personality's version, the settings with a seed, times and token counts."""
    async with serving(own_settings, ("Hel", "lo")) as model:
        name = await chat.open("whisper")
        events = await ask(chat, "Hi", name, channel="web")
        stored = await load(chat, receipt_of(events))

    receipt = stored.receipt
    assert (receipt.kind, receipt.channel, receipt.personality, receipt.reason) == ("answer", "web", "whisper", "stop")
    assert receipt.model is not None
    assert receipt.model.title == "fake-model"
    assert receipt.sampling is not None
    assert receipt.sampling.seed == model.requests[0]["seed"]
    assert receipt.sampling.temperature == 0.6
    assert receipt.usage == events[-1].usage  # type: ignore[union-attr]
    assert receipt.first_text_at is not None
    assert receipt.asked_at <= receipt.first_text_at <= receipt.done_at
    assert receipt.prompt_sha256 is not None
    assert stored.exchange is not None
    assert (await chat.resume(name, "whisper"))[-1].receipt == receipt.id


async def test_a_receipt_has_no_text_of_people(chat: ChatEngine, own_settings: Settings) -> None:
    """Neither question, answer, file name, file content nor a page's address are in its row."""
    files = (Attachment(f"{SECRET}.txt", f"{SECRET} content"),)
    async with serving(own_settings, (f"{SECRET} it is.",)):
        events = await ask(chat, f"{SECRET}?", "slack:T:C:1", attachments=files, user=f"user:{SECRET}")
        stored = await load(chat, receipt_of(events))

    assert SECRET not in json.dumps(stored.receipt.to_json())
    assert [(each.number, each.kind, each.url) for each in stored.receipt.documents] == [(1, "given", None)]


async def test_stop_strings_are_kept_as_digests(chat: ChatEngine, own_settings: Settings) -> None:
    """The model gets them; the receipt has none of a program's words."""
    async with serving(own_settings) as model:
        events = await ask(chat, "Hi", channel="v1", sampling=Sampling(stop=(SECRET,)))
        stored = await load(chat, receipt_of(events))

    assert [SECRET] == model.requests[0]["stop"]
    assert SECRET not in json.dumps(stored.receipt.to_json())
    assert stored.receipt.sampling is not None
    assert stored.receipt.sampling.stop[0].startswith("sha256:")


@pytest.mark.parametrize(
    ("collection", "kept"),
    [("", "https://example.ca/search"), ("procedures", f"https://example.ca/search?q={SECRET}#top")],
)
def test_the_query_of_a_search_is_left_out(collection: str, kept: str) -> None:
    """It has the words of the question. The addresses of a collection are the operator's."""
    source = Source(0, "Results", f"https://example.ca/search?q={SECRET}#top")
    document = RetrievedDocument("Results", (Passage("One."),), source, collection=collection)

    assert kept == digest_document(NumberedDocument(1, document), DEFAULT_STYLE, frozenset()).url


async def test_equal_files_have_equal_digests_and_equal_prompts_have_not(
    chat: ChatEngine, own_settings: Settings
) -> None:
    """A digest proves that a document was the same; a prompt's digest tells nobody that two people asked the same."""
    files = (Attachment("a.txt", "The leave is 18 months."),)
    async with serving(own_settings):
        first, second = [
            (await load(chat, receipt_of(await ask(chat, "How long?", f"slack:T:C:{at}", attachments=files)))).receipt
            for at in range(2)
        ]

    assert [each.sha256 for each in first.documents] == [each.sha256 for each in second.documents]
    assert first.prompt_sha256 != second.prompt_sha256


async def test_a_caller_s_seed_stays(chat: ChatEngine, own_settings: Settings) -> None:
    """Without one, two answers have different seeds."""
    async with serving(own_settings) as model:
        await ask(chat, "Hi", sampling=Sampling(seed=7))
        await ask(chat, "Hi")
        await ask(chat, "Hi")

    seeds = [request["seed"] for request in model.requests]
    assert seeds[0] == 7
    assert len(set(seeds)) == 3


async def test_an_answer_without_a_conversation_has_a_receipt(chat: ChatEngine, own_settings: Settings) -> None:
    """It has no digest of the prompt, which nobody could make again."""
    async with serving(own_settings):
        stored = await load(chat, receipt_of(await ask(chat, "Hi")))

    assert stored.exchange is None
    assert stored.receipt.prompt_sha256 is None


async def test_receipts_without_a_conversation_can_be_switched_off(chat: ChatEngine, own_settings: Settings) -> None:
    """Answers of conversations keep theirs."""
    chat.receipts.policy = ReceiptPolicy(unstored=False)
    async with serving(own_settings):
        alone, kept = await ask(chat, "Hi"), await ask(chat, "Hi", "slack:T:C:1")

    assert isinstance(alone[-1], Done)
    assert alone[-1].receipt is None
    assert receipt_of(kept)


async def test_a_json_value_has_a_receipt(chat: ChatEngine, own_settings: Settings) -> None:
    """The result names it."""
    async with serving(own_settings, ('{"a": 1}',)):
        result = await chat.toil(Task("whisper", "One", {"type": "object"}, channel="toil"))

    assert result.receipt is not None
    stored = await load(chat, result.receipt)
    assert (stored.receipt.kind, stored.receipt.channel) == ("json", "toil")
    assert stored.receipt.sampling is not None
    assert stored.receipt.sampling.seed is not None


async def test_a_stopped_answer_keeps_its_receipt(chat: ChatEngine, own_settings: Settings) -> None:
    """Its turn names it, although no `Done` did."""
    async with serving(own_settings, ("Hel", asyncio.Event())):
        name = await chat.open("whisper")
        async with aclosing(chat.reply(Prompt("whisper", "Hi", name))) as events:
            async for event in events:
                if isinstance(event, Text):
                    break
        turns = await chat.resume(name, "whisper")
        assert turns[-1].receipt is not None
        stored = await load(chat, turns[-1].receipt)

    assert stored.receipt.reason == "stopped"
    assert stored.receipt.model is not None


async def test_a_failed_answer_has_a_receipt_without_a_model(chat: ChatEngine, own_settings: Settings) -> None:
    """The model died before any text, more often than the service tries again."""
    async with serving(own_settings, *[(Die(),)] * 10):
        name = await chat.open("whisper")
        with pytest.raises(ModelUnavailable):
            await ask(chat, "Hi", name)
        turns = await chat.resume(name, "whisper")

    assert turns[-1].receipt is not None
    stored = await load(chat, turns[-1].receipt)
    assert (stored.receipt.reason, stored.receipt.model) == ("failed", None)


async def test_a_repeated_prompt_has_the_receipt_of_its_answer(chat: ChatEngine, own_settings: Settings) -> None:
    """A bot asks again after a crash: the stored answer is sent, with the receipt of when it was made."""
    async with serving(own_settings):
        first = await ask(chat, "Hi", "slack:T:C:1", key="e1")
        again = await ask(chat, "Hi", "slack:T:C:1", key="e1")

    assert receipt_of(again) == receipt_of(first)


async def test_another_answer_takes_the_exchange_from_the_first_receipt(
    chat: ChatEngine, own_settings: Settings
) -> None:
    """The first receipt stays, without an answer."""
    async with serving(own_settings):
        name = await chat.open("whisper")
        first = receipt_of(await ask(chat, "Hi", name))
        second = receipt_of(await ask(chat, "Hi again", name, revises=True))

    assert (await load(chat, first)).exchange is None
    assert (await load(chat, second)).exchange is not None


async def test_a_receipt_is_deleted_with_its_conversation(chat: ChatEngine, own_settings: Settings) -> None:
    """So that nothing of it is left."""
    async with serving(own_settings):
        name = await chat.open("whisper")
        receipt = receipt_of(await ask(chat, "Hi", name))
        await chat.forget(name)

    assert await chat.receipts.load(receipt) is None


async def test_a_receipt_with_days_of_its_own_outlives_its_conversation(
    chat: ChatEngine, own_settings: Settings
) -> None:
    """Its days end it; until then it has no answer."""
    chat.receipts.policy = ReceiptPolicy(follows_conversation=False)
    async with serving(own_settings):
        name = await chat.open("whisper")
        receipt = receipt_of(await ask(chat, "Hi", name))
        assert (await load(chat, receipt)).exchange is not None
        await chat.forget(name)

    stored = await load(chat, receipt)
    assert stored.exchange is None
    assert await expired(own_settings, stored.receipt.done_at) == 0
    assert await expired(own_settings, stored.receipt.done_at + 1) == 1


async def test_a_purge_leaves_receipts_of_conversations(chat: ChatEngine, own_settings: Settings) -> None:
    """They go with these."""
    async with serving(own_settings):
        kept = receipt_of(await ask(chat, "Hi", "slack:T:C:1"))
        gone = receipt_of(await ask(chat, "Hi"))

    assert await expired(own_settings, time.time() + 1) == 1
    assert await chat.receipts.load(kept) is not None
    assert await chat.receipts.load(gone) is None


async def expired(settings: Settings, before: float) -> int:
    """Deletes what is older, and returns the number."""
    database = Database(settings.database_url)
    count = await database.write(lambda db: expire(db, before))
    await database.close()
    return count


async def test_an_answer_is_sent_although_its_receipt_cannot_be_stored(
    chat: ChatEngine, own_settings: Settings
) -> None:
    """An answer that is not stored needs no database; it then has no receipt."""
    database = Database(own_settings.database_url)
    await database.write(lambda db: db.execute(sa.text("DROP TABLE receipts")))
    await database.close()
    async with serving(own_settings):
        events = await events_of(chat, Prompt("whisper", "Hi"))

    assert isinstance(events[-1], Done)
    assert events[-1].receipt is None


def test_a_personality_s_version_covers_what_its_answers_depend_on() -> None:
    """What people see before they ask changes no answer, and not the version."""
    personality = whisper()

    assert digest_personality(whisper(greeting="Hey", title="W")) == digest_personality(personality)
    changes = ({"system": "Be brief."}, {"facts": ("A fact.",)}, {"sources": ("canada-news",)}, {"model": "m"})
    versions = {digest_personality(whisper(**change)) for change in changes}
    assert len(versions | {digest_personality(personality)}) == len(changes) + 1


@pytest.mark.parametrize("shown", ["abc", "chatcmpl-abc", "resp_abc", " abc "])
def test_ids_of_v1_lead_to_the_receipt(shown: str) -> None:
    """An operator pastes the id as the program logged it."""
    assert plain_id(shown) == "abc"


def test_prompts_with_different_receipts_are_equal() -> None:
    """The id is no part of the question."""
    prompt = Prompt("whisper", "Hi")

    assert replace(prompt, receipt="other") == prompt
    assert prompt.receipt != Prompt("whisper", "Hi").receipt
