"""JSON values as JSON Schema compares them: 1 equals 1.0 but not true; the order of keys does not count."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

TYPES = ("null", "boolean", "number", "string", "array", "object")


def identity(value: Any) -> Hashable:
    """A key that is equal for exactly the values that JSON Schema calls equal."""
    if isinstance(value, bool) or value is None:
        return ("word", value)
    if isinstance(value, list):
        return ("array", tuple(map(identity, value)))
    if isinstance(value, dict):
        return ("object", frozenset((key, identity(inner)) for key, inner in value.items()))
    return ("text", value) if isinstance(value, str) else ("number", value)


def unique_values(values: Iterable[Any]) -> list[Any]:
    """Drops duplicates and writes whole numbers without a decimal point, as the engine does."""
    return [normalize_number(value) for value in {identity(value): value for value in values}.values()]


def normalize_number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def type_of(value: Any) -> str:
    """One of TYPES; an integer is a number."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return names.get(type(value), "number")


def allowed_types(type_keyword: Any) -> frozenset[str]:
    """The TYPES that a `type` keyword allows; all if it is absent."""
    names = [type_keyword] if isinstance(type_keyword, str) else type_keyword
    return frozenset("number" if name == "integer" else name for name in (names if isinstance(names, list) else TYPES))
