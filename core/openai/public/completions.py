"""The parts of an answer to OpenAI's requests, whichever of its APIs sends them: text, citations, the end."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from core.contract import (
    ConformingText,
    Done,
    Event,
    Json,
    Masked,
    Prompt,
    Source,
    Status,
    Task,
    Text,
    TextDiscarded,
    ToilEvent,
    ToilResult,
    ToolArguments,
    ToolCallStarted,
    ToolEvent,
    ToolsChosen,
    Usage,
)
from core.errors import ModelUnavailable
from core.openai.public.chat_requests import Chat
from core.openai.public.citations import build_annotations
from core.rag.source_list import append_source_list


class CompletionEngine(Protocol):
    """The operations of the engine that answer OpenAI's requests."""

    def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]: ...
    def toil_events(self, task: Task) -> AsyncGenerator[ToilEvent, None]: ...
    def choose_tools(self, prompt: Prompt) -> AsyncGenerator[ToolEvent, None]: ...


@dataclass(frozen=True, slots=True)
class Citations:
    """The annotations of the complete text."""

    annotations: list[Json]


NOTHING_CHOSEN = ToolsChosen((), "", Usage())
# The last one is Done, or ToolsChosen with calls; there is no other one of these. Masked comes before all others.
CompletionPart = Masked | Text | Citations | Done | ToolCallStarted | ToolArguments | ToolsChosen


async def stream_completion(engine: CompletionEngine, chat: Chat, user: str) -> AsyncGenerator[CompletionPart, None]:
    """Yields one answer: calls of tools, or text, free or constrained to JSON."""
    chosen = NOTHING_CHOSEN
    if chat.toolbox:
        async with aclosing(engine.choose_tools(chat.prompt(user))) as choosing:
            async for event in choosing:
                if isinstance(event, ToolsChosen):
                    chosen = event
                elif not isinstance(event, Status):
                    yield event
    if chosen.calls:
        yield chosen
        return
    async with aclosing(answer_parts(engine, chat, user)) as parts:
        async for part in parts:
            yield replace(part, usage=chosen.usage + part.usage) if isinstance(part, Done) else part


def answer_parts(engine: CompletionEngine, chat: Chat, user: str) -> AsyncGenerator[CompletionPart, None]:
    if chat.constrained:
        return json_parts(engine, chat.task(user), stream=chat.stream)
    return reply_parts(engine, chat.prompt(user))


async def reply_parts(engine: CompletionEngine, prompt: Prompt) -> AsyncGenerator[CompletionPart, None]:
    """Yields a free answer: its text, which ends with the list of its sources, then citations if there are any."""
    text = ""
    sources: dict[int, Source] = {}
    async with aclosing(append_source_list(engine.reply(prompt))) as events:
        async for event in events:
            if isinstance(event, Source):
                sources[event.number] = event
            elif isinstance(event, Text):
                text += event.text
            elif isinstance(event, Done) and (annotations := build_annotations(text, sources)):
                yield Citations(annotations)
            if isinstance(event, (Masked, Text, Done)):
                yield event


async def json_parts(engine: CompletionEngine, task: Task, *, stream: bool) -> AsyncGenerator[CompletionPart, None]:
    """Yields a JSON answer.

    With `stream`, text that can only become a conforming value is passed on while it is written. Other text waits until
    the value is validated. Raises ModelUnavailable if the answer begins again after a part of it was passed on.
    """
    has_begun = False
    async with aclosing(engine.toil_events(task)) as events:
        async for event in events:
            match event:
                case Masked():
                    yield event
                case ConformingText() if stream:
                    has_begun = True
                    yield event
                case TextDiscarded() if has_begun:
                    raise ModelUnavailable(
                        "the answer had to begin again after a part of it was sent; send the request again"
                    )
                case ToilResult(value, model, usage):
                    if not has_begun:
                        yield Text(json.dumps(value, ensure_ascii=False, allow_nan=False))
                    yield Done("stop", model, usage)
