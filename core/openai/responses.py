"""Builds OpenAI's responses: completions, citations, models, embeddings, errors. Knows neither HTTP nor files."""

from __future__ import annotations

import base64
import json
import re
import secrets
import struct
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from core.contract import Done, Event, Json, Prompt, Source, Task, Text, ToilResult, Usage
from core.errors import CspsError, ParameterRefused, PersonalityUnknown, PromptTooLong
from core.openai.public_requests import Chat
from core.rag.source_list import HEADING, append_source_list, format_source, format_source_list

CODES: dict[type[CspsError], str] = {
    PromptTooLong: "context_length_exceeded",
    PersonalityUnknown: "model_not_found",
}
OWNER = "csps-llm"
# Skips code, where a number in brackets is an index, and Markdown links.
CITATION = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\[(?P<numbers>\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()", re.DOTALL | re.ASCII
)
NUMBER = re.compile(r"\d+")


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


@dataclass(frozen=True, slots=True)
class Completion:
    """The envelope of one answer: id, time, model."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def head(self, kind: str) -> dict[str, Json]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def whole(self, text: str, annotations: list[Json], reason: str, usage: Usage) -> dict[str, Json]:
        message: Json = {"role": "assistant", "content": text, "refusal": None, "annotations": annotations}
        choice: Json = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
        return {**self.head("chat.completion"), "choices": [choice], "usage": usage_object(usage)}

    def chunk(self, delta: dict[str, Json], reason: str | None = None) -> dict[str, Json]:
        choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**self.head("chat.completion.chunk"), "choices": [choice]}

    def usage(self, usage: Usage) -> dict[str, Json]:
        return {**self.head("chat.completion.chunk"), "choices": [], "usage": usage_object(usage)}


def usage_object(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def list_object(items: Sequence[Json]) -> dict[str, Json]:
    return {"object": "list", "data": list(items)}


def model_object(name: str, created: int = 0) -> dict[str, Json]:
    """Describes a model. `created`: seconds since 1970; clients require a number, which a personality does not have."""
    return {"id": name, "object": "model", "created": created, "owned_by": OWNER}


def embeddings_object(vectors: Sequence[list[float]], model: str, tokens: int, *, packed: bool) -> dict[str, Json]:
    """Describes embeddings. `packed`: as base64 of 32-bit little-endian floats."""
    data: list[Json] = [
        {"object": "embedding", "index": i, "embedding": base64_floats(vector) if packed else list(vector)}
        for i, vector in enumerate(vectors)
    ]
    return {**list_object(data), "model": model, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def base64_floats(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


# --- errors ----------------------------------------------------------------------------------------------------------


def openai_status(error: CspsError) -> int:
    """Returns the HTTP status. OpenAI's clients expect 400 for a prompt that is too long."""
    return 400 if isinstance(error, PromptTooLong) else error.status


def error_body(error: CspsError) -> dict[str, Json]:
    size: dict[str, Json] = {}
    if isinstance(error, PromptTooLong):
        size = {"tokens": error.tokens, "limit": error.limit}
    param = error.param if isinstance(error, ParameterRefused) else None
    code = CODES.get(type(error), error.code)
    return {"error": {**error_object(error.message, error.status, code, param), **size}}


def http_error_body(reason: str, status: int) -> dict[str, Json]:
    """Describes an HTTP error that has no class of ours."""
    return {"error": error_object(reason, status, None, None)}


def error_object(message: str, status: int, code: str | None, param: str | None) -> dict[str, Json]:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"message": message, "type": kind, "code": code, "param": param}


# --- citations -------------------------------------------------------------------------------------------------------


def build_annotations(text: str, sources: Mapping[int, Source]) -> list[Json]:
    """Lists the citations in the order of the text: each [n], then each line of the source list at its end.

    Indices count Unicode code points, as in OpenAI's own answers: `content[start_index:end_index]` is the citation.
    A source without a URL has no annotation, because OpenAI knows only URL citations.
    """
    if not sources:
        return []
    answer_chars = len(text) - len(format_source_list(sources))
    places = [*find_citations(text[:answer_chars]), *source_lines(answer_chars, sources)]
    return [
        url_citation(source.title, source.url, start, end)
        for number, start, end in places
        if (source := sources.get(number)) and source.url
    ]


def find_citations(text: str) -> Iterator[tuple[int, int, int]]:
    """Yields (number, start, end) of each citation; the numbers of `[1, 2]` share a place."""
    for match in CITATION.finditer(text):
        for number in NUMBER.findall(match["numbers"] or ""):
            yield int(number), *match.span()


def source_lines(start: int, sources: Mapping[int, Source]) -> Iterator[tuple[int, int, int]]:
    """Yields (number, start, end) of each line of the source list that begins at `start`."""
    end = start + len(HEADING)
    for number in sorted(sources):
        start = end + len("\n")
        end = start + len(format_source(sources[number]))
        yield number, start, end


def url_citation(title: str, url: str, start: int, end: int) -> Json:
    return {
        "type": "url_citation",
        "url_citation": {"start_index": start, "end_index": end, "title": title, "url": url},
    }
