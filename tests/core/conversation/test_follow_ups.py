"""The conversation that comes with a question to look up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.configuration.personalities import Personality
from core.configuration.settings import load
from core.contract import Language, Prompt, Turn
from core.rag.questions.lookup_question import EARLIER_LIMIT, EarlierExchange, LookupQuestion
from core.rag.retrieval import Lookup
from tests.core.support_chatting import ask, chat_on, events_of, serving


class RecordingFinder:
    """Finds nothing, and records its questions."""

    is_public = True

    def __init__(self) -> None:
        self.questions: list[LookupQuestion] = []

    async def find(self, _personality: Personality, question: LookupQuestion, _language: Language) -> Lookup:
        self.questions.append(question)
        return Lookup()


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    return load({"CSPS_LLM_DATA": str(tmp_path / "var")})


async def test_a_question_is_looked_up_with_the_exchanges_before_it(settings: Any) -> None:
    """They come from the database, oldest first."""
    finder = RecordingFinder()
    async with serving(settings, ["Rain."], ["Sun."]), chat_on(settings, finders=(finder,)) as chat:
        conversation = await chat.open("whisper")
        await ask(chat, "Weather in Ottawa?", conversation)
        await ask(chat, "and in Montréal?", conversation)

    assert [
        LookupQuestion("Weather in Ottawa?"),
        LookupQuestion("and in Montréal?", (EarlierExchange("Weather in Ottawa?", "Rain."),)),
    ] == finder.questions


async def test_a_history_that_the_caller_keeps_comes_along(settings: Any) -> None:
    """Its latest exchanges do."""
    finder = RecordingFinder()
    turns = [Turn(role, f"{role} {number}") for number in range(10) for role in ("user", "assistant")]
    async with serving(settings, ["Sun."]), chat_on(settings, finders=(finder,)) as chat:
        await events_of(chat, Prompt("whisper", "and tomorrow?", history=tuple(turns)))

    (question,) = finder.questions
    assert EARLIER_LIMIT == len(question.earlier)
    assert EarlierExchange("user 9", "assistant 9") == question.earlier[-1]


async def test_a_pasted_text_is_no_part_of_an_earlier_question(settings: Any) -> None:
    """A follow-up is about the question behind it."""
    finder = RecordingFinder()
    async with serving(settings, ["Yes."], ["No."]), chat_on(settings, finders=(finder,)) as chat:
        conversation = await chat.open("whisper")
        await ask(chat, "|CONTEXT|A long text.|/CONTEXT| Is it free?", conversation)
        await ask(chat, "And for children?", conversation)

    assert "Is it free?" == finder.questions[-1].earlier[0].question
