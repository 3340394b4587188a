"""Slack's text format, mrkdwn: tokens for mentions, links and dates, and escapes. Pure.

https://docs.slack.dev/messaging/formatting-message-text: links, channels and mentions are <…>; & < > are escaped.
"""

from __future__ import annotations

import re

TOKEN = re.compile(r"<([^<>\n]{1,4000})>")
URL_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,15}:", re.IGNORECASE)


def to_plain_text(text: str) -> str:
    return unescape(TOKEN.sub(lambda token: render_token(token[1]), text))


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render_token(token: str) -> str:
    """The readable form of the text between < and >."""
    target, _, label = token.partition("|")
    if target.startswith(("@", "#")):
        return f"{target[0]}{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    return render_link(target, label) if URL_SCHEME.match(target) else f"<{token}>"


def render_link(url: str, label: str) -> str:
    """A bare address stays bare, so that a message may begin with it."""
    shown = url.removeprefix("mailto:").removeprefix("tel:")
    bare = re.sub(r"^https?://", "", url).rstrip("/")
    if not label or label.rstrip("/") in (url.rstrip("/"), bare, shown):
        return shown
    return f"{label} ({shown})"


def remove_mention(text: str, user: str) -> str:
    """Removes all mentions of `user`, and the colon or comma after a mention at the start."""
    # The lookbehind and `++` start a match only at the first blank of a run: otherwise the time is quadratic.
    cut = re.sub(rf"(?:(?<![ \t])[ \t]++)?<@{re.escape(user)}(?:\|[^<>\n]*)?>[ \t]*", " ", text)
    return re.sub(r"^[ \t]*[:,][ \t]*", "", cut.strip()) if cut != text else text.strip()


def has_mention(text: str, user: str) -> bool:
    return re.search(rf"<@{re.escape(user)}(?:\|[^<>\n]*)?>", text) is not None
