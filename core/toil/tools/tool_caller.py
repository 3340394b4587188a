"""Has a model choose tools and write their arguments. Every call conforms to its tool's schema, whatever the engine.

Both are toil. Under a small schema, the model first names a tool or decides to answer; then it writes the arguments
under the tool's own schema. Parts that are settled are not asked: a named tool, a tool without arguments.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import structlog

from core.contract import (
    Json,
    Language,
    Status,
    Task,
    ToilResult,
    Tool,
    ToolArguments,
    Toolbox,
    ToolCall,
    ToolCallStarted,
    ToolEvent,
    ToolsChosen,
    Usage,
)
from core.conversation.draft import AnswerRequest
from core.errors import NonConforming, SchemaRefused
from core.toil.toiler import Toiler
from core.toil.tools.choice import ToolChoice
from core.toil.tools.parameters import arguments_schema, takes_none
from core.toil.tools.prompts import ask_for_arguments, ask_for_choice

log = structlog.get_logger()

DECISION_TOKENS = 128
ID_BYTES = 12


@dataclass(slots=True)
class Spent:
    """The usage of all requests of one answer, and the model that answered."""

    usage: Usage = field(default_factory=Usage)
    model: str = ""

    def add(self, result: ToilResult) -> Json:
        self.usage += result.usage
        self.model = result.model
        return result.value


class ToolCaller:
    """One per process."""

    def __init__(self, toiler: Toiler) -> None:
        self._toiler = toiler

    async def events(
        self, request: AnswerRequest, toolbox: Toolbox, made: Sequence[ToolCall], language: Language
    ) -> AsyncGenerator[ToolEvent, None]:
        """`made`: the question's calls so far. Raises SchemaRefused, which names the tool, and what toil raises."""
        await self._check_schemas(toolbox)
        choice, spent = ToolChoice(toolbox, tuple(made)), Spent()
        while choice.is_open:
            answer = AnswerCall(self._toiler, request, choice, language, spent)
            async with aclosing(answer.events()) as events:
                async for event in events:
                    yield event
            if answer.call is None:
                break
            choice = replace(choice, calls=(*choice.calls, answer.call))
        yield ToolsChosen(choice.calls, spent.model, spent.usage)

    async def _check_schemas(self, toolbox: Toolbox) -> None:
        """Plans every tool's schema, so that a wrong one is refused whether or not the model calls its tool."""
        for tool in toolbox.tools:
            try:
                await self._toiler.plan(arguments_schema(tool))
            except SchemaRefused as exc:
                raise SchemaRefused(f"the parameters of the function `{tool.name}`: {exc.message}") from exc


class AnswerCall:
    """The next call of an answer. Run `events` once; then `call` is set, or stays None: no further call follows."""

    def __init__(
        self, toiler: Toiler, request: AnswerRequest, choice: ToolChoice, language: Language, spent: Spent
    ) -> None:
        self.call: ToolCall | None = None
        self._toiler = toiler
        self._request = request
        self._choice = choice
        self._language = language
        self._spent = spent
        self._tool: Tool | None = None
        self._arguments: Json = {}

    async def events(self) -> AsyncGenerator[ToolEvent, None]:
        self._tool = self._choice.settled
        if self._tool is None:
            async with aclosing(self._decide()) as events:
                async for event in events:
                    yield event
        if self._tool is None:
            return
        async with aclosing(self._write_arguments(self._tool)) as events:
            async for event in events:
                yield event
        call = ToolCall(
            new_call_id(), self._tool.name, json.dumps(self._arguments, ensure_ascii=False, allow_nan=False)
        )
        if self._choice.repeats(call):
            return  # a weak model would call forever
        self.call = call
        yield ToolCallStarted(call.id, call.name)
        yield ToolArguments(call.arguments)

    async def _decide(self) -> AsyncGenerator[Status, None]:
        """Sets the tool; leaves it unset if the model decides to answer, or names no tool although it need not."""
        request = ask_for_choice(self._request, self._choice, self._language)
        sampling = replace(request.sampling, temperature=0, max_tokens=DECISION_TOKENS)
        request = replace(request, sampling=sampling)
        try:
            async with aclosing(self._toil(request, self._choice.schema())) as events:
                async for event in events:
                    if isinstance(event, Status):
                        yield event
                    else:
                        self._tool = self._choice.chosen(self._spent.add(event))
        except NonConforming:
            if self._choice.is_required:
                raise
            log.info("tool_choice_failed", calls=len(self._choice.calls))

    async def _write_arguments(self, tool: Tool) -> AsyncGenerator[Status, None]:
        if takes_none(tool):
            return
        request = ask_for_arguments(self._request, tool, self._choice.calls, self._language)
        async with aclosing(self._toil(request, arguments_schema(tool))) as events:
            async for event in events:
                if isinstance(event, Status):
                    yield event
                else:
                    self._arguments = self._spent.add(event)
        if not isinstance(self._arguments, dict):
            raise NonConforming(f"the arguments of the function `{tool.name}` are not an object")

    async def _toil(self, request: AnswerRequest, schema: dict[str, Json]) -> AsyncGenerator[Status | ToilResult, None]:
        task = Task("", request.draft.question, schema)
        async with aclosing(self._toiler.events(request, task, self._language)) as events:
            async for event in events:
                if isinstance(event, Status | ToilResult):
                    yield event


def new_call_id() -> str:
    return f"call_{secrets.token_hex(ID_BYTES)}"
