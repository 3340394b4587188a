"""What pydantic found wrong with a request, as an error of ours. Names keys, never what was sent."""

from __future__ import annotations

from pydantic import ValidationError

from core.errors import ParameterRefused


def of_validation(exc: ValidationError) -> ParameterRefused:
    """The first thing that pydantic found, by the key's name and never by the value that was sent."""
    first = exc.errors(include_url=False, include_input=False)[0]
    param = ".".join(str(part) for part in first["loc"])[:100]
    if first["type"] == "union_tag_invalid":  # pydantic's own words quote what was sent
        return ParameterRefused(f"`type` must be one of {first['ctx']['expected_tags']}", "type")
    if first["type"] == "union_tag_not_found":
        return ParameterRefused("`type` is missing", "type")
    if first["type"] == "extra_forbidden":
        return ParameterRefused(f"`{param}` is not known here", param)
    message = first["msg"].removeprefix("Value error, ")  # of a validator of ours, which says it as it is
    return ParameterRefused(f"`{param}`: {message[0].lower()}{message[1:]}" if param else message, param)
