"""Answers a prompt with one JSON value that conforms to a JSON Schema, or raises a typed error.

The engine enforces as much of the schema as it can while the model writes (see `core.toil.schema.plan`). The validator
then checks every value against the original schema. After a violation, the model is asked again and told what failed.
The last attempt uses the narrowed plan, which allows fewer values. Knows no conversation: toil keeps none.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace

import structlog

from core import strict_json
from core.contract import (
    Json,
    KeywordReport,
    Language,
    Task,
    TextDiscarded,
    ToilEvent,
    ToilResult,
    Usage,
)
from core.conversation.answer_facts import AnswerFacts
from core.conversation.draft import AnswerRequest
from core.errors import BadRequest, BudgetExhausted, NonConforming, SchemaRefused
from core.model.client import ModelClient
from core.toil.instructions import add_feedback, raise_temperature, surround_with_instructions, toil_sampling
from core.toil.json_writer import Attempt, JsonWriter
from core.toil.schema.numbers import restore_numbers
from core.toil.schema.plan import SchemaPlan, report_refusal
from core.toil.schema.prechecks import check_readable
from core.toil.validator_pool import ValidatorPool
from core.toil.violation import NOT_JSON, Violation, describe_value, explain_violations

log = structlog.get_logger()

ATTEMPTS = 3
ANY_OBJECT = SchemaPlan(None, None, (), exact=True)


Instruct = Callable[[AnswerRequest, Json, Language], AnswerRequest]
Observe = Callable[[AnswerFacts], None]


def ignore(_facts: AnswerFacts) -> None:
    """For answers without a receipt."""


class Toiler:
    """One per process."""

    def __init__(self, client: ModelClient, wait_s: float, instruct: Instruct | None = None) -> None:
        """`instruct`: asks for JSON in the prompt; None: `surround_with_instructions`. For benchmarks."""
        self._instruct = instruct or surround_with_instructions
        self._validators = ValidatorPool()
        self._writer = JsonWriter(client, wait_s)

    async def events(
        self,
        request: AnswerRequest,
        task: Task,
        language: Language,
        attempts: int = ATTEMPTS,
        instruct: Instruct | None = None,
        observe: Observe = ignore,
    ) -> AsyncGenerator[ToilEvent, None]:
        """`instruct`: as in `__init__`, for this task. `observe`: called with the facts of each attempt.

        Raises SchemaRefused, BudgetExhausted, NonConforming, and the errors of `Generation`.
        """
        schema: Json = dict(task.schema) if isinstance(task.schema, Mapping) else task.schema
        plan = await self.plan(schema)
        usage, violations = Usage(), tuple[Violation, ...]()
        request = (instruct or self._instruct)(request, schema, language)
        request = replace(request, sampling=toil_sampling(request.sampling, task.sampling))
        left = AttemptsLeft(plan, attempts)
        while left.schemas:
            attempt = None
            async with aclosing(self._writer.events(request, left.schemas.pop(0), plan)) as events:
                async for event in events:
                    if isinstance(event, Attempt):
                        attempt = event
                    else:
                        yield event
            assert attempt is not None
            usage += attempt.done.usage
            observe(attempt.facts)
            if attempt.done.reason == "length":
                left.shorten(attempt.done.usage)
                yield TextDiscarded()
                continue
            value, violations = await self._validate(attempt.text, schema, plan)
            if not violations:
                yield ToilResult(value, attempt.done.model, usage)
                return
            left.note(violations)
            request = raise_temperature(add_feedback(request, attempt.text, violations, language))
            if left.schemas:
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


class AttemptsLeft:
    """The schemas under which the model may still be asked; the narrowed one is the last."""

    def __init__(self, plan: SchemaPlan, attempts: int) -> None:
        self.schemas = [plan.enforced] * (attempts - 1) + [plan.narrowed]
        self._plan = plan

    def shorten(self, used: Usage) -> None:
        """Narrows what is left: the narrowed schema leaves out parts that may have used up the budget.

        Raises BudgetExhausted if that was tried or changes nothing.
        """
        if not self.schemas or self._plan.narrowed == self._plan.enforced:
            raise BudgetExhausted(f"the JSON was not complete after {used.completion_tokens} tokens")
        self.schemas = [self._plan.narrowed]

    def note(self, violations: tuple[Violation, ...]) -> None:
        """Takes the violations of an attempt into account."""
        if violations[0].keyword == NOT_JSON:
            # For example 9e999, where the schema has no maximum. A narrowed object has only declared keys.
            self.schemas = [self._plan.narrowed] * len(self.schemas)
        # Without pointers: they hold keys that the model wrote.
        keywords = [violation.keyword for violation in violations]
        log.info("toil_attempt_rejected", attempts_left=len(self.schemas), keywords=keywords)
