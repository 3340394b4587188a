"""OpenAI's chat protocol as values: what is sent, what an answer's bytes mean, which error a refusal is.

Pure: bytes and JSON in, values of ours out. Knows no HTTP client, no deadline, and neither side's reasons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.contract import Sampling, Usage
from core.errors import CspsError, ModelRefused, ModelUnavailable, Overloaded, PromptTooLong, SchemaRefused
from core.openai.sse import Data, LineTooLongError, SseDecoder, WholeCharacters
from core.openai.thinking import ThinkingFilter

RETRY_AFTER_S = 5.0  # where the engine does not say
SHOWN_MESSAGE_CHARS = 500
OVERLOADED_CODES = {"overloaded", "rate_limit_exceeded"}
# Of our own process. They may come after streaming began, where there is no status to go by.
UNAVAILABLE_CODES = {"stopping", "model_unavailable", "no_room"}
REFUSED_CODES = {"model_failed", "model_refused"}
TOO_LONG_CODES = {"context_length_exceeded", "exceed_context_size_error"}  # OpenAI's, llama-server's
TOO_LONG_WORDS = "maximum context length"  # vLLM has no code for it
# Not OpenAI's, though most engines have them. The last two are one: llama.cpp says "repeat", vLLM "repetition".
EXTENSIONS = ("top_k", "min_p", "repeat_penalty", "repetition_penalty")
# No part of OpenAI's protocol: https://docs.vllm.ai (`RequestStatus`), https://docs.sglang.ai (`finish_reason`).
BROKEN_OFF = frozenset({"abort", "error"})
UNKNOWN_FIELD_STATUSES = {400, 422}
KEY_STATUSES = {401, 403}
THOUGHTS = ("reasoning_content", "reasoning")  # of a delta, as engines name what they have parsed themselves

Fields = dict[str, Any]
Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the prompt, in OpenAI's roles."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """`position` requests are served up to and with this one; `wait_s` seconds expected."""

    position: int | None
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece; never empty, never part of a character."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingStarted:
    """The model thinks before it answers, of which nothing is given. Once a stream."""


@dataclass(frozen=True, slots=True)
class StreamFinished:
    """The last of a stream."""

    reason: Literal["stop", "length"]
    usage: Usage


StreamEvent = QueuePosition | ThinkingStarted | TextDelta | StreamFinished


def request_body(model: str, messages: Sequence[Message], sampling: Sampling) -> Fields:
    """What is not set is not sent: not every engine knows every field."""
    chosen = {name: value for name, value in asdict(sampling).items() if value not in (None, ())}
    if "repeat_penalty" in chosen:
        chosen["repetition_penalty"] = chosen["repeat_penalty"]
    return {
        "model": model,
        "messages": [asdict(message) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **chosen,
    }


def without_extensions(body: Fields) -> Fields:
    return {name: value for name, value in body.items() if name not in EXTENSIONS}


def refuses_extensions(status: int, refusal: bytes, body: Fields) -> bool:
    """Whether a refusal of `body` names a field of it that is not OpenAI's, in whatever words the engine has."""
    sent = [name for name in EXTENSIONS if name in body]
    return status in UNKNOWN_FIELD_STATUSES and any(name.encode() in refusal for name in sent)


