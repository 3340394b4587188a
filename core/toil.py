"""Toil: a prompt and a JSON Schema in, one value that conforms to it out, or a typed error.

The model is held to the schema while it writes, where its engine can; what it wrote is checked here in every case,
before anybody sees it. Knows no conversation: toil keeps none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace

import structlog

from core import strict_json
from core.answer import Answer, Request
from core.conformance import Judge
from core.contract import Done, Json, Language, Task, Toiled, Usage
from core.dialogue import joined
from core.errors import BadRequest, BudgetExhausted, NonConforming, SchemaRefused
from core.model.client import ModelClient
from core.model.wire import Message

log = structlog.get_logger()

ATTEMPTS = 2
SCHEMA_LIMIT_BYTES = 2**17
SCHEMA_TOLD_CHARS = 2000  # a longer one would take the window; the engine holds the model to it anyway

JSON_ONLY: Mapping[Language, str] = {"en": "Answer with JSON only.", "fr": "Réponds uniquement en JSON."}
BY_SCHEMA: Mapping[Language, str] = {
    "en": "It must conform to this JSON Schema:",
    "fr": "Il doit respecter ce schéma JSON :",
}
AGAIN: Mapping[Language, str] = {
    "en": "Your answer was refused. Answer again without these problems:",
    "fr": "Ta réponse a été refusée. Réponds à nouveau, sans ces problèmes :",
}


class Toiler:
    """One per process."""

    def __init__(self, client: ModelClient, wait_s: float) -> None:
        self._client = client
        self._wait_s = wait_s
        self._judge = Judge()

    async def toil(self, request: Request, task: Task, language: Language) -> Toiled:
        """Raises SchemaRefused, BudgetExhausted, NonConforming besides what an answer raises."""
        schema: Json = dict(task.schema) if isinstance(task.schema, Mapping) else task.schema
        await self.check_schema(schema)
        usage = Usage()
        problems: tuple[str, ...] = ()
        request = instructed(request, schema, language)
        for _attempt in range(ATTEMPTS):
            answer = Answer(self._client, request, self._wait_s)
            done = await whole(answer)
            usage = total(usage, done.usage)
            if done.reason == "length":
                raise BudgetExhausted(f"the JSON was not whole after {done.usage.completion_tokens} tokens")
            value, problems = await self.checked(answer.text, schema)
            if not problems:
                return Toiled(value, done.model, usage)
            log.info("toil_refused", problems=problems)
            request = told_off(request, answer.text, problems, language)
        raise NonConforming(f"the model's JSON does not conform: {'; '.join(problems)}")

    async def check_schema(self, schema: Json) -> None:
        """Raises SchemaRefused with the place and the reason, before the model is asked for anything."""
        if schema is None:
            return
        if not isinstance(schema, dict | bool):
            raise SchemaRefused("a JSON Schema is an object, true or false")
        if schema is False:
            raise SchemaRefused("the schema `false` allows no value at all")
        try:
            strict_json.check(schema)
        except BadRequest as exc:
            raise SchemaRefused(f"the schema: {exc.message}") from exc
        if (size := len(json.dumps(schema))) > SCHEMA_LIMIT_BYTES:
            raise SchemaRefused(f"the schema takes {size} bytes; the limit is {SCHEMA_LIMIT_BYTES}")
        if refused := (await self._judge.judge(schema)).refused:
            raise SchemaRefused(refused)

    async def checked(self, text: str, schema: Json) -> tuple[Json, tuple[str, ...]]:
        """The value and what is wrong with it: nothing, or it must not leave here."""
        try:
            value = strict_json.parse(text)
        except BadRequest as exc:
            return None, (exc.message,)
        if schema is None:
            return value, () if isinstance(value, dict) else ("it is not a JSON object",)
        verdict = await self._judge.judge(schema, value)
        if verdict.refused:
            raise SchemaRefused(verdict.refused)
        return value, verdict.problems


def instructed(request: Request, schema: Json, language: Language) -> Request:
    """Asks for JSON in words, which OpenAI's json_object wants, and in the field that holds the model to it."""
    written = json.dumps(schema, ensure_ascii=False) if isinstance(schema, dict) else ""
    told = joined([BY_SCHEMA[language], written]) if 0 < len(written) <= SCHEMA_TOLD_CHARS else ""
    question = joined([request.draft.question, JSON_ONLY[language], told])
    return replace(
        request,
        draft=replace(request.draft, question=question),
        sampling=replace(request.sampling, stop=()),  # a stop string would cut the JSON
        response_format=format_of(schema),
    )


def format_of(schema: Json) -> Json:
    if schema is None:
        return {"type": "json_object"}
    held: Json = {} if schema is True else schema
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": held, "strict": True}}


def told_off(request: Request, text: str, problems: tuple[str, ...], language: Language) -> Request:
    """The next attempt knows what it wrote and what was wrong with it."""
    draft = request.draft
    wrote = (Message("user", draft.question), Message("assistant", text))
    question = joined([AGAIN[language], *problems, JSON_ONLY[language]])
    return replace(request, draft=replace(draft, groups=(*draft.groups, wrote), question=question))


async def whole(answer: Answer) -> Done:
    """Runs the answer to its end; its text is then whole."""
    async with aclosing(answer.events()) as events:
        async for event in events:
            if isinstance(event, Done):
                return event
    raise AssertionError("an answer ends by Done or an exception")


def total(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        one.cached_tokens + other.cached_tokens,
    )
