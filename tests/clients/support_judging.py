"""Judges what the programs print: types, schemas, joined pieces, ids of calls. Not the wit of the starter model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jsonschema_rs

TICKET = {
    "type": "object",
    "properties": {
        "category": {"enum": ["printer", "network", "account"]},
        "urgent": {"type": "boolean"},
        "floor": {"type": "integer"},
        "person": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "email": {"type": ["string", "null"]}},
            "required": ["name", "email"],
            "additionalProperties": False,
        },
        "words": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
    },
    "required": ["category", "urgent", "floor", "person", "words"],
    "additionalProperties": False,
}
FINISHED = ("stop", "length")
CALLED = ("tool_calls", "tool-calls", "stop")  # "stop": OpenAI's answer to a named tool


def judge(ability: str, shown: dict[str, Any]) -> None:
    """Raises AssertionError with the reason."""
    assert "failed" not in shown, shown["traceback"]
    JUDGES[ability](shown)


def judge_text(shown: dict[str, Any]) -> None:
    assert isinstance(shown["text"], str)
    assert shown["text"].strip()
    assert shown.get("finish_reason", "stop") in FINISHED
    assert shown.get("status", "completed") in ("completed", "incomplete")
    if "usage" in shown:
        assert shown["usage"]["total_tokens"] > 0


def judge_stream(shown: dict[str, Any]) -> None:
    """The pieces are more than one, and are the text that the client joined. A command prints them as one text."""
    judge_text(shown)
    if "pieces" in shown:
        judge_pieces(shown)
    else:
        assert shown["next"].strip(), "the conversation did not go on"


def judge_pieces(shown: dict[str, Any]) -> None:
    assert shown["text"] == "".join(shown["pieces"])
    assert len([piece for piece in shown["pieces"] if piece]) > 1, "the answer came in one piece"


def judge_ticket(shown: dict[str, Any]) -> None:
    validate(shown["value"], TICKET)


def judge_ticket_stream(shown: dict[str, Any]) -> None:
    judge_ticket(shown)
    if "pieces" in shown:
        judge_pieces(shown)
    else:
        assert shown["snapshots"] > 1, "the value came in one piece"


def judge_object(shown: dict[str, Any]) -> None:
    """Without a schema, any object will do; a client that wants more may have given up."""
    assert isinstance(shown.get("value"), dict) or "gave_up" in shown or shown["attempts"] > 0


def judge_short_schema(shown: dict[str, Any]) -> None:
    kinds = {"name": {"type": "string"}, "floor": {"type": "integer"}, "email": {"type": "string"}}
    validate(shown["value"], {"properties": kinds, "required": list(kinds), "additionalProperties": False})


def judge_choice(shown: dict[str, Any]) -> None:
    assert shown["choice"] in ("printer", "network", "account")


def judge_calls(shown: dict[str, Any]) -> None:
    """Each call has an id of its own, a tool that exists, and arguments that conform."""
    calls = shown["calls"]
    assert calls, "no tool was called"
    check_calls(calls)
    assert shown.get("finish_reason", "stop") in CALLED


def check_calls(calls: list[dict[str, Any]]) -> None:
    ids = [call["id"] for call in calls]
    assert all(ids)
    assert len(ids) == len(set(ids))
    for call in calls:
        assert call["name"].lower() == "weather"
        validate(
            call["arguments"], {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}
        )
        assert call["arguments"].get("unit", "celsius") in ("celsius", "fahrenheit")
        assert call["arguments"].get("days", 1) in range(1, 8)


def judge_calls_and_answer(shown: dict[str, Any]) -> None:
    """The results of the calls were accepted, and a text followed."""
    judge_calls(shown)
    judge_text({"text": shown["text"]})


def judge_calls_stream(shown: dict[str, Any]) -> None:
    judge_calls(shown)
    if "pieces" in shown:
        assert shown["text"] == "".join(shown["pieces"])


def judge_calls_or_answer(shown: dict[str, Any]) -> None:
    """The model chose between a text and a call."""
    assert shown["has_text"] or shown["calls"]
    check_calls(shown["calls"])
    assert shown["finish_reason"] in (CALLED if shown["calls"] else FINISHED)


def judge_value_or_calls(shown: dict[str, Any]) -> None:
    """A tool's arguments are the value (Pydantic models), or calls are shown."""
    if "value" in shown:
        judge_ticket(shown)
    elif "text" in shown:
        judge_calls_and_answer(shown)
    else:
        judge_calls(shown)


