"""Reads a streamed answer: bytes in, typed events out. Pure.

Splits the server-sent events into lines as bytes. A character that spans two network chunks is then decoded whole, and
U+2028 inside a JSON string does not end a line.

Separates the thinking that some models write before an answer. Thinking starts at the beginning of the text, after
blanks only, and lasts from `<think>` to the first `</think>`. Elsewhere these marks are ordinary text. Marks of other
model families are not supported.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterable, Iterator
from typing import Literal

from core.contract import Usage
from core.errors import CspsError, EngineFailed, ModelRefused, ModelUnavailable
from core.openai.chat_protocol import (
    RETRY_AFTER_S,
    Fields,
    ModelLoading,
    QueuePosition,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ThinkingStarted,
    error_from_object,
)
from core.openai.sse import DONE

LINE_LIMIT_BYTES = 2**20  # of a line, and of an event
NAME_LIMIT_CHARS = 200  # of a model, and of an engine's state
OPEN, CLOSE = "<think>", "</think>"
# Finish reasons outside of OpenAI's protocol: https://docs.vllm.ai (`RequestStatus`), https://docs.sglang.ai.
ABORTED = frozenset({"abort", "error"})
FAILED_TYPES = ("InternalServerError", "internal_server_error")  # vLLM's and SGLang's type of an error within a stream
TOKEN_COUNTS = ("prompt_tokens", "completion_tokens")
REASONING_FIELDS = ("reasoning_content", "reasoning")  # of a delta, in engines that separate the thinking


class StreamReader:
    """Takes bytes by `feed` until `end`. `is_continuation`: the stream is the rest of an answer, without thinking."""

    def __init__(self, *, is_continuation: bool = False) -> None:
        self.has_begun = False  # the model wrote text or thought
        self.is_done = False  # [DONE] arrived
        self._rest = b""  # the begun line
        self._data: list[bytes] = []  # the begun event
        # Joins surrogate pairs whose two `\u` escapes arrived in two JSON strings.
        self._surrogates = codecs.getincrementaldecoder("utf-16-le")("replace")
        self._thinking = None if is_continuation else ThinkingFilter()
        self._thinking_reported = False
        self._reason: str | None = None
        self._usage = Usage()
        self._model: str | None = None
        self._fingerprint: str | None = None

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Yields the events of a chunk, its texts as one. A reader that is slower than the engine gets larger chunks.

        Raises an error event as our error, ModelRefused if the stream is malformed.
        """
        return join_texts(self._read_chunk(chunk))

    def _read_chunk(self, chunk: bytes) -> Iterator[StreamEvent]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from self._read_line(line.removesuffix(b"\r"))
        if len(self._rest) + sum(map(len, self._data)) > LINE_LIMIT_BYTES:
            raise EngineFailed("the engine sent a line that is too long")

    @property
    def is_finished(self) -> bool:
        """True once a finish reason arrived: the answer is complete, only its usage may follow."""
        return self._reason is not None

    def end(self) -> Iterator[StreamEvent]:
        """Yields the last events, `StreamFinished` last.

        Raises ModelUnavailable if no finish reason arrived, because the engine died; ModelRefused if the engine's
        content filter ended the answer.
        """
        if self._reason == "content_filter":
            raise ModelRefused("the engine's content filter ended the answer")
        if self._reason is None or self._reason in ABORTED:
            raise ModelUnavailable("the model ended its answer early", retry_after_s=RETRY_AFTER_S)
        yield from self._text("", last=True)
        if self._thinking and (pending := self._thinking.end()):
            yield TextDelta(pending)
        reason: Literal["stop", "length"] = "length" if self._reason == "length" else "stop"
        yield StreamFinished(reason, self._usage, self._model, self._fingerprint)

    def _read_line(self, line: bytes) -> Iterator[StreamEvent]:
        if line.startswith(b":"):
            if waiting := parse_comment(decode_value(line[1:])):
                yield waiting
        elif line.startswith(b"data:"):
            self._data.append(line[5:])
        elif not line and self._data:
            event, self._data = "\n".join(map(decode_value, self._data)), []
            yield from self._read_event(event)

    def _read_event(self, text: str) -> Iterator[StreamEvent]:
        if text == DONE:
            self.is_done = True
            return
        data = parse_event(text)
        self._usage = parse_usage(data) or self._usage
        self._model = parse_name(data, "model") or self._model
        self._fingerprint = parse_name(data, "system_fingerprint") or self._fingerprint
        choice = first_choice(data)
        reason = choice.get("finish_reason")
        self._reason = reason if isinstance(reason, str) else self._reason
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return
        if any(delta.get(name) for name in REASONING_FIELDS):
            yield from self._report_thinking()
        if isinstance(content := delta.get("content"), str):
            yield from self._text(content)

    def _text(self, text: str, *, last: bool = False) -> Iterator[StreamEvent]:
        text = self._surrogates.decode(text.encode("utf-16-le", "surrogatepass"), last)
        if self._thinking:
            text = self._thinking.feed(text)
            if self._thinking.has_begun:
                yield from self._report_thinking()
        if text:
            self.has_begun = True
            yield TextDelta(text)

    def _report_thinking(self) -> Iterator[ThinkingStarted]:
        self.has_begun = True
        if not self._thinking_reported:
            self._thinking_reported = True
            yield ThinkingStarted()


