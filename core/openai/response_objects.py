"""Builds OpenAI's objects: completions, models, embeddings, errors. Knows neither HTTP nor files."""

from __future__ import annotations

import base64
import secrets
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.contract import Json, ToolCall, Usage
from core.errors import (
    CspsError,
    KeyRefused,
    LimitReached,
    ParameterRefused,
    PersonalInformationRefused,
    PersonalityUnknown,
    PromptTooLong,
)

CODES: dict[type[CspsError], str] = {
    KeyRefused: "invalid_api_key",
    LimitReached: "rate_limit_exceeded",
    PromptTooLong: "context_length_exceeded",
    PersonalityUnknown: "model_not_found",
}
OWNER = "csps-llm"
TOOL_CALLS = "tool_calls"  # the finish reason of an answer that calls tools


@dataclass(frozen=True, slots=True)
class Completion:
    """The envelope of one answer: id, time, model, and `constant` fields of each object."""

    model: str
    constant: Mapping[str, Json] = field(default_factory=dict)
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def head(self, kind: str) -> dict[str, Json]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, **self.constant}

    def whole(self, choices: Sequence[Json], usage: Usage) -> dict[str, Json]:
        return {**self.head("chat.completion"), "choices": list(choices), "usage": usage_object(usage)}

    def chunk(self, delta: dict[str, Json], reason: str | None = None, index: int = 0) -> dict[str, Json]:
        choice: Json = {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**self.head("chat.completion.chunk"), "choices": [choice]}

    def usage(self, usage: Usage) -> dict[str, Json]:
        return {**self.head("chat.completion.chunk"), "choices": [], "usage": usage_object(usage)}


def choice_object(
    index: int, text: str, annotations: list[Json], reason: str, calls: Sequence[ToolCall] = ()
) -> dict[str, Json]:
    message: dict[str, Json] = {"role": "assistant", "content": text, "refusal": None, "annotations": annotations}
    if calls:
        message |= {"content": None, "tool_calls": [call_object(call) for call in calls]}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": reason}


def call_object(call: ToolCall) -> dict[str, Json]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


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
    details: dict[str, Json] = {}
    if isinstance(error, PromptTooLong):
        details = {"tokens": error.tokens, "limit": error.limit}
    if isinstance(error, PersonalInformationRefused):
        details = {"kinds": [{"kind": each.kind, "count": each.count} for each in error.found]}
    param = error.param if isinstance(error, ParameterRefused) else None
    code = CODES.get(type(error), error.code)
    return {"error": {**error_object(error.message, error.status, code, param), **details}}


def http_error_body(reason: str, status: int) -> dict[str, Json]:
    """Describes an HTTP error that has no class of ours."""
    return {"error": error_object(reason, status, None, None)}


def error_object(message: str, status: int, code: str | None, param: str | None) -> dict[str, Json]:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"message": message, "type": kind, "code": code, "param": param}