def judge_list(shown: dict[str, Any]) -> None:
    """Objects from the streamed arguments of a tool, each as the schema says."""
    if "calls" in shown:
        judge_calls_stream(shown)
        return
    for person in shown["people"]:
        validate(person, TICKET["properties"]["person"])  # type: ignore[index]


def judge_agent(shown: dict[str, Any]) -> None:
    """The loop of calls and results ended: with a text, or at the client's limit of turns."""
    assert all(isinstance(city, str) for city in shown.get("cities", []))
    if shown["text"] is None or not shown["text"].strip():
        assert shown["cities"], "neither a text nor a call"


def judge_vectors(shown: dict[str, Any]) -> None:
    """Sentences of one meaning in two languages are closer than sentences of two meanings."""
    printer, imprimante, cafeteria = shown["vectors"]
    assert len(printer) == len(imprimante) == len(cafeteria) > 100
    assert cosine(printer, imprimante) > cosine(printer, cafeteria)
    if "single" in shown:
        assert cosine(printer, shown["single"]) > 0.999


def cosine(one: list[float], other: list[float]) -> float:
    norm = math.sqrt(sum(x * x for x in one) * sum(y * y for y in other))
    return sum(x * y for x, y in zip(one, other, strict=True)) / norm


def judge_models(shown: dict[str, Any]) -> None:
    assert "whisper" in shown["ids"]
    assert shown["one"] == "whisper"


def judge_choices(shown: dict[str, Any]) -> None:
    assert [0, 1] == sorted(shown["indices"])
    assert all(text.strip() for text in shown["texts"])


STATUSES = {
    "unknown_model": 404,
    "parameter": 400,
    "unsupported": 400,
    "schema": 422,
    "too_long": 400,
    "window": 400,
    "stored": 400,
}
EXCEPTIONS = {
    "unknown_model": ("NotFoundError", "AI_APICallError"),
    "parameter": ("BadRequestError", "AI_APICallError"),
    "unsupported": ("BadRequestError",),
    "schema": ("UnprocessableEntityError",),
    "stored": ("BadRequestError",),
    "too_long": ("BadRequestError", "AI_APICallError"),
    "window": ("ContextOverflowError", "ContextWindowExceededError"),  # of clients that tell it apart
}
CODES = {
    "unknown_model": "model_not_found",
    "too_long": "context_length_exceeded",
    "window": "context_length_exceeded",
    "schema": "schema_refused",
}
PARAMETERS = {"parameter": "temperature", "unsupported": "modalities", "stored": "previous_response_id"}


def judge_errors(shown: dict[str, Any]) -> None:
    """Each is an exception of the client's own, which tells what was wrong."""
    assert shown, "no request was refused"
    for case, error in shown.items():
        assert error, f"{case} was not refused"
        assert error["status"] == STATUSES[case], case
        assert error["type"] in EXCEPTIONS[case]
        assert "code" not in error or error["code"] == CODES.get(case, error["code"])
        assert "param" not in error or error["param"] == PARAMETERS.get(case, error["param"])


def judge_events(shown: dict[str, Any]) -> None:
    judge_stream(shown)
    if "kinds" in shown:
        assert shown["kinds"][0] == "response.created"
        assert shown["kinds"][-1] in ("response.completed", "response.incomplete")


def validate(value: Any, schema: dict[str, Any]) -> None:
    jsonschema_rs.validate(schema, value)


JUDGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "agent": judge_agent,
    "chat": judge_text,
    "choice": judge_choice,
    "choices": judge_choices,
    "conversation": judge_text,
    "embeddings": judge_vectors,
    "errors": judge_errors,
    "function_calling": judge_ticket,
    "json_object": judge_object,
    "models": judge_models,
    "object": judge_ticket,
    "object_stream": judge_ticket_stream,
    "prompted": judge_object,
    "responses": judge_text,
    "responses_agent": judge_agent,
    "responses_errors": judge_errors,
    "responses_stream": judge_events,
    "responses_structured": judge_ticket,
    "responses_structured_stream": judge_ticket_stream,
    "responses_tools": judge_value_or_calls,
    "responses_tools_stream": judge_calls_stream,
    "short_schema": judge_short_schema,
    "stream": judge_stream,
    "structured": judge_ticket,
    "structured_stream": judge_ticket_stream,
    "tools": judge_value_or_calls,
    "tools_auto": judge_calls_or_answer,
    "tools_stream": judge_list,
}
