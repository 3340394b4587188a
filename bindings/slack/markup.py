"""Slack's text format, mrkdwn: tokens for mentions, links and dates, and escapes. Pure.

https://docs.slack.dev/messaging/formatting-message-text: links, channels and mentions are <…>; & < > are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime

TOKEN = re.compile(r"<([^<>\n]{1,4000})>")
URL_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,15}:", re.IGNORECASE)
UNNAMED = re.compile(r"<(?:[@#]|!subteam\^)([A-Z0-9]{2,24})\|?>")  # a mention without a label
# Of a person, a user group, or everybody in a channel.
MENTION = re.compile(r"<(?:@|!subteam\^|!(?=here|channel|everyone))([A-Z0-9]{2,24}|[a-z]+)(?:\|[^<>\n]*)?>")
BARE_AMPERSAND = re.compile(r"&(?!(?:lt|gt|amp);)")
NO_NAMES: Mapping[str, str] = {}
GROUPS = ("subteam", "here", "channel", "everyone")


def to_plain_text(text: str, names: Mapping[str, str] = NO_NAMES) -> str:
    """The text as people see it. `names` of people, channels and user groups by id, for mentions without a label."""
    return unescape(TOKEN.sub(lambda token: render_token(token[1], names), text))


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_once(text: str) -> str:
    """Escapes a text of blocks and attachments, where Slack escapes some texts and not others."""
    return BARE_AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def find_unnamed(text: str) -> Iterator[str]:
    """The ids of people, channels and user groups that the text mentions without a label."""
    return (token[1] for token in UNNAMED.finditer(text))


def find_mentions(text: str) -> set[str]:
    """The ids of people and user groups that the text mentions, and `here`, `channel` and `everyone`."""
    return {token[1] for token in MENTION.finditer(text)}


def render_token(token: str, names: Mapping[str, str] = NO_NAMES) -> str:
    """The readable form of the text between < and >."""
    target, _, label = token.partition("|")
    if target.startswith(("@", "#")):
        return target[0] + (label or names.get(target[1:]) or target[1:]).removeprefix(target[0])
    if target.startswith("!"):
        return render_special(target[1:], label, names)
    return render_link(target, label) if URL_SCHEME.match(target) else f"<{token}>"


def render_special(target: str, label: str, names: Mapping[str, str]) -> str:
    """A mention of a group of people, or a date."""
    kind, _, rest = target.partition("^")
    if kind == "date":
        return label or render_date(rest.partition("^")[0])
    if kind not in GROUPS:
        return label or f"@{kind}"
    name = label or (names.get(rest, rest) if kind == "subteam" else kind)
    return "@" + name.removeprefix("@")


def render_date(seconds: str) -> str:
    """A time as ISO 8601 in UTC; the text itself if it is no time."""
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M UTC")
    return seconds


def render_link(url: str, label: str) -> str:
    """A bare address stays bare, so that a message may begin with it."""
    shown = url.removeprefix("mailto:").removeprefix("tel:")
    bare = re.sub(r"^https?://", "", url).rstrip("/")
    if not label or label.rstrip("/") in (url.rstrip("/"), bare, shown):
        return shown
    return f"{label} ({shown})"


def build_link(url: str, label: str) -> str:
    """The token of a link. The signs that end a token are encoded in the URL, and left out of the label."""
    address = url.strip().replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")
    name = " ".join(escape_once(label).replace("|", " ").split())
    if not URL_SCHEME.match(address):
        return " ".join(filter(None, (name, escape_once(url.strip()))))
    return f"<{address}|{name}>" if name else f"<{address}>"


def remove_mention(text: str, user: str) -> str:
    """Removes all mentions of `user`, and the colon or comma after a mention at the start."""
    # The lookbehind and `++` start a match only at the first blank of a run: otherwise the time is quadratic.
    cut = re.sub(rf"(?:(?<![ \t])[ \t]++)?<@{re.escape(user)}(?:\|[^<>\n]*)?>[ \t]*", " ", text)
    return re.sub(r"^[ \t]*[:,][ \t]*", "", cut.strip()) if cut != text else text.strip()


def has_mention(text: str, user: str) -> bool:
    return re.search(rf"<@{re.escape(user)}(?:\|[^<>\n]*)?>", text) is not None
