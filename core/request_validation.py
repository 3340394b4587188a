"""Turns pydantic's validation errors of a request into ParameterRefused. Names keys, never values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from core.errors import ParameterRefused

# Pydantic's words for these are Python's, and some name our classes. In braces: the values of pydantic's `ctx`.
PLAIN_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "must be an object"),
    "list_type": "must be a list",
    "string_type": "must be a text",
    "too_short": "is too short: at least {min_length} needed",
    "too_long": "is too long: at most {max_length} allowed",
}
PARAM_LIMIT_CHARS = 100


def to_parameter_refused(exc: ValidationError, body: object = None) -> ParameterRefused:
    """The first of pydantic's errors, with the key's name and without its value. `body`: the whole request."""
    first = exc.errors(include_url=False, include_input=False)[0]
    keys = first["loc"] if body is None else keys_of(first["loc"], body, is_missing=first["type"] == "missing")
    param = ".".join(str(key) for key in keys)[:PARAM_LIMIT_CHARS]
    if first["type"] == "union_tag_invalid":  # pydantic's message quotes the value
        return ParameterRefused(f"`type` must be one of {first['ctx']['expected_tags']}", "type")
    if first["type"] == "union_tag_not_found":
        return ParameterRefused("`type` is missing", "type")
    if first["type"] == "extra_forbidden":
        return ParameterRefused(f"`{param}` is not known here", param)
    if first["type"] in PLAIN_WORDS:
        words = PLAIN_WORDS[first["type"]].format_map(first.get("ctx", {}))
        return ParameterRefused(f"`{param}` {words}", param)
    message = first["msg"].removeprefix("Value error, ")  # from our own validators, whose messages are complete
    return ParameterRefused(f"`{param}`: {message[0].lower()}{message[1:]}" if param else message, param)


def keys_of(place: tuple[int | str, ...], body: Any, *, is_missing: bool) -> Iterator[int | str]:
    """Yields the keys of `place` that the request has. Pydantic also names the members of its unions there."""
    for number, key in enumerate(place):
        inner = dict(enumerate(body)) if isinstance(body, list) else body if isinstance(body, dict) else {}
        if key in inner:
            yield key
            body = inner[key]
        elif is_missing and number == len(place) - 1:
            yield key
