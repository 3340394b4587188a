"""Turns pydantic's validation errors of a request into ParameterRefused. Names keys, never values."""

from __future__ import annotations

from pydantic import ValidationError

from core.errors import ParameterRefused


def to_parameter_refused(exc: ValidationError) -> ParameterRefused:
    """The first of pydantic's errors, with the key's name and without its value."""
    first = exc.errors(include_url=False, include_input=False)[0]
    param = ".".join(str(part) for part in first["loc"])[:100]
    if first["type"] == "union_tag_invalid":  # pydantic's message quotes the value
        return ParameterRefused(f"`type` must be one of {first['ctx']['expected_tags']}", "type")
    if first["type"] == "union_tag_not_found":
        return ParameterRefused("`type` is missing", "type")
    if first["type"] == "extra_forbidden":
        return ParameterRefused(f"`{param}` is not known here", param)
    message = first["msg"].removeprefix("Value error, ")  # from our own validators, whose messages are complete
    return ParameterRefused(f"`{param}`: {message[0].lower()}{message[1:]}" if param else message, param)
