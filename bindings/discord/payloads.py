"""Reads values out of Discord's payloads, whose types nobody guarantees. Pure; never raises.

A message may come from other people's bots and webhooks. A value of a wrong type must cost that value, not the event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Payload = Mapping[str, Any]

SNOWFLAKE = re.compile(r"[0-9]{1,20}", re.ASCII)
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # neither UTF-8 nor a database accepts these
LIST_LIMIT = 100  # more than any list in a message of Discord's has


def as_mapping(value: Any) -> Payload:
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: Any) -> list[Payload]:
    """The objects in a list."""
    return [each for each in value[:LIST_LIMIT] if isinstance(each, Mapping)] if isinstance(value, list) else []


def as_text(value: Any) -> str:
    return remove_non_text(value) if isinstance(value, str) else ""


def as_id(value: Any) -> str:
    """An id as text. "": it is none. https://discord.com/developers/docs/reference#snowflakes"""
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if len(text) <= 20 and SNOWFLAKE.fullmatch(text) else ""


def as_ids(value: Any) -> frozenset[str]:
    """The ids in a list."""
    return frozenset(filter(None, map(as_id, value[:LIST_LIMIT]))) if isinstance(value, list) else frozenset()


def as_number(value: Any) -> int:
    """A whole number, such as a type, a size or flags. 0: it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def remove_non_text(text: str) -> str:
    return NOT_TEXT.sub("", text)
