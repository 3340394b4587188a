"""Documents above the limit: the answer and the prompt both mention the cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.configuration.settings import Settings, load
from core.contract import Attachment, Omission, Task
from core.conversation.sessions import DOCUMENT
from core.engine import ChatEngine
from core.rag.reading.reader import Reader
from core.texts import text
from tests.core.conversation.test_retrieval import site
from tests.core.support_chatting import ask, chat_on, serving, shown, text_of

ONLY_A_PART = text("prompt-document-partly", "en", read="\0").partition("\0")[0]
LONG = "\n".join(
    ["<main><h1>Pool</h1>", *(f"<p>Lane {number} is painted green.</p>" for number in range(200)), "</main>"]
)


@pytest.fixture
async def place() -> AsyncIterator[str]:
    async with site({"/long": ("text/html", LONG), "/short": ("text/html", LONG[:500])}) as where:
        yield where


@pytest.fixture
def settings(tmp_path: Path, place: str) -> Settings:
    return load({"CSPS_LLM_DATA": str(tmp_path / "var"), "RAG_ALLOW": place})


@pytest.fixture
async def chat(settings: Settings) -> AsyncIterator[ChatEngine]:
    async with chat_on(settings, Reader(text_limit_chars=3000)) as built:
        yield built


async def test_a_page(chat: ChatEngine, settings: Settings, place: str) -> None:
    """A notice precedes the answer; every prompt that shows the page mentions the cut."""
    async with serving(settings) as model:
        name = await chat.open("whisper")
        first = await ask(chat, f"http://{place}/long Which colour is it?", name)
        later = await ask(chat, "And lane 2?", name)

    assert text_of(first).startswith(f"(I read http://{place}/long only in part: the first ")
    assert text_of(first).endswith("\n\nHello there.")
    assert text_of(later) == "Hello there."
    assert [ONLY_A_PART in shown(request) for request in model.requests] == [True, True]


async def test_a_page_within_the_limit_gets_no_notice(chat: ChatEngine, settings: Settings, place: str) -> None:
    """There is no notice."""
    async with serving(settings) as model:
        answer = await ask(chat, f"http://{place}/short Which colour is it?")

    assert text_of(answer) == "Hello there."
    assert ONLY_A_PART not in shown(model.requests[0])


async def test_a_file(chat: ChatEngine, settings: Settings) -> None:
    """The attachment is marked as cut; every prompt mentions it."""
    file = await chat.read("pool.html", LONG.encode(), "text/html")
    short = await chat.read("pool.html", LONG[:500].encode(), "text/html")
    async with serving(settings) as model:
        name = await chat.open("whisper")
        await ask(chat, "Which colour is it?", name, attachments=(file,))
        await ask(chat, "And lane 2?", name, attachments=(short,))

    assert (bool(file.omissions), short.omissions) == (True, ())
    assert [shown(request).count(ONLY_A_PART) for request in model.requests] == [1, 1]


async def test_an_address_in_toil(chat: ChatEngine, settings: Settings, place: str) -> None:
    """The prompt mentions the cut."""
    async with serving(settings, ('{"colour": "green"}',)) as model:
        await chat.toil(Task("whisper", "Which colour?", attachments=(Attachment("text", f"http://{place}/long"),)))

    assert ONLY_A_PART in shown(model.requests[0])


def test_documents_stored_by_earlier_versions_are_not_cut() -> None:
    """Conversations stored by earlier versions have no mark."""
    document = DOCUMENT.validate_json('{"name": "Pool", "passages": [{"text": "Green."}]}')

    stored = [Attachment.from_json({"name": "a.txt", "text": "A", **mark}) for mark in ({}, {"cut": True})]

    assert document.omissions == ()
    assert [(), (Omission("characters"),)] == [each.omissions for each in stored]


async def test_a_file_above_the_limit_of_a_question_gets_a_notice(chat: ChatEngine, settings: Settings) -> None:
    """A notice with its name precedes the answer to its question."""
    files = (
        Attachment("long «file».txt", "The pool is green. " * 60_000),
        Attachment("short.txt", "The rink is cold."),
    )
    async with serving(settings) as model:
        name = await chat.open("whisper")
        first = await ask(chat, "Which colour is the pool?", name, attachments=files)
        later = await ask(chat, "And lane 2?", name)

    assert text_of(first).startswith("(I read long file.txt only in part: the first ")
    assert "short.txt:" not in text_of(first)
    assert text_of(later) == "Hello there."
    assert [ONLY_A_PART in shown(request) for request in model.requests] == [True, True]
