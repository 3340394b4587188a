"""The fields of Slack's JSON objects, which may have any type: events are signed, but anybody can write a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SlackObject = Mapping[str, Any]  # a JSON object of Slack


def get_object(value: SlackObject, key: str) -> SlackObject:
    """Returns the field, or {} if it is not an object."""
    field = value.get(key)
    return field if isinstance(field, dict) else {}


def get_text(value: SlackObject, key: str) -> str:
    """Returns the field, or "" if it is not a string."""
    field = value.get(key)
    return field if isinstance(field, str) else ""


def get_shown(value: SlackObject, key: str) -> str:
    """Returns the field if it is a string, a number as text, or ""."""
    field = value.get(key)
    is_number = isinstance(field, (int, float)) and not isinstance(field, bool)
    return str(field) if is_number else get_text(value, key)


def get_objects(value: SlackObject, key: str) -> Sequence[SlackObject]:
    """Returns the objects in a list, or [] if the field is not a list."""
    return [each for each in get_list(value, key) if isinstance(each, dict)]


def get_list(value: SlackObject, key: str) -> Sequence[object]:
    """Returns the field, or [] if it is not a list."""
    field = value.get(key)
    return field if isinstance(field, list) else []
