"""The client side of OpenAI's chat protocol: builds request bodies, reads streamed answers, maps errors to ours.

Pure: bytes and JSON in, values out. Knows no HTTP client and no timeout.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.contract import Sampling, Usage
from core.errors import CspsError, ModelRefused, ModelUnavailable, Overloaded, PromptTooLong, SchemaRefused
from core.openai.sse import DONE, LineTooLongError, SseData, SseDecoder, WholeCharacters
from core.openai.thinking import ThinkingFilter

RETRY_AFTER_S = 5.0  # used if the engine sends no Retry-After
MESSAGE_LIMIT_CHARS = 500
OVERLOADED_CODES = {"overloaded", "rate_limit_exceeded"}
# Codes of our own model process. They may arrive within a stream, where no HTTP status tells the kind of error.
UNAVAILABLE_CODES = {"stopping", "model_unavailable", "no_room"}
REFUSED_CODES = {"model_failed", "model_refused"}
TOO_LONG_CODES = {"context_length_exceeded", "exceed_context_size_error"}  # of OpenAI and llama-server
TOO_LONG_MESSAGE = "maximum context length"  # vLLM sends no code for it
# Extensions to OpenAI's fields, which most engines accept. llama.cpp says "repeat" where vLLM says "repetition".
EXTENSIONS = ("top_k", "min_p", "repeat_penalty", "repetition_penalty")
# Finish reasons outside of OpenAI's protocol: https://docs.vllm.ai (`RequestStatus`), https://docs.sglang.ai.
ABORTED = frozenset({"abort", "error"})
UNKNOWN_FIELD_STATUSES = {400, 422}
KEY_STATUSES = {401, 403}
REASONING_FIELDS = ("reasoning_content", "reasoning")  # of a delta, in engines that separate the thinking

Fields = dict[str, Any]
Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the prompt, with one of OpenAI's roles."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """The request waits. `position` counts from 1; `wait_s`: expected seconds."""

    position: int | None
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
    """The last event of a stream."""

    reason: Literal["stop", "length"]
    usage: Usage


StreamEvent = QueuePosition | ThinkingStarted | TextDelta | StreamFinished


def request_body(model: str, messages: Sequence[Message], sampling: Sampling) -> Fields:
    """Build the body of a streamed request. Unset fields are left out: not every engine knows every field."""
    fields = {name: value for name, value in asdict(sampling).items() if value not in (None, ())}
    if "repeat_penalty" in fields:
        fields["repetition_penalty"] = fields["repeat_penalty"]
    return {
        "model": model,
        "messages": [asdict(message) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **fields,
    }


def without_extensions(body: Fields) -> Fields:
    return {name: value for name, value in body.items() if name not in EXTENSIONS}


def refuses_extensions(status: int, refusal: bytes, body: Fields) -> bool:
    """Tell whether a refusal names an extension field of `body`, whatever the wording of the engine."""
    sent = [name for name in EXTENSIONS if name in body]
    return status in UNKNOWN_FIELD_STATUSES and any(name.encode() in refusal for name in sent)


class StreamReader:
    """Reads a streamed answer: feed it bytes as they arrive, then call `end`.

    `thinking`: None for the rest of an answer, which contains no thinking.
    """

    def __init__(self, thinking: ThinkingFilter | None = None) -> None:
        self.begun = False  # the model wrote text or thought
        self.is_done = False  # [DONE] arrived
        self._decoder = SseDecoder()
        self._characters = WholeCharacters()
        self._thinking = thinking
        self._thinking_reported = False
        self._reason: str | None = None
        self._usage = Usage()

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Yield the events of a chunk. Raises an error event as our error, ModelRefused if the stream is malformed."""
        try:
            for event in self._decoder.feed(chunk):
                if isinstance(event, SseData):
                    yield from self._read(event)
                elif queued := parse_queue_comment(event.text):
                    yield queued
        except LineTooLongError as exc:
            raise ModelRefused("the engine sent a line that is too long") from exc

    @property
    def is_finished(self) -> bool:
        """True once a finish reason arrived: the answer is complete, only its usage may follow."""
        return self._reason is not None

    def end(self) -> Iterator[StreamEvent]:
        """Yield the last events, `StreamFinished` last.

        Raises ModelUnavailable if no finish reason arrived, because the engine died; ModelRefused if the engine's
        content filter ended the answer.
        """
        if self._reason == "content_filter":
            raise ModelRefused("the engine's content filter ended the answer")
        if self._reason is None or self._reason in ABORTED:
            raise ModelUnavailable("the model ended its answer early", retry_after_s=RETRY_AFTER_S)
        yield from self._text(self._characters.feed("", last=True))
        if self._thinking and (pending := self._thinking.end()):
            yield TextDelta(pending)
        yield StreamFinished("length" if self._reason == "length" else "stop", self._usage)

    def _read(self, event: SseData) -> Iterator[StreamEvent]:
        if event.text == DONE:
            self.is_done = True
            return
        data = parse_event(event.text)
        self._usage = parse_usage(data) or self._usage
        choice = first_choice(data)
        reason = choice.get("finish_reason")
        self._reason = reason if isinstance(reason, str) else self._reason
        delta = choice.get("delta")
        if isinstance(delta, dict):
            yield from self._apply(delta)

    def _apply(self, delta: Fields) -> Iterator[StreamEvent]:
        if any(delta.get(name) for name in REASONING_FIELDS):
            yield from self._report_thinking()
        if isinstance(text := delta.get("content"), str):
            yield from self._text(self._characters.feed(text))

    def _text(self, text: str) -> Iterator[StreamEvent]:
        if self._thinking:
            text = self._thinking.feed(text)
            if self._thinking.begun:
                yield from self._report_thinking()
        if text:
            self.begun = True
            yield TextDelta(text)

    def _report_thinking(self) -> Iterator[ThinkingStarted]:
        self.begun = True
        if not self._thinking_reported:
            self._thinking_reported = True
            yield ThinkingStarted()


def parse_event(text: str) -> Fields:
    """Return an event's object. Raises an error object as our error, ModelRefused if it is malformed."""
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
    """Parse `queued position=3 wait_s=2.5`; None for any other comment."""
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
    """Map a response other than 200 to our error. `retry_after`: the header of that name."""
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError, RecursionError):
        error = None
    # Retry-After may also be a date, which is ignored.
    retry_after_s = float(retry_after) if retry_after and retry_after.isdecimal() else RETRY_AFTER_S
    return error_from_object(error if isinstance(error, dict) else {}, status, retry_after_s)


def error_from_object(error: Fields, status: int, retry_after_s: float = RETRY_AFTER_S) -> CspsError:
    """Map an error object to our error, by OpenAI's `code` first, then by status.

    An engine's message may quote the prompt, and our messages reach logs: only a schema refusal's message is kept.
    """
    code = str(error.get("code") or error.get("type") or "no code")
    message = str(error.get("message") or code)[:MESSAGE_LIMIT_CHARS]
    if code in TOO_LONG_CODES or str(error.get("type")) in TOO_LONG_CODES or TOO_LONG_MESSAGE in message:
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
