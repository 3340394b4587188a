"""Reads a streamed answer: bytes in, typed events out. Pure.

Separates the thinking that some models write before an answer. Thinking starts at the beginning of the text, after
blanks only, and lasts from `<think>` to the first `</think>`. Elsewhere these marks are ordinary text. Marks of other
model families are not supported.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator

from core.contract import Usage
from core.errors import ModelRefused, ModelUnavailable
from core.openai.chat_protocol import (
    RETRY_AFTER_S,
    Fields,
    QueuePosition,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ThinkingStarted,
    error_from_object,
)
from core.openai.sse import DONE, LineTooLongError, SseData, SseDecoder

OPEN, CLOSE = "<think>", "</think>"
# Finish reasons outside of OpenAI's protocol: https://docs.vllm.ai (`RequestStatus`), https://docs.sglang.ai.
ABORTED = frozenset({"abort", "error"})
TOKEN_COUNTS = ("prompt_tokens", "completion_tokens")
REASONING_FIELDS = ("reasoning_content", "reasoning")  # of a delta, in engines that separate the thinking


class StreamReader:
    """Reads a streamed answer: feed it bytes as they arrive, then call `end`.

    `is_continuation`: the stream is the rest of an answer, which contains no thinking.
    """

    def __init__(self, *, is_continuation: bool = False) -> None:
        self.begun = False  # the model wrote text or thought
        self.is_done = False  # [DONE] arrived
        self._decoder = SseDecoder()
        self._characters = WholeCharacters()
        self._thinking = None if is_continuation else ThinkingFilter()
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


class WholeCharacters:
    """Joins surrogate pairs whose two `\\u` escapes arrived in two JSON strings."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-16-le")("replace")

    def feed(self, text: str, *, last: bool = False) -> str:
        """Return the text, but keep a high surrogate at its end for the next call."""
        return self._decoder.decode(text.encode("utf-16-le", "surrogatepass"), last)


class ThinkingFilter:
    """Takes an answer's text in any chunks and returns the text without its thinking."""

    def __init__(self) -> None:
        self.begun = False  # the model thought; an empty block, which switches thinking off, does not count
        self._step = self._before
        self._pending = ""

    def feed(self, text: str) -> str:
        return self._step(text)

    def end(self) -> str:
        """Return pending text that turned out to belong to the answer."""
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
        thought, closed, answer = (self._pending + text).partition(CLOSE)
        keep = 0 if closed else overlap(thought, CLOSE)
        self.begun = self.begun or bool(thought[: len(thought) - keep].strip())
        self._pending = thought[len(thought) - keep :]
        if not closed:
            return ""
        self._step = self._between
        return self._between(answer)

    def _between(self, text: str) -> str:
        """Drop the blank lines between thinking and answer."""
        text = text.lstrip()
        if text:
            self._step = self._after
        return text

    def _after(self, text: str) -> str:
        return text


def overlap(text: str, stop: str) -> int:
    """Return how many characters at the end of `text` begin `stop` without completing it."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
