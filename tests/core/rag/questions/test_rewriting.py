"""The rewriting of follow-up questions by a model."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from core.configuration.personalities import Personality
from core.contract import Json
from core.errors import ModelUnavailable
from core.rag.questions.lookup_question import EarlierExchange, LookupQuestion
from core.rag.questions.rewriting import TEXT_LIMIT_CHARS, QuestionRewriter
from tests.core.support_chatting import whisper

EARLIER = (EarlierExchange("How long is parental leave?", "63 weeks."),)


class RecordingModel:
    """Answers with a value or an error, and records the prompts."""

    def __init__(self, answer: Json | Exception) -> None:
        self.answer = answer
        self.prompts: list[str] = []

    async def decide(self, _: Personality, prompt: str, schema: Mapping[str, Json]) -> Json:
        self.prompts.append(prompt)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def rewritten(answer: Json | Exception, question: LookupQuestion) -> tuple[LookupQuestion, list[str]]:
    model = RecordingModel(answer)
    return await QuestionRewriter(model.decide).rewrite(whisper(), question, "en"), model.prompts


async def test_a_follow_up_becomes_a_question_of_its_own() -> None:
    """One call is made; the prompt quotes the conversation."""
    question = LookupQuestion("Is it paid?", EARLIER)
    result, prompts = await rewritten({"question": "Is parental leave paid?"}, question)

    assert LookupQuestion("Is parental leave paid?", EARLIER) == result
    assert 1 == len(prompts)
    assert '"How long is parental leave?"' in prompts[0]


@pytest.mark.parametrize(
    "question",
    [
        LookupQuestion("Is it paid?"),
        LookupQuestion("How do I submit a travel claim?", EARLIER),
        LookupQuestion("Thank you!", EARLIER),
        LookupQuestion("Translate that.", EARLIER),
    ],
)
async def test_other_questions_cost_no_call(question: LookupQuestion) -> None:
    """First questions, those with a subject, thanks, and work on the answer."""
    assert (question, []) == await rewritten({"question": "x"}, question)


@pytest.mark.parametrize("answer", ["Yes, it is.", "I don't know.", "Who won the hockey game?", "Is it paid?"])
async def test_an_answer_that_is_no_rewriting_is_not_looked_up(answer: str) -> None:
    """It lacks the question's own words, or those of the conversation."""
    question = LookupQuestion("Is it paid?", EARLIER)

    assert question == (await rewritten({"question": answer}, question))[0]


@pytest.mark.parametrize("answer", [None, {"question": " "}, {"question": 1}, "x", ModelUnavailable("gone")])
async def test_without_an_answer_the_question_stays(answer: Json | Exception) -> None:
    """The finders resolve it by its words."""
    question = LookupQuestion("Is it paid?", EARLIER)

    assert question == (await rewritten(answer, question))[0]


async def test_a_long_conversation_makes_no_long_prompt() -> None:
    """Each text is cut, and so is the answer."""
    question = LookupQuestion("and it?" + " leave" * 10_000, (EarlierExchange("leave " * 10_000, "z" * 10_000),) * 6)
    result, prompts = await rewritten({"question": "leave " * 10_000}, question)

    assert len(prompts[0]) < 3000
    assert TEXT_LIMIT_CHARS == len(result.text)
