"""Answers a prompt with one JSON value that conforms to a JSON Schema, or raises a typed error.

The engine enforces as much of the schema as it can while the model writes (see `core.toil.schema.plan`). The validator
then checks every value against the original schema. After a violation, the model is asked again and told what failed.
The last attempt uses the narrowed plan, which allows fewer values. Knows no conversation: toil keeps none.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog
from cachetools import FIFOCache

from core import strict_json
from core.contract import (
    ConformingText,
    Done,
    Json,
    KeywordReport,
    Language,
    Source,
    Status,
    Task,
    Text,
    TextDiscarded,
    ToilEvent,
    ToilResult,
    Usage,
)
from core.conversation.draft import AnswerRequest
from core.conversation.generation import Generation
from core.errors import BadRequest, BudgetExhausted, ModelRefused, NonConforming, SchemaRefused
from core.model.client import ModelClient
from core.toil.instructions import add_feedback, add_instructions, raise_temperature, toil_sampling
from core.toil.schema.numbers import restore_numbers
from core.toil.schema.plan import RELAXATIONS_LIMIT, SchemaPlan, relax, report_refusal
from core.toil.schema.prechecks import check_readable
from core.toil.validator_pool import ValidatorPool
from core.toil.violation import NOT_JSON, Violation, describe_value, explain_violations

log = structlog.get_logger()

ATTEMPTS = 3
FORMATS_CACHED = 256
ANY_OBJECT = SchemaPlan(None, None, (), exact=True)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The whole text of one attempt, not yet validated."""

    text: str
    done: Done


Instruct = Callable[[AnswerRequest, Json, Language], AnswerRequest]
AttemptEvent = Status | Text | TextDiscarded | Attempt


class Toiler:
    """One per process."""

    def __init__(self, client: ModelClient, wait_s: float, instruct: Instruct | None = None) -> None:
        """`instruct`: asks for JSON in the prompt; None: `add_instructions`. For benchmarks."""
        self._client = client
        self._wait_s = wait_s
        self._instruct = instruct or add_instructions
        self._validators = ValidatorPool()
        # By the response format that an engine refused: the one that it accepted instead.
        self._accepted: FIFOCache[str, Json] = FIFOCache(FORMATS_CACHED)

    async def events(
        self,
        request: AnswerRequest,
        task: Task,
        language: Language,
        attempts: int = ATTEMPTS,
        instruct: Instruct | None = None,
    ) -> AsyncGenerator[ToilEvent, None]:
        """`instruct`: as in `__init__`, for this task.

        Raises SchemaRefused, BudgetExhausted, NonConforming, and the errors of `Generation`.
        """
        schema: Json = dict(task.schema) if isinstance(task.schema, Mapping) else task.schema
        plan = await self.plan(schema)
        usage = Usage()
        violations: tuple[Violation, ...] = ()
        request = (instruct or self._instruct)(request, schema, language)
        request = replace(request, sampling=toil_sampling(request.sampling, task.sampling))
        enforced_schemas = [plan.enforced] * (attempts - 1) + [plan.narrowed]
        while enforced_schemas:
            enforced = enforced_schemas.pop(0)
            attempt_events = self._attempt(request, enforced, fallback=plan.enforced, exact=plan.exact)
            async with aclosing(attempt_events) as events:
                async for event in events:
                    if isinstance(event, Attempt):
                        attempt = event
                    else:
                        yield event
            usage += attempt.done.usage
            if attempt.done.reason == "length":
                if not enforced_schemas or plan.narrowed == plan.enforced:
                    raise BudgetExhausted(
                        f"the JSON was not complete after {attempt.done.usage.completion_tokens} tokens"
                    )
                enforced_schemas = [plan.narrowed]  # it leaves out parts that may have used up the budget
                yield TextDiscarded()
                continue
            value, violations = await self._validate(attempt.text, schema, plan)
            if not violations:
                yield ToilResult(value, attempt.done.model, usage)
                return
            if value is None and violations[0].keyword == NOT_JSON:
                # For example 9e999, where the schema has no maximum. A narrowed object has only declared keys.
                enforced_schemas = [plan.narrowed] * len(enforced_schemas)
            # Without pointers: they hold keys that the model wrote.
            keywords = [violation.keyword for violation in violations]
            log.info("toil_attempt_rejected", attempts_left=len(enforced_schemas), keywords=keywords)
            request = raise_temperature(add_feedback(request, attempt.text, violations, language))
            if enforced_schemas:
                yield TextDiscarded()
        raise NonConforming(f"the model's JSON does not conform. {' '.join(explain_violations(violations, 'en'))}")

    async def plan(self, schema: Json) -> SchemaPlan:
        """Asks no model. Raises SchemaRefused with the place and the reason."""
        if schema is None:
            return ANY_OBJECT
        return await self._validators.plan(check_readable(schema))

    async def report(self, schema: Json) -> tuple[KeywordReport, ...]:
        """Reports for each keyword of a schema: enforced while writing, checked afterwards, or refused."""
        try:
            return (await self.plan(schema)).reports
        except SchemaRefused as exc:
            return (report_refusal(exc.message),)

    async def _validate(self, text: str, schema: Json, plan: SchemaPlan) -> tuple[Json, tuple[Violation, ...]]:
        """The value and its violations. A value with violations must not be returned to the caller."""
        try:
            # An undeclared key may come twice, because no engine tracks them; the last one counts.
            value = restore_numbers(strict_json.parse(text, last_wins=True), dict(plan.meant_numbers))
        except BadRequest as exc:
            return None, (Violation("", NOT_JSON, exc.message),)
        if schema is None:
            return value, () if isinstance(value, dict) else (Violation("", "type", "object", describe_value(value)),)
        return value, await self._validators.validate(schema, value)

    async def close(self) -> None:
        await self._validators.close()

    async def _attempt(
        self, request: AnswerRequest, enforced: Json, fallback: Json, *, exact: bool
    ) -> AsyncGenerator[AttemptEvent, None]:
        """Generates one answer under `enforced`, or under `fallback` if the engine calls that unsatisfiable.

        `exact`: both schemas allow conforming values only.
        """
        for schema in (enforced, fallback):
            try:
                async with aclosing(self._generate(request, build_response_format(schema), exact=exact)) as events:
                    async for event in events:
                        yield event
            except SchemaRefused:
                if enforced == fallback or schema == fallback:
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


def schema_of(response_format: Json) -> Json:
    named = response_format.get("json_schema") if isinstance(response_format, dict) else None
    return named.get("schema") if isinstance(named, dict) else None


async def stream_attempt(generation: Generation) -> AsyncGenerator[AttemptEvent, None]:
    """The answer's events, `Attempt` last. `TextDiscarded` follows the model's death: the answer starts again."""
    async with aclosing(generation.events()) as events:
        async for event in events:
            if isinstance(event, Done):
                yield Attempt(generation.text, event)
            elif isinstance(event, Status) and event.state == "reconnecting":
                yield event
                yield TextDiscarded()
            elif not isinstance(event, Source):
                yield event
