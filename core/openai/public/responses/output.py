"""The output items of a response while they are written, with the events of each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from core.contract import Json
from core.openai.public.responses.objects import (
    ItemStatus,
    JsonObject,
    call_item,
    flat_citation,
    message_item,
    new_id,
    output_text,
)


class OutputItem(Protocol):
    """Its events lack a `sequence_number`."""

    def open(self) -> Iterator[JsonObject]: ...
    def close(self, status: ItemStatus) -> Iterator[JsonObject]: ...
    def item(self, status: ItemStatus) -> JsonObject: ...


class MessageItem:
    """An OutputItem: a text with its citations."""

    def __init__(self, output_index: int) -> None:
        self._id = new_id("msg")
        self._output_index = output_index
        self._text = ""
        self._annotations: list[Json] = []

    def item(self, status: ItemStatus) -> JsonObject:
        return message_item(self._id, status, [] if status == "in_progress" else [self._part()])

    def open(self) -> Iterator[JsonObject]:
        yield item_event("added", self._output_index, self.item("in_progress"))
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
        yield item_event("done", self._output_index, self.item(status))

    def _part(self) -> JsonObject:
        return output_text(self._text, self._annotations)

    def _content_event(self, kind: str, **fields: Json) -> JsonObject:
        place: JsonObject = {"item_id": self._id, "output_index": self._output_index, "content_index": 0}
        return {"type": kind, **place, **fields}


class CallItem:
    """An OutputItem: the call of a function."""

    def __init__(self, output_index: int, call_id: str, name: str) -> None:
        self._id = new_id("fc")
        self._output_index = output_index
        self._call_id = call_id
        self._name = name
        self._arguments = ""

    def item(self, status: ItemStatus) -> JsonObject:
        return call_item(self._id, status, self._call_id, self._name, self._arguments)

    def open(self) -> Iterator[JsonObject]:
        yield item_event("added", self._output_index, self.item("in_progress"))

    def write(self, text: str) -> Iterator[JsonObject]:
        self._arguments += text
        yield self._arguments_event("delta", delta=text)

    def close(self, status: ItemStatus) -> Iterator[JsonObject]:
        yield self._arguments_event("done", arguments=self._arguments)
        yield item_event("done", self._output_index, self.item(status))

    def _arguments_event(self, kind: str, **fields: Json) -> JsonObject:
        place: JsonObject = {"item_id": self._id, "output_index": self._output_index}
        return {"type": f"response.function_call_arguments.{kind}", **place, **fields}


def item_event(kind: str, output_index: int, item: JsonObject) -> JsonObject:
    return {"type": f"response.output_item.{kind}", "output_index": output_index, "item": item}
