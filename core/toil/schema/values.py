"""JSON's values as JSON Schema compares them: 1 is 1.0 and is not true; the order of keys does not count."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

TYPES = ("null", "boolean", "number", "string", "array", "object")


def identity(value: Any) -> Hashable:
    """Equal exactly for values that JSON Schema takes as equal."""
    if isinstance(value, bool) or value is None:
        return ("word", value)
    if isinstance(value, list):
        return ("array", tuple(map(identity, value)))
    if isinstance(value, dict):
        return ("object", frozenset((key, identity(inner)) for key, inner in value.items()))
    return ("text", value) if isinstance(value, str) else ("number", value)


def distinct(values: Iterable[Any]) -> list[Any]:
    """Each once, and whole numbers without a point: that is how the engine writes them."""
    return [whole(value) for value in {identity(value): value for value in values}.values()]


def whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def type_of(value: Any) -> str:
    """Of the six; an integer is a number."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return names.get(type(value), "number")


def types_of(named: Any) -> frozenset[str]:
    """The six types that a `type` allows; all where it says nothing."""
    names = [named] if isinstance(named, str) else named if isinstance(named, list) else TYPES
    return frozenset("number" if name == "integer" else name for name in names)
