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
from core.errors import BudgetExhausted, ModelError, NonConforming, SchemaRefused
from core.model.client import ModelClient
from core.toil.instructions import add_instructions, begin_with_instructions, end_with_instructions
from core.toil.toiler import Instruct, Toiler
from core.toil.tools.arguments import ArgumentsWriter
from core.toil.tools.choice import ToolChoice
from core.toil.tools.parameters import arguments_schema
from core.toil.tools.prompts import ask_for_answer, ask_for_arguments, ask_for_choice, tell_tools
from core.toil.tools.similarity import ToolSimilarity

log = structlog.get_logger()

DECISION_TOKENS = 128
ARGUMENTS_TOKENS = 4096  # of all calls of an answer, where neither caller nor personality has a limit
Cosines = Mapping[str, float]  # by a tool's name


@dataclass(slots=True)
class Spent:
    """The usage of all requests of one answer, and the model that answered.

    `budget`: the tokens that are left for arguments. The limit of an answer holds for all its calls together.
    """

    budget: int
    usage: Usage = field(default_factory=Usage)
    model: str = ""

    def add(self, result: ToilResult) -> Json:
        self.usage += result.usage
        self.model = result.model
        return result.value

    def add_arguments(self, result: ToilResult) -> None:
        self.add(result)
        self.budget -= result.usage.completion_tokens


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
        toolbox, spent = prompt.toolbox or Toolbox(()), Spent(request.sampling.max_tokens or ARGUMENTS_TOKENS)
        await self._check_schemas(toolbox)
        cosines = await self._compare(request, prompt, toolbox)
        choice = ToolChoice(toolbox, prompt.calls)
        is_listed = cosines is None and not is_named(toolbox)
        if is_listed:
            request = tell_tools(request, toolbox.tools, language)
        while choice.is_open and spent.budget > 0:
            answer = AnswerCall(self._toiler, request, prompt.sampling, choice, language, spent, is_listed)
            async with aclosing(answer.events(cosines)) as events:
                async for event in events:
                    yield event
            if answer.call:
                choice = replace(choice, calls=(*choice.calls, answer.call))
            elif answer.tool and choice.is_required:
                choice = replace(choice, barred=choice.barred | {answer.tool.name})
            else:
                break
        yield ToolsChosen(choice.calls, spent.model, spent.usage)

    async def tell_answer(self, request: AnswerRequest, prompt: Prompt, language: Language) -> AnswerRequest:
        """The request for an answer without further calls. It shares its start with the requests for calls."""
        if not prompt.toolbox or is_named(prompt.toolbox) or await self._is_weak(request):
            return request
        return ask_for_answer(tell_tools(request, prompt.toolbox.tools, language), language)

    async def _check_schemas(self, toolbox: Toolbox) -> None:
        """Plans every tool's schema, so that a wrong one is refused whether or not the model calls its tool."""
        for tool in toolbox.tools:
            try:
                await self._toiler.plan(arguments_schema(tool))
            except SchemaRefused as exc:
                raise SchemaRefused(f"the parameters of the function `{tool.name}`: {exc.message}") from exc

    async def _compare(self, request: AnswerRequest, prompt: Prompt, toolbox: Toolbox) -> Cosines | None:
        """The likeness of question and tools, if it decides; None: the model does."""
        if self._similarity is None or is_named(toolbox) or not await self._is_weak(request):
            return None
        return await self._similarity.compare(prompt.asked or prompt.text, toolbox.tools)

    async def _is_weak(self, request: AnswerRequest) -> bool:
        """True if likeness decides instead of the model."""
        try:
            return self._similarity is not None and (await self._client.info(request.model)).starter
        except ModelError:
            return False  # the first request to it waits, and tells what is wrong


def is_named(toolbox: Toolbox) -> bool:
    """True if nothing is to be decided: the only tool is called once."""
    return toolbox.required and len(toolbox.tools) == 1 and not toolbox.parallel


class AnswerCall:
    """The next call of an answer. Run `events` once; then `call` is set, or stays None: no further call follows.

    `tool`: the one that was chosen. If it has no call, the call would have repeated an earlier one.
    """

    def __init__(
        self,
        toiler: Toiler,
        request: AnswerRequest,
        requested: Sampling,
        choice: ToolChoice,
        language: Language,
        spent: Spent,
        is_listed: bool,
    ) -> None:
        self.call: ToolCall | None = None
        self._toiler = toiler
        self._request = request
        self._requested = requested  # the caller's sampling; that of `request` has the personality's defaults
        self._choice = choice
        self._language = language
        self._spent = spent
        self._is_listed = is_listed  # the system message of `request` lists the tools
        self.tool: Tool | None = None

    async def events(self, cosines: Cosines | None) -> AsyncGenerator[ToolEvent, None]:
        self.tool = self._choice.settled
        if self.tool is None and cosines is not None:
            self.tool = self._choice.likeliest(cosines)
        elif self.tool is None:
            async with aclosing(self._decide()) as deciding:
                async for status in deciding:
                    yield status
        if self.tool is None:
            return
        writer = ArgumentsWriter(self.tool, self._choice)
        try:
            async with aclosing(writer.events(self._arguments_of(self.tool))) as events:
                async for event in events:
                    if isinstance(event, ToilResult):
                        self._spent.add_arguments(event)
                    else:
                        yield event
        except (BudgetExhausted, NonConforming) as exc:
            if writer.has_begun or not self._choice.calls:
                raise
            self.tool = None  # the calls before it are whole, and the model can call again after their results
            log.info("further_call_failed", code=exc.code, calls=len(self._choice.calls))
        self.call = writer.call

    async def _decide(self) -> AsyncGenerator[Status, None]:
        """Sets the tool; leaves it unset if the model decides to answer, or names no tool although it need not."""
        request = ask_for_choice(self._request, self._choice, self._language)
        sampling = replace(request.sampling, temperature=0, max_tokens=DECISION_TOKENS)
        toil = self._toil(replace(request, sampling=sampling), self._choice.schema(), Sampling(), end_with_instructions)
        try:
            async with aclosing(toil) as events:
                async for event in events:
                    if isinstance(event, ToilResult):
                        self.tool = self._choice.chosen(self._spent.add(event))
                    elif isinstance(event, Status):
                        yield event
        except NonConforming:
            if self._choice.is_required:
                raise
            log.info("tool_choice_failed", calls=len(self._choice.calls))

    def _arguments_of(self, tool: Tool) -> AsyncGenerator[ToilEvent, None]:
        request = ask_for_arguments(self._request, tool, self._choice.calls, self._language, is_listed=self._is_listed)
        sampling = replace(request.sampling, max_tokens=self._spent.budget)
        return self._toil(
            replace(request, sampling=sampling), arguments_schema(tool), self._requested, begin_with_instructions
        )

    def _toil(
        self, request: AnswerRequest, schema: Mapping[str, Json], requested: Sampling, instruct: Instruct
    ) -> AsyncGenerator[ToilEvent, None]:
        task = Task("", "", schema, sampling=requested)
        return self._toiler.events(
            request, task, self._language, instruct=instruct if self._is_listed else add_instructions
        )
