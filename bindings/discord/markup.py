"""Discord's tokens in a message's text → what people see: names, emoji, times. Pure.

https://discord.com/developers/docs/reference#message-formatting
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

TOKEN = re.compile(
    r"<(?:@!?(?P<user>\d{1,20})|@&(?P<role>\d{1,20})|\#(?P<channel>\d{1,20})"
    r"|/(?P<command>[^<>:\n]{1,100}):\d{1,20}|a?:(?P<emoji>\w{1,64}):\d{1,20}"
    r"|t:(?P<time>-?\d{1,12})(?::[a-zA-Z])?|id:(?P<page>[a-z-]{1,20})(?::\d{1,20})?)>",
    re.ASCII,
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEPTH_LIMIT = 16  # of nested values that are searched for tokens


@dataclass(frozen=True, slots=True)
class MentionNames:
    """Names by id."""

    users: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MentionedIds:
    """The ids of the mentions in a message."""

    users: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()


def to_plain_text(text: str, names: MentionNames) -> str:
    """Replaces each token by the text that people see. In one pass, so that no name can contain a token."""
    return TOKEN.sub(lambda token: render_token(token, names), text)


def render_token(token: re.Match[str], names: MentionNames) -> str:
    kind, value = token.lastgroup or "", token[token.lastgroup or 0]
    match kind:
        case "user":
            return f"@{names.users.get(value) or value}"
        case "role":
            return f"@{(names.roles.get(value) or value).removeprefix('@')}"  # the role of everybody is "@everyone"
        case "channel":
            return f"#{names.channels.get(value) or value}"
        case "command":
            return f"/{value}"
        case "emoji":
            return f":{value}:"
        case "time":
            return render_time(int(value)) or token[0]
    return f"#{value}"  # a page of the server, such as its guide


def render_time(seconds: int) -> str:
    """A time as "2025-11-22 15:00 UTC": people see it in their own time zone, which no bot learns. "": no time."""
    try:
        return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError):
        return ""


def find_mentions(payload: Any) -> MentionedIds:
    """The ids of all mentions in the texts of a payload."""
    found: dict[str, set[str]] = {"user": set(), "role": set(), "channel": set()}
    for text in find_texts(payload, DEPTH_LIMIT):
        for token in TOKEN.finditer(text):
            if token.lastgroup in found:
                found[token.lastgroup].add(token[token.lastgroup])
    return MentionedIds(frozenset(found["user"]), frozenset(found["role"]), frozenset(found["channel"]))


def find_texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth > 0 and isinstance(value, (Mapping, list)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from find_texts(each, depth - 1)
