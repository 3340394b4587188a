"""Toil: a prompt and a JSON Schema in, one value that conforms to it out, or a typed error.

The model is held to the schema while it writes, as far as its engine can (see `core.toil.schema.plan`); what it
wrote is checked against the schema as it was given, in every case, before anybody sees it. A value that fails is asked
for again, with what failed told to the model; the last time the model is held to less, all of which conforms. Knows no
conversation: toil keeps none.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog
from cachetools import FIFOCache

from core import strict_json
from core.contract import (
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
from core.conversation.composition import AnswerRequest, joined
from core.conversation.generation import Generation
from core.errors import BadRequest, BudgetExhausted, ModelRefused, NonConforming, SchemaRefused
from core.model.client import ModelClient
from core.openai.chat_protocol import Message
from core.texts import text
from core.toil.schema import relaxation
from core.toil.schema.plan import Plan, report_refusal
from core.toil.schema.prechecks import check_readable
from core.toil.validator_pool import ValidatorPool, Violation

log = structlog.get_logger()

ATTEMPTS = 3
HOTTER = 0.2  # added to the temperature at each further attempt: the same again would fail again
HOTTEST = 1.0
EASED_KEPT = 256
SCHEMA_TOLD_CHARS = 2000  # a longer one would take the window; the engine holds the model to it anyway
WRITTEN_TOLD_CHARS = 4000
NOT_JSON = "JSON"  # in the place of a keyword
ANY_OBJECT = Plan(None, None, ())


@dataclass(frozen=True, slots=True)
class Written:
    """One attempt's whole text, unchecked."""

    text: str
    done: Done


Writing = Status | Text | TextDiscarded | Written


class Toiler:
    """One per process."""

    def __init__(self, client: ModelClient, wait_s: float) -> None:
        self._client = client
        self._wait_s = wait_s
        self._validators = ValidatorPool()
        self._eased: FIFOCache[str, Json] = FIFOCache(
            EASED_KEPT
        )  # by the format that an engine refused: the one that it took

    async def events(self, request: AnswerRequest, task: Task, language: Language) -> AsyncGenerator[ToilEvent, None]:
        """Raises SchemaRefused, BudgetExhausted, NonConforming besides what an answer raises."""
        schema: Json = dict(task.schema) if isinstance(task.schema, Mapping) else task.schema
        plan = await self.plan(schema)
        usage = Usage()
        problems: tuple[Violation, ...] = ()
        request = instructed(request, schema, language)
        attempts = [plan.enforced] * (ATTEMPTS - 1) + [plan.narrowed]
        while attempts:
            held = attempts.pop(0)
            async with aclosing(self._write(request, held, otherwise=plan.enforced)) as events:
                async for event in events:
                    if isinstance(event, Written):
                        written = event
                    else:
                        yield event
            usage += written.done.usage
            if written.done.reason == "length":
                if not attempts or plan.narrowed == plan.enforced:
                    raise BudgetExhausted(f"the JSON was not whole after {written.done.usage.completion_tokens} tokens")
                attempts = [plan.narrowed]  # what it leaves out may be what took the room
                yield TextDiscarded()
                continue
            value, problems = await self.checked(written.text, schema)
            if not problems:
                yield ToilResult(value, written.done.model, usage)
                return
            if value is None and problems[0].keyword == NOT_JSON:
                # Such as 9e999, where a schema has no maximum; narrowed, only what was declared is written.
                attempts = [plan.narrowed] * len(attempts)
            # Not where: a path has keys that the model wrote.
            log.info("toil_refused", attempts_left=len(attempts), keywords=[problem.keyword for problem in problems])
            request = hotter(told_off(request, written.text, problems, language))
            if attempts:
                yield TextDiscarded()
        raise NonConforming(f"the model's JSON does not conform: {'; '.join(map(str, problems))}")

    async def plan(self, schema: Json) -> Plan:
        """What the model can be held to. Raises SchemaRefused with the place and the reason, asking no model."""
        if schema is None:
            return ANY_OBJECT
        return await self._validators.plan(check_readable(schema))

    async def report(self, schema: Json) -> tuple[KeywordReport, ...]:
        """Each keyword of a schema with its path: enforced while writing, checked after, or refused."""
        try:
            return (await self.plan(schema)).reports
        except SchemaRefused as exc:
            return (report_refusal(exc.message),)

    async def checked(self, text: str, schema: Json) -> tuple[Json, tuple[Violation, ...]]:
        """The value and what is wrong with it: nothing, or it must not leave here."""
        try:
            # No engine sees that a key which nobody declared comes twice; what leaves here holds it once.
            value = strict_json.parse(text, last_wins=True)
        except BadRequest as exc:
            return None, (Violation("the answer", NOT_JSON, exc.message),)
        if schema is None:
            return value, () if isinstance(value, dict) else (Violation("the root", "type", "a JSON object"),)
        return value, await self._validators.validate(schema, value)

    async def close(self) -> None:
        await self._validators.close()

    async def _write(self, request: AnswerRequest, held: Json, otherwise: Json) -> AsyncGenerator[Writing, None]:
        """The whole answer, held to as much as the engine takes; to `otherwise` if nothing satisfies that."""
        for schema in (held, otherwise):
            try:
                async with aclosing(self._write_held(request, format_of(schema))) as events:
                    async for event in events:
                        yield event
            except SchemaRefused:
                if held == otherwise or schema == otherwise:
                    raise
            else:
                return

    async def _write_held(self, request: AnswerRequest, wanted: Json) -> AsyncGenerator[Writing, None]:
        """Gives way, step by step, to an engine that refuses a format; it does so before it writes anything."""
        asked_for = json.dumps(wanted)
        response_format = self._eased.get(asked_for, wanted)
        for refusals in range(relaxation.RELAXATIONS_LIMIT + 1):
            if refusals == relaxation.RELAXATIONS_LIMIT:
                response_format = None
            generation = Generation(self._client, replace(request, response_format=response_format), self._wait_s)
            try:
                async with aclosing(written_by(generation)) as events:
                    async for event in events:
                        yield event
            except (SchemaRefused, ModelRefused) as exc:
                response_format = eased(response_format, exc)
                log.info("toil_eased", problem=exc.code, nothing_held=response_format is None)
                if generation.text:
                    yield TextDiscarded()
            else:
                self._remember(asked_for, wanted, response_format)
                return

    def _remember(self, asked_for: str, wanted: Json, taken: Json) -> None:
        if taken != wanted:
            self._eased[asked_for] = taken


