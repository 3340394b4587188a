"""The client side of OpenAI's chat protocol: messages, events, request bodies, errors. Pure. Knows no HTTP client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.contract import Sampling, Usage
from core.errors import (
    CspsError,
    EngineFailed,
    ModelRefused,
    ModelUnavailable,
    Overloaded,
    PromptTooLong,
    SchemaRefused,
)
from core.runtime.backoff import parse_retry_after

RETRY_AFTER_S = 5.0  # used if the engine sends no Retry-After
MESSAGE_LIMIT_CHARS = 500
OVERLOADED_CODES = {"overloaded", "rate_limit_exceeded"}
# Codes of our own model process. They may arrive within a stream, where no HTTP status tells the kind of error.
UNAVAILABLE_CODES = {"stopping", "model_unavailable", "no_room"}
REFUSED_CODES = {"model_failed", "model_refused"}
TOO_LONG_CODES = {"context_length_exceeded", "exceed_context_size_error"}  # of OpenAI and llama-server
# vLLM (older and newer) and Ollama send no code for it.
TOO_LONG_MESSAGES = ("maximum context length", "context length is only", "exceeded max context length")
# Extensions to OpenAI's fields, which most engines accept. llama.cpp says "repeat" where vLLM says "repetition".
EXTENSIONS = (
    *("top_k", "min_p", "repeat_penalty", "repetition_penalty", "continue_final_message", "add_generation_prompt"),
    *("structured_outputs", "guided_json", "prompt_cache_key"),  # OpenAI has the last one, but not every engine
)
UNKNOWN_FIELD_STATUSES = {400, 422}
KEY_STATUSES = {401, 403}

Fields = dict[str, Any]
Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the prompt, with one of OpenAI's roles."""

    role: Role
    content: str

    def fields(self) -> Fields:
        """Returns the message as its JSON object; `asdict` would take ten times as long."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """The request waits. `position` counts from 1; `wait_s`: expected seconds."""

    position: int | None
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """The request waits until its model is in memory. `wait_s`: expected seconds."""

    wait_s: float | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next text; never empty, never a part of a character."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingStarted:
    """The model thinks before it answers; its thinking is dropped. At most once per stream."""


@dataclass(frozen=True, slots=True)
class StreamFinished:
    """The last event of a stream. `model`: the one that answered, as the engine names it; None if it does not.

    `fingerprint`: its `system_fingerprint`. `engine`: host, port and path of a remote one.
    """

    reason: Literal["stop", "length"]
    usage: Usage
    model: str | None = None
    fingerprint: str | None = None
    engine: str | None = None


StreamEvent = QueuePosition | ModelLoading | ThinkingStarted | TextDelta | StreamFinished


def request_body(model: str | None, messages: Sequence[Message], sampling: Sampling) -> Fields:
    """Builds the body of a streamed request. Unset fields are left out: not every engine knows every field."""
    fields = {name: value for name, value in asdict(sampling).items() if value not in (None, ())}
    if "repeat_penalty" in fields:
        fields["repetition_penalty"] = fields["repeat_penalty"]
    return {
        **model_field(model),
        "messages": [message.fields() for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **fields,
    }


def model_field(model: str | None) -> Fields:
    """The field that names the model; none for the default model of our own process."""
    return {} if model is None else {"model": model}


def without_extensions(body: Fields) -> Fields:
    return {name: value for name, value in body.items() if name not in EXTENSIONS}


def refuses_extensions(status: int, refusal: bytes, body: Fields) -> bool:
    """Tells whether a refusal names an extension field of `body`, in any engine's wording."""
    present = [name for name in EXTENSIONS if name in body]
    return status in UNKNOWN_FIELD_STATUSES and any(name.encode() in refusal for name in present)


def error_from_response(status: int, body: bytes, retry_after: str | None = None) -> CspsError:
    """Maps a response other than 200 to our error. `retry_after`: the header of that name."""
    try:
        error = error_object(json.loads(body))
    except (ValueError, RecursionError):
        error = {}
    return error_from_object(error, status, parse_retry_after(retry_after, RETRY_AFTER_S))


def error_object(body: Any) -> Fields:
    """The error object of a response: OpenAI's, a bare one (vLLM before 0.10), or a sentence (Ollama's own API)."""
    error = body.get("error", body) if isinstance(body, dict) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else {}


def error_from_object(error: Fields, status: int, retry_after_s: float = RETRY_AFTER_S) -> CspsError:
    """Maps an error object to our error, by OpenAI's `code` first, then by status.

    An engine's message may quote the prompt, and our messages reach logs: only a schema refusal's message is kept.
    """
    code = str(error.get("code") or error.get("type") or "no code")
    message = str(error.get("message") or code)[:MESSAGE_LIMIT_CHARS]
    if is_too_long(error, message):
        values = (error.get("tokens", error.get("n_prompt_tokens")), error.get("limit", error.get("n_ctx")))
        tokens, limit = (value if isinstance(value, int) else None for value in values)
        return PromptTooLong("the prompt is too long for the model's context window", tokens=tokens, limit=limit)
    if code == SchemaRefused.code:
        return SchemaRefused(message)
    if status == 429 or code in OVERLOADED_CODES:
        return Overloaded(f"the model is busy ({status}, {code})", retry_after_s=retry_after_s)
    if (status in (502, 503, 504) and code not in REFUSED_CODES) or code in UNAVAILABLE_CODES:
        return ModelUnavailable(f"the model cannot answer now ({status}, {code})", retry_after_s=retry_after_s)
    advice = "; check its key (LLM_API_KEY, or `key_env` in models.toml)" if status in KEY_STATUSES else ""
    kind = EngineFailed if status >= 500 else ModelRefused
    return kind(f"the engine answered {status} ({code}){advice}", engine_status=status)


def is_too_long(error: Fields, message: str) -> bool:
    """Tells whether an error object says that the prompt does not fit the window, in any engine's wording."""
    codes = {str(error.get("code")), str(error.get("type"))}
    return bool(codes & TOO_LONG_CODES) or any(wording in message for wording in TOO_LONG_MESSAGES)
