"""Turns the parts of an answer into the events of a Responses stream. Pure: knows no HTTP and no engine.

The event that ends a stream contains the whole response, which is also the answer to a request without a stream.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from core.contract import Done, Json, Text, Usage
from core.errors import BudgetExhausted, CspsError
from core.openai.public.completions import Citations, CompletionPart
from core.openai.public.responses_objects import (
    ItemStatus,
    JsonObject,
    ResponseEnvelope,
    error_event,
    flat_citation,
    message_item,
    new_id,
    output_text,
)


class MessageItem:
    """The output item of a text. Its events lack a `sequence_number`."""

    def __init__(self, output_index: int) -> None:
        self._id = new_id("msg")
        self._output_index = output_index
        self._text = ""
        self._annotations: list[Json] = []

    def item(self, status: ItemStatus) -> JsonObject:
        return message_item(self._id, status, [] if status == "in_progress" else [self._part()])

    def open(self) -> Iterator[JsonObject]:
        yield {
            "type": "response.output_item.added",
            "output_index": self._output_index,
            "item": self.item("in_progress"),
        }
        yield self._content_event("response.content_part.added", part=self._part())

    def write(self, text: str) -> Iterator[JsonObject]:
        self._text += text
        yield self._content_event("response.output_text.delta", delta=text, logprobs=[])

    def annotate(self, annotations: Iterable[Json]) -> Iterator[JsonObject]:
        for annotation in map(flat_citation, annotations):
            yield self._content_event(
                "response.output_text.annotation.added",
                annotation_index=len(self._annotations),
                annotation=annotation,
            )
            self._annotations.append(annotation)

    def close(self, status: ItemStatus) -> Iterator[JsonObject]:
        yield self._content_event("response.output_text.done", text=self._text, logprobs=[])
        yield self._content_event("response.content_part.done", part=self._part())
        yield {
            "type": "response.output_item.done",
            "output_index": self._output_index,
            "item": self.item(status),
        }

    def _part(self) -> JsonObject:
        return output_text(self._text, self._annotations)

    def _content_event(self, kind: str, **fields: Json) -> JsonObject:
        place: JsonObject = {"item_id": self._id, "output_index": self._output_index, "content_index": 0}
        return {"type": kind, **place, **fields}


class ResponseEvents:
    """The events of one response. Call `begin`, then `feed` with each part; `fail` replaces the rest after an error."""

    def __init__(self, envelope: ResponseEnvelope) -> None:
        self._envelope = envelope
        self._numbers = itertools.count()
        self._message: MessageItem | None = None

    def begin(self) -> Iterator[JsonObject]:
        response = self._envelope.response("in_progress")
        return self._number(
            {"type": kind, "response": response} for kind in ("response.created", "response.in_progress")
        )

    def feed(self, part: CompletionPart) -> Iterator[JsonObject]:
        return self._number(self._feed(part))

    def fail(self, error: CspsError) -> Iterator[JsonObject]:
        return self._number(self._fail(error))

    def _number(self, events: Iterable[JsonObject]) -> Iterator[JsonObject]:
        for event in events:
            yield {**event, "sequence_number": next(self._numbers)}

    def _feed(self, part: CompletionPart) -> Iterator[JsonObject]:
        if self._message is None:
            self._message = MessageItem(output_index=0)
            yield from self._message.open()
        match part:
            case Text(text):
                yield from self._message.write(text)
            case Citations(annotations):
                yield from self._message.annotate(annotations)
            case Done(reason, _, usage):
                yield from self._finish(self._message, "incomplete" if reason == "length" else "completed", usage)

    def _fail(self, error: CspsError) -> Iterator[JsonObject]:
        """An exhausted budget leaves a response incomplete, as the same budget does for a text without a schema."""
        if self._message and isinstance(error, BudgetExhausted):
            yield from self._finish(self._message, "incomplete", None)
            return
        output = [self._message.item("incomplete")] if self._message else []
        yield {"type": "response.failed", "response": self._envelope.response("failed", output, error=error)}
        yield error_event(error)

    def _finish(self, message: MessageItem, status: ItemStatus, usage: Usage | None) -> Iterator[JsonObject]:
        yield from message.close(status)
        yield {"type": f"response.{status}", "response": self._envelope.response(status, [message.item(status)], usage)}
