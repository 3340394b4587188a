"""The events and objects of the Responses API, as OpenAI's own package parses them."""

from __future__ import annotations

from typing import Any

import pytest

from core.contract import Done, Json, Text, Usage
from core.errors import BudgetExhausted, CspsError, ModelUnavailable, Overloaded, PromptTooLong
from core.openai.public.completions import Citations, CompletionPart
from core.openai.public.responses.events import ResponseEvents
from core.openai.public.responses.objects import ResponseEnvelope
from core.openai.public.responses.requests import PublicResponseRequest
from tests.support.strict_openai import parse_event, parse_response

USAGE = Usage(7, 3, 2)
CITATION: Json = {
    "type": "url_citation",
    "url_citation": {"start_index": 6, "end_index": 9, "title": "Pool", "url": "https://x.example/"},
}
TEXT_EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.annotation.added",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


def envelope(**fields: Any) -> ResponseEnvelope:
    request = PublicResponseRequest.model_validate({"model": "whisper", "input": "Hi", **fields})
    return ResponseEnvelope(request.echo())


def events_of(*parts: CompletionPart, error: CspsError | None = None, **fields: Any) -> list[dict[str, Any]]:
    """Every event of a stream, each parsed strictly first."""
    stream = ResponseEvents(envelope(**fields))
    events = [*stream.begin(), *(event for part in parts for event in stream.feed(part))]
    if error:
        events.extend(stream.fail(error))
    for event in events:
        parse_event(event)
    return events


def test_a_text_is_streamed_in_openai_order() -> None:
    """Numbers count from 0 without gaps; ids and indexes are the same from the first event of an item to its last."""
    events = events_of(Text("Green"), Text(" [1]."), Citations([CITATION]), Done("stop", "m", USAGE))

    assert [event["type"] for event in events] == TEXT_EVENTS
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    item = events[-1]["response"]["output"][0]
    assert {event["item_id"] for event in events if "item_id" in event} == {item["id"]}
    assert {event["output_index"] for event in events if "output_index" in event} == {0}
    assert {event["response"]["id"] for event in events if "response" in event} == {events[0]["response"]["id"]}


def test_the_last_event_has_the_whole_response() -> None:
    """Text, citations with flat fields, and the usage with its details."""
    response = parse_response(
        events_of(Text("Green"), Text(" [1]."), Citations([CITATION]), Done("stop", "m", USAGE))[-1]["response"]
    )

    assert (response.output_text, response.status, response.error) == ("Green [1].", "completed", None)
    assert response.completed_at is not None
    assert response.created_at <= response.completed_at
    [annotation] = response.output[0].content[0].annotations  # type: ignore[union-attr]
    assert (annotation.type, annotation.title, annotation.url) == ("url_citation", "Pool", "https://x.example/")  # type: ignore[union-attr]
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (7, 3, 10)
    assert response.usage.input_tokens_details.cached_tokens == 2


def test_items_and_parts_begin_empty() -> None:
    """Clients append the deltas to what an item was announced with."""
    _, _, added, part, *_ = events_of(Text("Hi"), Done("stop", "m", USAGE))

    assert (added["item"]["status"], added["item"]["content"]) == ("in_progress", [])
    assert (part["part"]["text"], part["part"]["annotations"]) == ("", [])


def test_an_exhausted_budget_leaves_the_response_incomplete() -> None:
    """The last event, the item and the response say so; the text so far is there."""
    last = events_of(Text("Hel"), Done("length", "m", USAGE))[-1]
    response = parse_response(last["response"])

    assert (last["type"], response.status) == ("response.incomplete", "incomplete")
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert (response.output_text, response.output[0].status, response.completed_at) == ("Hel", "incomplete", None)  # type: ignore[union-attr]


def test_a_budget_exhausted_within_json_is_incomplete_too() -> None:
    """The text that was sent stays as it is."""
    last = events_of(Text('{"a"'), error=BudgetExhausted("too short"))[-1]

    assert (last["type"], last["response"]["output"][0]["content"][0]["text"]) == ("response.incomplete", '{"a"')


def test_an_answer_without_text_has_one_empty_message() -> None:
    """The order of events is the same."""
    events = events_of(Done("stop", "m", USAGE))

    assert [event["type"] for event in events] == [
        each for each in TEXT_EVENTS if "delta" not in each and "anno" not in each
    ]
    assert parse_response(events[-1]["response"]).output_text == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelUnavailable("gone"), "server_error"),
        (Overloaded("full"), "rate_limit_exceeded"),
        (PromptTooLong("long"), "invalid_prompt"),
    ],
)
def test_an_error_fails_the_response_and_ends_the_stream(error: CspsError, code: str) -> None:
    """`response.failed` has one of OpenAI's codes and the text so far; `error` has ours, also where clients look."""
    *_, failed, last = events_of(Text("Half"), error=error)

    response = parse_response(failed["response"])
    assert response.error is not None
    assert (response.status, response.error.code, response.error.message) == ("failed", code, error.message)
    assert response.output_text == "Half"
    assert (last["type"], last["code"], last["message"]) == ("error", last["error"]["code"], error.message)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"instructions": "Be brief.", "temperature": 0, "top_p": 0.5, "max_output_tokens": 9},
        {"metadata": {"a": "b"}, "user": "ann", "safety_identifier": "x", "truncation": "disabled"},
        {"text": {"format": {"type": "text"}, "verbosity": "low"}},
        {"text": {"format": {"type": "json_object"}}},
        {"text": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}}},
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "description": "d", "strict": None}}},
    ],
)
def test_the_response_repeats_the_parameters(fields: dict[str, Any]) -> None:
    """They have the types of OpenAI's package."""
    response = parse_response(envelope(**fields).response("in_progress")).model_dump(by_alias=True)

    assert {name: response[name] for name in fields if name != "text"} == {
        name: value for name, value in fields.items() if name != "text"
    }
    sent = fields.get("text", {"format": {"type": "text"}})["format"]
    assert {name: response["text"]["format"][name] for name in sent} == sent


def test_the_response_says_that_it_is_not_stored() -> None:
    """Also if the request asked for it."""
    assert envelope(store=True).response("completed")["store"] is False
