"""Asks a model which sources of a shortlist a question needs: prompt, schema and answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from core.configuration.personalities import Personality
from core.contract import Json, Language
from core.errors import CspsError
from core.rag.deciding import Decide
from core.rag.questions.parsing import QUESTION_LIMIT_CHARS
from core.rag.sources.catalogue import PublicSource
from core.rag.sources.choice import CHOSEN_LIMIT
from core.texts import text

log = structlog.get_logger()

QUERY_LIMIT_CHARS = 80


@dataclass(frozen=True, slots=True)
class SourceDecision:
    sources: tuple[PublicSource, ...]
    query: str  # "" leaves it to the question's own words


def decision_prompt(question: str, sources: Sequence[PublicSource], language: Language) -> str:
    descriptions = "\n".join(
        f"- {source.name}: {source.title(language)}. {source.section.description.in_language(language)}"
        for source in sources
    )
    quoted = json.dumps(question[:QUESTION_LIMIT_CHARS], ensure_ascii=False)
    prompt = text("prompt-source-choice", language, sources=descriptions, question=quoted)
    return f"{prompt} {text('prompt-source-query', language)}" if any(each.searches for each in sources) else prompt


def decision_schema(sources: Sequence[PublicSource]) -> dict[str, Json]:
    """Returns the schema of a decision: up to two sources, and a query if one of them is searched."""
    names: list[Json] = [source.name for source in sources]
    properties: dict[str, Json] = {
        "sources": {"type": "array", "items": {"enum": names}, "maxItems": min(CHOSEN_LIMIT, len(names))}
    }
    if any(source.searches for source in sources):
        properties["query"] = {"type": "string", "maxLength": QUERY_LIMIT_CHARS}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def parse_decision(answer: Json, sources: Sequence[PublicSource]) -> SourceDecision | None:
    """Returns None for an invalid answer; the schema prevents it where it is enforced."""
    names = answer.get("sources") if isinstance(answer, dict) else None
    if not isinstance(names, list) or not isinstance(answer, dict):
        return None
    query = answer.get("query")
    selection = tuple(source for source in sources if source.name in names)[:CHOSEN_LIMIT]
    return SourceDecision(selection, query.strip()[:QUERY_LIMIT_CHARS] if isinstance(query, str) else "")


async def ask_model(
    decide: Decide, personality: Personality, question: str, likely: Sequence[PublicSource], language: Language
) -> SourceDecision | None:
    """Returns None if the model does not decide."""
    prompt = decision_prompt(question, likely, language)
    try:
        answer = await decide(personality, prompt, decision_schema(likely))
    except CspsError as exc:
        log.warning("source_decision_failed", code=exc.code, problem=exc.message)
        return None
    return parse_decision(answer, likely)
