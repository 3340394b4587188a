"""An answer, or why there is none, in OpenAI's words. Knows neither HTTP nor files."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from core.contract import Done, Event, Json, Prompt, Source, Task, Text, ToilResult, Usage
from core.errors import CspsError, ParameterRefused, PersonalityUnknown, PromptTooLong
from core.openai.citations import annotations_of
from core.openai.request import Chat
from core.rag.source_list import append_source_list

CODES: dict[type[CspsError], str] = {
    PromptTooLong: "context_length_exceeded",
    PersonalityUnknown: "model_not_found",
}


class ChatEngine(Protocol):
    """What of the engine answers."""

    def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]: ...
    async def toil(self, task: Task) -> ToilResult: ...


@dataclass(frozen=True, slots=True)
class Citations:
    """Where the text, which is whole by now, cites what can be opened."""

    annotations: list[Json]


CompletionPart = Text | Citations | Done


async def stream_completion(engine: ChatEngine, chat: Chat, user: str) -> AsyncGenerator[CompletionPart, None]:
    """The answer, free or constrained: text, what it cites if it does, and then how it ended."""
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
            elif isinstance(event, Done) and (found := annotations_of(text, sources)):
                yield Citations(found)
            if isinstance(event, (Text, Done)):
                yield event


@dataclass(frozen=True, slots=True)
class Completion:
    """OpenAI's envelope round one answer."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def head(self, kind: str) -> dict[str, Json]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def whole(self, text: str, cited: list[Json], done: Done) -> dict[str, Json]:
        message: Json = {"role": "assistant", "content": text, "refusal": None, "annotations": cited}
        choice: Json = {"index": 0, "message": message, "logprobs": None, "finish_reason": done.reason}
        return {**self.head("chat.completion"), "choices": [choice], "usage": usage_object(done.usage)}

    def chunk(self, delta: dict[str, Json], reason: str | None = None) -> dict[str, Json]:
        choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**self.head("chat.completion.chunk"), "choices": [choice]}

    def usage(self, usage: Usage) -> dict[str, Json]:
        return {**self.head("chat.completion.chunk"), "choices": [], "usage": usage_object(usage)}


async def collect_completion(
    completion: Completion, pieces: AsyncGenerator[CompletionPart, None]
) -> tuple[dict[str, Json], Usage]:
    """The answer in one, and what it took."""
    text = ""
    cited: list[Json] = []
    async for piece in pieces:
        match piece:
            case Text():
                text += piece.text
            case Citations():
                cited = piece.annotations
            case Done():
                return completion.whole(text, cited, piece), piece.usage
    raise AssertionError("an answer ends by Done or an exception")


def usage_object(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def openai_status(error: CspsError) -> int:
    """OpenAI's clients look for a prompt that is too long among the 400s."""
    return 400 if isinstance(error, PromptTooLong) else error.status


def error_object(error: CspsError) -> dict[str, Json]:
    size: dict[str, Json] = {}
    if isinstance(error, PromptTooLong):
        size = {"tokens": error.tokens, "limit": error.limit}
    return {
        "message": error.message,
        "type": "server_error" if error.status >= 500 else "invalid_request_error",
        "code": CODES.get(type(error), error.code),
        "param": error.param if isinstance(error, ParameterRefused) else None,
        **size,
    }