class StreamReader:
    """A streamed answer: feed it the bytes as they come, then `end`. `thinking`: None for the rest of an answer."""

    def __init__(self, thinking: ThinkingFilter | None = None) -> None:
        self.begun = False  # something was written, or thought
        self.is_done = False  # the protocol's last word was said
        self._decoder = SseDecoder()
        self._characters = WholeCharacters()
        self._thinking = thinking
        self._thinks_told = False
        self._reason: str | None = None
        self._usage = Usage()

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Raises the error that the stream tells, or ModelRefused if it is not what the protocol says."""
        try:
            for event in self._decoder.feed(chunk):
                if isinstance(event, Data):
                    yield from self._read(event)
                elif queued := parse_queue_comment(event.text):
                    yield queued
        except LineTooLongError as exc:
            raise ModelRefused("the engine sent a line that is too long") from exc

    @property
    def is_finished(self) -> bool:
        """The answer is whole; what may still come counts its tokens."""
        return self._reason is not None

    def end(self) -> Iterator[StreamEvent]:
        """The bytes are over. Without a finish reason, that is the death of the engine: ModelUnavailable.

        Raises ModelRefused where the engine keeps the rest to itself.
        """
        if self._reason == "content_filter":
            raise ModelRefused("the engine's content filter ended the answer")
        if self._reason is None or self._reason in BROKEN_OFF:
            raise ModelUnavailable("the model ended its answer early", retry_after_s=RETRY_AFTER_S)
        yield from self._given(self._characters.feed("", last=True))
        if self._thinking and (held := self._thinking.end()):
            yield TextDelta(held)
        yield StreamFinished("length" if self._reason == "length" else "stop", self._usage)

    def _read(self, event: Data) -> Iterator[StreamEvent]:
        if event.text == "[DONE]":
            self.is_done = True
            return
        data = parse_event(event.text)
        self._usage = parse_usage(data) or self._usage
        choice = first_choice(data)
        reason = choice.get("finish_reason")
        self._reason = reason if isinstance(reason, str) else self._reason
        delta = choice.get("delta")
        if isinstance(delta, dict):
            yield from self._changed(delta)

    def _changed(self, delta: Fields) -> Iterator[StreamEvent]:
        if any(delta.get(name) for name in THOUGHTS):
            yield from self._thinks()
        if isinstance(text := delta.get("content"), str):
            yield from self._given(self._characters.feed(text))

    def _given(self, text: str) -> Iterator[StreamEvent]:
        if self._thinking:
            text = self._thinking.feed(text)
            if self._thinking.begun:
                yield from self._thinks()
        if text:
            self.begun = True
            yield TextDelta(text)

    def _thinks(self) -> Iterator[ThinkingStarted]:
        self.begun = True
        if not self._thinks_told:
            self._thinks_told = True
            yield ThinkingStarted()


def parse_event(text: str) -> Fields:
    """One event's object. Raises the error if it is one."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ModelRefused("the engine sent an event that is not JSON") from exc
    if not isinstance(data, dict):
        raise ModelRefused("the engine sent an event that is not an object")
    if error := data.get("error"):
        raise error_from_object(error if isinstance(error, dict) else {}, status=500)
    return data


def first_choice(data: Fields) -> Fields:
    choices = data.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def parse_usage(data: Fields) -> Usage | None:
    usage = data.get("usage")
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(*(n if isinstance(n, int) else 0 for n in (*map(usage.get, TOKEN_COUNTS), cached)))


TOKEN_COUNTS = ("prompt_tokens", "completion_tokens")


def parse_queue_comment(comment: str) -> QueuePosition | None:
    """`queued position=3 wait_s=2.5`; any other comment only shows that the engine lives."""
    kind, _, rest = comment.partition(" ")
    if kind != "queued":
        return None
    values = dict(part.split("=", 1) for part in rest.split() if "=" in part)
    position, wait_s = values.get("position"), values.get("wait_s")
    try:
        return QueuePosition(int(position) if position else None, float(wait_s) if wait_s else None)
    except ValueError:
        return None


def error_from_response(status: int, body: bytes, retry_after: str | None = None) -> CspsError:
    """The error that a response other than 200 stands for. `retry_after` is the header of that name."""
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError, RecursionError):
        error = None
    # Retry-After may also be a date; then our own guess has to do.
    retry_after_s = float(retry_after) if retry_after and retry_after.isdecimal() else RETRY_AFTER_S
    return error_from_object(error if isinstance(error, dict) else {}, status, retry_after_s)


def error_from_object(error: Fields, status: int, retry_after_s: float = RETRY_AFTER_S) -> CspsError:
    """By OpenAI's `code` first, then by status.

    An engine's message may quote a prompt, and ours end in logs: it is passed on only where it is about something else.
    """
    code = str(error.get("code") or error.get("type") or "no code")
    message = str(error.get("message") or code)[:SHOWN_MESSAGE_CHARS]
    if code in TOO_LONG_CODES or str(error.get("type")) in TOO_LONG_CODES or TOO_LONG_WORDS in message:
        tokens, limit = (value if isinstance(value, int) else None for value in map(error.get, ("tokens", "limit")))
        return PromptTooLong("the prompt does not fit the model's context window", tokens=tokens, limit=limit)
    if code == SchemaRefused.code:
        return SchemaRefused(message)
    if status == 429 or code in OVERLOADED_CODES:
        return Overloaded(f"the model is busy ({status}, {code})", retry_after_s=retry_after_s)
    if (status in (502, 503, 504) and code not in REFUSED_CODES) or code in UNAVAILABLE_CODES:
        return ModelUnavailable(f"the model cannot answer now ({status}, {code})", retry_after_s=retry_after_s)
    advice = "; check LLM_API_KEY" if status in KEY_STATUSES else ""
    return ModelRefused(f"the engine answered {status} ({code}){advice}")
