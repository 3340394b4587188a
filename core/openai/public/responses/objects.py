"""Builds the objects of OpenAI's Responses API: responses, output items, usage, errors. Knows no stream and no HTTP."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from core.contract import Json, Usage
from core.errors import CspsError, Overloaded
from core.openai.response_objects import error_body

ItemStatus = Literal["in_progress", "completed", "incomplete"]
ResponseStatus = Literal["in_progress", "completed", "incomplete", "failed"]
JsonObject = dict[str, Json]
# Fields that describe what this service does not do, as OpenAI sends them.
FIXED_FIELDS: JsonObject = {
    "background": False,
    "conversation": None,
    "max_tool_calls": None,
    "previous_response_id": None,
    "prompt": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "store": False,
    "top_logprobs": 0,
}


def new_id(kind: str) -> str:
    """Returns an id such as `msg_0a1b…`."""
    return f"{kind}_{secrets.token_hex(24)}"


@dataclass(frozen=True, slots=True)
class ResponseEnvelope:
    """The fields that one response has in all its states. `echo`: the parameters of its request."""

    echo: Mapping[str, Json]
    id: str = field(default_factory=lambda: new_id("resp"))
    created_at: int = field(default_factory=lambda: int(time.time()))

    def response(
        self,
        status: ResponseStatus,
        output: Sequence[Json] = (),
        usage: Usage | None = None,
        error: CspsError | None = None,
    ) -> JsonObject:
        """Describes the response. It is incomplete only when the token budget ended it."""
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "completed_at": int(time.time()) if status == "completed" else None,
            "status": status,
            "error": response_error(error) if error else None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "output": list(output),
            "usage": response_usage(usage) if usage else None,
            **FIXED_FIELDS,
            **self.echo,
        }


def message_item(item_id: str, status: ItemStatus, content: Sequence[Json]) -> JsonObject:
    return {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": list(content)}


def call_item(item_id: str, status: ItemStatus, call_id: str, name: str, arguments: str) -> JsonObject:
    call: JsonObject = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"id": item_id, "type": "function_call", "status": status, **call}


def output_text(text: str, annotations: Sequence[Json]) -> JsonObject:
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def flat_citation(annotation: Json) -> JsonObject:
    """Turns the annotation of a chat completion into that of a response, whose fields are not nested."""
    assert isinstance(annotation, dict)
    citation = annotation["url_citation"]
    assert isinstance(citation, dict)
    return {"type": "url_citation", **citation}


def response_usage(usage: Usage) -> Json:
    """The model's thinking is part of `output_tokens`. Engines do not count it apart."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def response_error(error: CspsError) -> Json:
    """Describes an error inside a response. OpenAI's clients know only its own codes."""
    code = "rate_limit_exceeded" if isinstance(error, Overloaded) else "server_error"
    return {"code": "invalid_prompt" if error.status < 500 else code, "message": error.message}


def error_event(error: CspsError) -> JsonObject:
    """Describes an error as the last event of a stream.

    `error` repeats the documented fields: OpenAI's clients raise an exception only where they find it.
    """
    nested = error_body(error)["error"]
    assert isinstance(nested, dict)
    documented = {name: nested[name] for name in ("code", "message", "param")}
    return {"type": "error", **documented, "error": nested}
