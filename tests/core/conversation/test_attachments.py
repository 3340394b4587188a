"""Questions with attachments, pages or pasted text do not search the sources; unclosed pasted text is reported."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from core.configuration.personalities import Personality
from core.configuration.settings import load
from core.contract import Attachment, Language, Prompt
from core.engine import ChatEngine
from core.rag.questions.lookup_question import LookupQuestion
from core.rag.retrieval import Lookup, shortcomings
from core.texts import text
from tests.core.conversation.test_retrieval import PAGE, site
from tests.core.support_chatting import ask, chat_on, events_of, serving, text_of


class Finder:
    """Finds nothing, and records its questions."""

    def __init__(self, asked: list[str]) -> None:
        self.asked = asked

    async def find(self, _personality: Personality, question: LookupQuestion, _language: Language) -> Lookup:
        self.asked.append(question.text)
        return Lookup()


class Sources(Finder):
    is_public: ClassVar[bool] = True


class Collections(Finder):
    is_public: ClassVar[bool] = False


@pytest.fixture
async def place() -> AsyncIterator[str]:
    async with site({"/pool": ("text/html", PAGE)}) as where:
        yield where


@pytest.fixture
def settings(tmp_path: Path, place: str) -> Any:
    return load({"CSPS_LLM_DATA": str(tmp_path / "var"), "RAG_ALLOW": place})


@pytest.fixture
def sources() -> list[str]:
    return []


@pytest.fixture
def collections() -> list[str]:
    return []


@pytest.fixture
async def chat(settings: Any, sources: list[str], collections: list[str]) -> AsyncIterator[ChatEngine]:
    async with chat_on(settings, finders=(Sources(sources), Collections(collections))) as built:
        yield built


async def test_sources_are_not_searched_if_the_question_comes_with_documents(
    chat: ChatEngine, settings: Any, place: str, sources: list[str], collections: list[str]
) -> None:
    """A page, pasted text or a file is the subject. The operator's collections are searched all the same."""
    async with serving(settings):
        await ask(chat, f"http://{place}/pool What is new?")
        await ask(chat, "|CONTEXT|It rains.|/CONTEXT| What is the weather?")
        await ask(chat, "What is new?", attachments=(Attachment("a.txt", "News."),))

    assert sources == []
    assert len(collections) == 3


async def test_sources_are_searched_for_later_questions(
    chat: ChatEngine, settings: Any, place: str, sources: list[str]
) -> None:
    """A later question may have another subject."""
    async with serving(settings):
        name = await chat.open("whisper")
        await ask(chat, f"http://{place}/pool What is new?", name)
        await ask(chat, "What is the weather?", name)

    assert sources == ["What is the weather?"]


@pytest.mark.parametrize(("personality", "language"), [("whisper", "en"), ("chuchotte", "fr")])
async def test_unclosed_pasted_text_gets_a_notice(
    chat: ChatEngine, settings: Any, personality: str, language: Language
) -> None:
    """A notice precedes the first answer; the whole text is read as the question."""
    async with serving(settings) as model:
        name = await chat.open(personality)
        first = await events_of(chat, Prompt(personality, " |CONTEXT|It rains. What is it?", name))
        later = await events_of(chat, Prompt(personality, "|CONTEXT| is a word.", name))

    assert text_of(first).startswith(f"{text('source-unclosed-context', language)}\n\n")
    assert "|CONTEXT|" not in text_of(later)
    assert "It rains." in model.requests[0]["messages"][-1]["content"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_source_is_named_by_its_title(language: Language) -> None:
    """A title is quoted after its kind; an address stands alone."""
    told = shortcomings(Lookup(unread=("Learning products", "https://a.example/")), language)

    assert told == "".join(
        text("source-unread", language, name=name) + "\n\n"
        for name in (text("source-label", language, name="Learning products"), "https://a.example/")
    )
    assert "Learning products" in told
