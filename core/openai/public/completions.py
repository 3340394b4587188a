"""An answer as the parts of a chat completion."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from core.contract import Done, Event, Json, Prompt, Source, Task, Text, ToilResult, Usage
from core.openai.public.chat_requests import Chat
from core.openai.public.citations import build_annotations
from core.openai.response_objects import Completion
from core.rag.source_list import append_source_list


class CompletionEngine(Protocol):
    """The two operations of the engine that answer a chat request."""

    def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]: ...
    async def toil(self, task: Task) -> ToilResult: ...


@dataclass(frozen=True, slots=True)
class Citations:
    """The annotations of the complete text."""

    annotations: list[Json]


CompletionPart = Text | Citations | Done


async def stream_completion(engine: CompletionEngine, chat: Chat, user: str) -> AsyncGenerator[CompletionPart, None]:
    """Yields the answer, free or constrained to JSON: text, citations if there are any, and Done."""
    if chat.constrained:
        toiled = await engine.toil(chat.task(user))
        yield Text(json.dumps(toiled.value, ensure_ascii=False, allow_nan=False))
        yield Done("stop", toiled.model, toiled.usage)
        return
    text = ""
    sources: dict[int, Source] = {}
    async with aclosing(append_source_list(engine.reply(chat.prompt(user)))) as events:
        async for event in events:
            if isinstance(event, Source):
                sources[event.number] = event
            elif isinstance(event, Text):
                text += event.text
            elif isinstance(event, Done) and (annotations := build_annotations(text, sources)):
                yield Citations(annotations)
            if isinstance(event, (Text, Done)):
                yield event


async def collect_completion(
    completion: Completion, parts: AsyncGenerator[CompletionPart, None]
) -> tuple[dict[str, Json], Usage]:
    """Returns the answer as one chat.completion, and its usage."""
    text = ""
    annotations: list[Json] = []
    async for part in parts:
        match part:
            case Text():
                text += part.text
            case Citations():
                annotations = part.annotations
            case Done():
                return completion.whole(text, annotations, part.reason, part.usage), part.usage
    raise AssertionError("an answer ends with Done or an exception")
