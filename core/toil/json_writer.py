"""Has a model write JSON under a schema, as far as its engine enforces that. Validates nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog
from cachetools import FIFOCache

from core.contract import ConformingText, Done, Json, Status, Text, TextDiscarded
from core.conversation.answer_facts import AnswerFacts
from core.conversation.draft import AnswerRequest
from core.conversation.generation import Generation
from core.errors import ModelRefused, SchemaRefused
from core.model.client import ModelClient
from core.openai.dialects import schema_of
from core.toil.schema.plan import RELAXATIONS_LIMIT, SchemaPlan, relax

log = structlog.get_logger()

FORMATS_CACHED = 256


@dataclass(frozen=True, slots=True)
class Attempt:
    """The whole text of one attempt, not yet validated."""

    text: str
    done: Done
    facts: AnswerFacts


AttemptEvent = Status | Text | TextDiscarded | Attempt


class JsonWriter:
    """One per process."""

    def __init__(self, client: ModelClient, wait_s: float) -> None:
        self._client = client
        self._wait_s = wait_s
        # By the response format that an engine refused: the one that it accepted instead.
        self._accepted: FIFOCache[str, Json] = FIFOCache(FORMATS_CACHED)

    async def events(
        self, request: AnswerRequest, enforced: Json, plan: SchemaPlan
    ) -> AsyncGenerator[AttemptEvent, None]:
        """Yields one answer under `enforced`, or under the wide plan if the engine calls that unsatisfiable."""
        for schema in (enforced, plan.enforced):
            try:
                async with aclosing(self._generate(request, build_response_format(schema), exact=plan.exact)) as events:
                    async for event in events:
                        yield event
            except SchemaRefused:
                if plan.enforced in (enforced, schema):
                    raise
            else:
                return

    async def _generate(
        self, request: AnswerRequest, value_schema: Json, *, exact: bool
    ) -> AsyncGenerator[AttemptEvent, None]:
        """Relaxes the format step by step while the engine refuses it. An engine refuses before it writes."""
        key = json.dumps(value_schema)
        response_format = self._accepted.get(key, value_schema)
        for refusals in range(RELAXATIONS_LIMIT + 1):
            if refusals == RELAXATIONS_LIMIT:
                response_format = None
            generation = Generation(self._client, replace(request, response_format=response_format), self._wait_s)
            conforms = exact and response_format == value_schema and self._client.enforces_schemas(request.model)
            try:
                async with aclosing(stream_attempt(generation)) as events:
                    async for event in events:
                        yield ConformingText(event.text) if conforms and isinstance(event, Text) else event
            except (SchemaRefused, ModelRefused) as exc:
                response_format = relax_format(response_format, exc)
                log.info("response_format_relaxed", code=exc.code, unconstrained=response_format is None)
                if generation.text:
                    yield TextDiscarded()
            else:
                if response_format != value_schema:
                    self._accepted[key] = response_format
                return


def relax_format(response_format: Json, refusal: SchemaRefused | ModelRefused) -> Json:
    """A wider format than the refused one; None for no format at all. Raises the refusal if nothing is left to relax.

    ModelRefused comes from an engine that does not explain which part of the schema it refuses.
    """
    if response_format is None:
        raise refusal
    if isinstance(refusal, SchemaRefused) and "nsatisfiable" in refusal.message:
        raise refusal
    enforced = schema_of(response_format)
    if enforced in (None, True, {}) or isinstance(refusal, ModelRefused):
        return None
    return build_response_format(relax(enforced, refusal.message))


def build_response_format(schema: Json) -> Json:
    if schema is None:
        return {"type": "json_object"}
    enforced: Json = {} if schema is True else schema
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": enforced, "strict": True}}


async def stream_attempt(generation: Generation) -> AsyncGenerator[AttemptEvent, None]:
    """The answer's events, `Attempt` last. `TextDiscarded` follows the model's death: the answer starts again."""
    async with aclosing(generation.events()) as events:
        async for event in events:
            if isinstance(event, Done):
                yield Attempt(generation.text, event, generation.facts)
            elif isinstance(event, Status) and event.state == "reconnecting":
                yield event
                yield TextDiscarded()
            elif isinstance(event, Status | Text):
                yield event