def eased(response_format: Json, refusal: SchemaRefused | ModelRefused) -> Json:
    """A format that holds less than the one that was refused; None holds nothing. Raises the refusal at the end of it.

    An engine that refuses in words of its own knows no more of schemas than that there is one.
    """
    if response_format is None:
        raise refusal
    if isinstance(refusal, SchemaRefused) and "nsatisfiable" in refusal.message:
        raise refusal
    held = schema_of(response_format)
    if held in (None, True, {}) or isinstance(refusal, ModelRefused):
        return None
    return format_of(relaxation.relax(held, refusal.message))


def instructed(request: AnswerRequest, schema: Json, language: Language) -> AnswerRequest:
    """Asks for JSON in words, which OpenAI's json_object wants; the field that holds the model to it comes later.

    The words stand with the personality and before the question: a thousand rows of a batch then begin alike, and what
    they have in common is computed once.
    """
    written = json.dumps(schema, ensure_ascii=False) if isinstance(schema, dict) else ""
    told = joined([text("prompt-json-schema", language), written]) if 0 < len(written) <= SCHEMA_TOLD_CHARS else ""
    system = joined([request.draft.system, text("prompt-json-only", language), told])
    return replace(
        request,
        draft=replace(request.draft, system=system),
        own_system=False,
        sampling=replace(request.sampling, stop=()),  # a stop string would cut the JSON
    )


def format_of(schema: Json) -> Json:
    if schema is None:
        return {"type": "json_object"}
    held: Json = {} if schema is True else schema
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": held, "strict": True}}


def schema_of(response_format: Json) -> Json:
    told = response_format.get("json_schema") if isinstance(response_format, dict) else None
    return told.get("schema") if isinstance(told, dict) else None


def hotter(request: AnswerRequest) -> AnswerRequest:
    """A temperature that is left to the model stays so."""
    temperature = request.sampling.temperature
    if temperature is None or temperature >= HOTTEST:
        return request
    return replace(request, sampling=replace(request.sampling, temperature=min(HOTTEST, temperature + HOTTER)))


def told_off(request: AnswerRequest, answer: str, problems: tuple[Violation, ...], language: Language) -> AnswerRequest:
    """The next attempt knows what it wrote and what was wrong with it."""
    draft = request.draft
    wrote = (Message("user", draft.question), Message("assistant", answer[:WRITTEN_TOLD_CHARS]))
    question = joined(
        [
            text("prompt-json-retry", language),
            *(problem.explanation for problem in problems),
            text("prompt-json-only", language),
        ]
    )
    return replace(request, draft=replace(draft, groups=(*draft.groups, wrote), question=question))


async def written_by(generation: Generation) -> AsyncGenerator[Writing, None]:
    """The answer's events, `Written` last. `TextDiscarded` follows the model's death: the answer starts again."""
    async with aclosing(generation.events()) as events:
        async for event in events:
            if isinstance(event, Done):
                yield Written(generation.text, event)
            elif isinstance(event, Status) and event.state == "reconnecting":
                yield event
                yield TextDiscarded()
            elif not isinstance(event, Source):
                yield event
