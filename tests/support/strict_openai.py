"""Parses our objects with the models of OpenAI's own package, strictly: its client alone accepts almost anything."""

from __future__ import annotations

from functools import cache
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

# Fields that OpenAI sends and its package does not declare.
UNDECLARED = {"store"}


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def parse_response(value: Any) -> Response:
    """Raises ValidationError or AssertionError."""
    parsed: Response = adapter(Response).validate_python(value, strict=True)
    assert undeclared(parsed) <= UNDECLARED
    return parsed


def parse_event(value: Any) -> Any:
    """The event as the class of its type. Raises ValidationError or AssertionError."""
    parsed = adapter(ResponseStreamEvent).validate_python(value, strict=True)
    assert parsed.type == value["type"]
    assert undeclared(parsed) <= UNDECLARED | ({"error"} if parsed.type == "error" else set())
    return parsed


def undeclared(value: Any) -> set[str]:
    """The names of all fields that the package does not declare, at any depth."""
    if isinstance(value, (list, tuple)):
        return {name for each in value for name in undeclared(each)}
    if not isinstance(value, BaseModel):
        return set()
    inner = (name for each in value.__dict__.values() for name in undeclared(each))
    return {*inner, *(value.model_extra or {})}
