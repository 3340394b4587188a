"""Has a model choose tools and write their arguments. Every call conforms to its tool's schema, whatever the engine.

Both are toil. Under a small schema, the model first names a tool or decides to answer; then it writes the arguments
under the tool's own schema. Parts that are settled are not asked: a named tool, a tool without arguments. For the
starter, which is too weak to choose, the likeness of question and tool decides.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import structlog

from core.contract import (
    Json,
    Language,
    Prompt,
    Sampling,
    Status,
    Task,
    ToilEvent,
    ToilResult,
    Tool,
    Toolbox,
    ToolCall,
    ToolEvent,
    ToolsChosen,
    Usage,
)
from core.conversation.draft import AnswerRequest
from core.errors import ModelError, NonConforming, SchemaRefused
from core.model.client import ModelClient
from core.toil.toiler import Toiler
from core.toil.tools.arguments import ArgumentsWriter
from core.toil.tools.choice import ToolChoice
from core.toil.tools.parameters import arguments_schema
from core.toil.tools.prompts import ask_for_arguments, ask_for_choice
from core.toil.tools.similarity import ToolSimilarity

log = structlog.get_logger()

DECISION_TOKENS = 128
Cosines = Mapping[str, float]  # by a tool's name


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
    """One per engine. `similarity`: None has every model choose by itself."""

    def __init__(self, toiler: Toiler, client: ModelClient, similarity: ToolSimilarity | None = None) -> None:
        self._toiler = toiler
        self._client = client
        self._similarity = similarity

    async def events(
        self, request: AnswerRequest, prompt: Prompt, language: Language
    ) -> AsyncGenerator[ToolEvent, None]:
        """`request`: for the answer to `prompt`. Raises SchemaRefused, which names the tool, and what toil raises."""
        toolbox, spent = prompt.toolbox or Toolbox(()), Spent()
        await self._check_schemas(toolbox)
        cosines = await self._compare(request, prompt, toolbox)
        choice = ToolChoice(toolbox, prompt.calls)
        while choice.is_open:
            answer = AnswerCall(self._toiler, request, prompt.sampling, choice, language, spent)
            async with aclosing(answer.events(cosines)) as events:
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

    async def _compare(self, request: AnswerRequest, prompt: Prompt, toolbox: Toolbox) -> Cosines | None:
        """The likeness of question and tools, if it decides; None: the model does."""
        if self._similarity is None or (toolbox.required and len(toolbox.tools) == 1):
            return None
        try:
            model = await self._client.info(request.model)
        except ModelError:
            return None  # the first request to it waits, and tells what is wrong
        return await self._similarity.compare(prompt.asked or prompt.text, toolbox.tools) if model.starter else None


class AnswerCall:
    """The next call of an answer. Run `events` once; then `call` is set, or stays None: no further call follows."""

    def __init__(
        self,
        toiler: Toiler,
        request: AnswerRequest,
        requested: Sampling,
        choice: ToolChoice,
        language: Language,
        spent: Spent,
    ) -> None:
        self.call: ToolCall | None = None
        self._toiler = toiler
        self._request = request
        self._requested = requested  # the caller's sampling; that of `request` has the personality's defaults
        self._choice = choice
        self._language = language
        self._spent = spent
        self._tool: Tool | None = None

    async def events(self, cosines: Cosines | None) -> AsyncGenerator[ToolEvent, None]:
        self._tool = self._choice.settled
        if self._tool is None and cosines is not None:
            self._tool = self._choice.likeliest(cosines)
        elif self._tool is None:
            async with aclosing(self._decide()) as deciding:
                async for status in deciding:
                    yield status
        if self._tool is None:
            return
        writer = ArgumentsWriter(self._tool, self._choice)
        async with aclosing(writer.events(self._arguments_of(self._tool))) as events:
            async for event in events:
                if isinstance(event, ToilResult):
                    self._spent.add(event)
                else:
                    yield event
        self.call = writer.call

    async def _decide(self) -> AsyncGenerator[Status, None]:
        """Sets the tool; leaves it unset if the model decides to answer, or names no tool although it need not."""
        request = ask_for_choice(self._request, self._choice, self._language)
        sampling = replace(request.sampling, temperature=0, max_tokens=DECISION_TOKENS)
        task = Task("", "", self._choice.schema())
        try:
            async with aclosing(
                self._toiler.events(replace(request, sampling=sampling), task, self._language)
            ) as events:
                async for event in events:
                    if isinstance(event, ToilResult):
                        self._tool = self._choice.chosen(self._spent.add(event))
                    elif isinstance(event, Status):
                        yield event
        except NonConforming:
            if self._choice.is_required:
                raise
            log.info("tool_choice_failed", calls=len(self._choice.calls))

    def _arguments_of(self, tool: Tool) -> AsyncGenerator[ToilEvent, None]:
        request = ask_for_arguments(self._request, tool, self._choice.calls, self._language)
        task = Task("", "", arguments_schema(tool), sampling=self._requested)
        return self._toiler.events(request, task, self._language)
