"""Has a model rewrite a question that leans on its conversation, so that it can be looked up alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from core.configuration.personalities import Personality
from core.contract import Json, Language
from core.errors import CspsError
from core.rag.deciding import Decide
from core.rag.questions.follow_ups import dependence, subject_stems
from core.rag.questions.lookup_question import EarlierExchange, LookupQuestion
from core.texts import text

log = structlog.get_logger()

EXCHANGES_SHOWN = 3
TEXT_LIMIT_CHARS = 300  # of each question and answer that the model sees, and of the new question
SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "properties": {"question": {"type": "string", "maxLength": TEXT_LIMIT_CHARS}},
    "required": ["question"],
    "additionalProperties": False,
}


class QuestionRewriter:
    """Asks the model once for each question that leans on another; if it cannot, the question stays as it is."""

    def __init__(self, decide: Decide) -> None:
        self._decide = decide

    async def rewrite(self, personality: Personality, question: LookupQuestion, language: Language) -> LookupQuestion:
        if not question.earlier or dependence(question.text) != "leans":
            return question
        try:
            answer = await self._decide(personality, rewrite_prompt(question, language), SCHEMA)
        except CspsError as exc:
            log.warning("question_rewrite_failed", code=exc.code, problem=exc.message)
            return question
        rewritten = answer.get("question") if isinstance(answer, dict) else None
        if not isinstance(rewritten, str) or not is_faithful(rewritten, question):
            return question
        return replace(question, text=rewritten.strip()[:TEXT_LIMIT_CHARS])


def is_faithful(rewritten: str, question: LookupQuestion) -> bool:
    """Tells whether it has a word of the question, if that has any of its own, and one of the conversation.

    A weak model answers instead of rewriting, or writes about something else.
    """
    own, now = subject_stems(question.text), subject_stems(rewritten)
    said = frozenset(stem for each in question.earlier for stem in subject_stems(f"{each.question} {each.answer}"))
    return bool(now & said) and (not own or bool(now & own))


def rewrite_prompt(question: LookupQuestion, language: Language) -> str:
    shown = "\n".join(quoted_lines(question.earlier[-EXCHANGES_SHOWN:]))
    return text("prompt-question-rewrite", language, conversation=shown, question=quoted(question.text))


def quoted_lines(exchanges: Sequence[EarlierExchange]) -> list[str]:
    return [
        f"{role}: {quoted(said)}" for each in exchanges for role, said in (("-", each.question), (">", each.answer))
    ]


def quoted(said: str) -> str:
    """Quotes a text, so that it cannot end its own quotation."""
    return json.dumps(said[:TEXT_LIMIT_CHARS], ensure_ascii=False)
