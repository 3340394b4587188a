"""Turns the parts of an answer into the events of a Responses stream. Pure: knows no HTTP and no engine.

The event that ends a stream contains the whole response, which is also the answer to a request without a stream.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Iterator
from typing import Literal

from core.contract import Done, Text, ToolArguments, ToolCallStarted, ToolsChosen, Usage
from core.errors import BudgetExhausted, CspsError
from core.openai.public.completions import Citations, CompletionPart
from core.openai.public.responses.objects import JsonObject, ResponseEnvelope, error_event
from core.openai.public.responses.output import CallItem, MessageItem, OutputItem

Events = Iterator[JsonObject]
Ending = Literal["completed", "incomplete"]


class ResponseEvents:
    """The events of one response. Call `begin`, then `feed` with each part; `fail` replaces the rest after an error."""

    def __init__(self, envelope: ResponseEnvelope) -> None:
        self._envelope = envelope
        self._numbers = itertools.count()
        self._closed: list[JsonObject] = []  # complete output items
        self._open: OutputItem | None = None

    def begin(self) -> Events:
        response = self._envelope.response("in_progress")
        kinds = ("response.created", "response.in_progress")
        return self._number({"type": kind, "response": response} for kind in kinds)

    def feed(self, part: CompletionPart) -> Events:
        return self._number(self._feed(part))

    def fail(self, error: CspsError) -> Events:
        return self._number(self._fail(error))

    def _number(self, events: Iterable[JsonObject]) -> Events:
        for event in events:
            yield {**event, "sequence_number": next(self._numbers)}

    def _feed(self, part: CompletionPart) -> Events:
        match part:
            case Text(text):
                message = yield from self._message()
                yield from message.write(text)
            case Citations(annotations):
                message = yield from self._message()
                yield from message.annotate(annotations)
            case ToolCallStarted(call_id, name):
                yield from self._begin_item(CallItem(self._next_index, call_id, name))
            case ToolArguments(text):
                assert isinstance(self._open, CallItem)
                yield from self._open.write(text)
            case ToolsChosen():
                yield from self._finish("completed", part.usage)
            case Done(reason):
                yield from self._message()
                yield from self._finish("incomplete" if reason == "length" else "completed", part.usage)

    def _message(self) -> Generator[JsonObject, None, MessageItem]:
        """Begins a message unless the open item is one. Returns it."""
        if not isinstance(self._open, MessageItem):
            yield from self._begin_item(MessageItem(self._next_index))
        assert isinstance(self._open, MessageItem)
        return self._open

    @property
    def _next_index(self) -> int:
        return len(self._closed) + (self._open is not None)

    def _begin_item(self, item: OutputItem) -> Events:
        yield from self._close_item("completed")
        self._open = item
        yield from item.open()

    def _close_item(self, status: Ending) -> Events:
        if self._open:
            yield from self._open.close(status)
            self._closed.append(self._open.item(status))
            self._open = None

    def _finish(self, status: Ending, usage: Usage | None) -> Events:
        yield from self._close_item(status)
        yield {"type": f"response.{status}", "response": self._envelope.response(status, self._closed, usage)}

    def _fail(self, error: CspsError) -> Events:
        """An exhausted budget leaves a response incomplete, as the same budget does for a text without a schema."""
        if isinstance(error, BudgetExhausted):
            yield from self._finish("incomplete", None)
            return
        output = [*self._closed, *([self._open.item("incomplete")] if self._open else [])]
        yield {"type": "response.failed", "response": self._envelope.response("failed", output, error=error)}
        yield error_event(error)