def join_texts(events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
    """Joins texts that follow each other. An error is raised after the text before it."""
    texts: list[str] = []
    error: CspsError | None = None
    try:
        for event in events:
            if isinstance(event, TextDelta):
                texts.append(event.text)
                continue
            if texts:
                yield TextDelta("".join(texts))
                texts = []
            yield event
    except CspsError as exc:
        error = exc
    if texts:
        yield TextDelta("".join(texts))
    if error:
        raise error


def decode_value(line: bytes) -> str:
    return line.removeprefix(b" ").decode("utf-8", "replace")


def parse_event(text: str) -> Fields:
    """Returns an event's object. Raises an error object as our error, ModelRefused if it is malformed."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise EngineFailed("the engine sent an event that is not JSON") from exc
    if not isinstance(data, dict):
        raise EngineFailed("the engine sent an event that is not an object")
    if error := data.get("error"):
        raise stream_error(error if isinstance(error, dict) else {})
    return data


def stream_error(error: Fields) -> CspsError:
    """The error of an event. An engine that fails within its answer is as if it had died: vLLM's then says 500."""
    code = error.get("code")
    if (isinstance(code, int) and 500 <= code < 600) or error.get("type") in FAILED_TYPES:
        return ModelUnavailable(f"the engine failed within its answer ({code})", retry_after_s=RETRY_AFTER_S)
    return error_from_object(error, status=500)


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


def parse_name(data: Fields, field: str) -> str | None:
    """The name of the model that answers, or of the engine's state; some engines send none, or an empty one."""
    name = data.get(field)
    return name[:NAME_LIMIT_CHARS] or None if isinstance(name, str) else None


def parse_comment(comment: str) -> QueuePosition | ModelLoading | None:
    """Parses `queued position=3 wait_s=2.5` and `loading wait_s=12.0`. Values may be missing. None: another comment."""
    kind, _, rest = comment.partition(" ")
    values = dict(part.split("=", 1) for part in rest.split() if "=" in part)
    try:
        position, wait_s = parse_count(values.get("position")), parse_seconds(values.get("wait_s"))
    except ValueError:
        return None
    match kind:
        case "queued":
            return QueuePosition(position, wait_s)
        case "loading":
            return ModelLoading(wait_s)
    return None


def parse_count(value: str | None) -> int | None:
    """Raises ValueError."""
    return int(value) if value else None


def parse_seconds(value: str | None) -> float | None:
    """Raises ValueError, also for NaN, infinity and negative values: people read "about 12 seconds"."""
    if not value:
        return None
    seconds = float(value)
    if not 0 <= seconds < math.inf:
        raise ValueError(value)
    return seconds


class ThinkingFilter:
    """Takes an answer's text in any chunks and returns the text without its thinking."""

    def __init__(self) -> None:
        self.has_begun = False  # the model thought; an empty block, which switches thinking off, does not count
        self._step = self._before
        self._pending = ""

    def feed(self, text: str) -> str:
        return self._step(text)

    def end(self) -> str:
        """Returns pending text that turned out to belong to the answer."""
        return self._pending if self._step == self._before else ""

    def _before(self, text: str) -> str:
        self._pending += text
        start = self._pending.lstrip()
        if start.startswith(OPEN):
            self._step, self._pending = self._inside, ""
            return self._inside(start.removeprefix(OPEN))
        if OPEN.startswith(start):
            return ""
        self._step = self._after
        return self._pending

    def _inside(self, text: str) -> str:
        thinking, closed, answer = (self._pending + text).partition(CLOSE)
        keep = 0 if closed else overlap(thinking, CLOSE)
        self.has_begun = self.has_begun or bool(thinking[: len(thinking) - keep].strip())
        self._pending = thinking[len(thinking) - keep :]
        if not closed:
            return ""
        self._step = self._between
        return self._between(answer)

    def _between(self, text: str) -> str:
        """Drops the blank lines between thinking and answer."""
        text = text.lstrip()
        if text:
            self._step = self._after
        return text

    def _after(self, text: str) -> str:
        return text


def overlap(text: str, stop: str) -> int:
    """Returns how many characters at the end of `text` begin `stop` without completing it."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
