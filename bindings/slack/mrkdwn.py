"""Slack's own text, as people send it, made plain. Pure.

https://docs.slack.dev/messaging/formatting-message-text : <…> are links, channels and mentions; & < > are escaped.
"""

from __future__ import annotations

import re

TOKEN = re.compile(r"<([^<>\n]{1,4000})>")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,15}:", re.IGNORECASE)


def plain(text: str) -> str:
    return unescaped(TOKEN.sub(lambda token: spoken(token[1]), text))


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def spoken(token: str) -> str:
    """What stands between < and >, as one would say it."""
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return f"@{label or target[1:]}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    return link(target, label) if SCHEME.match(target) else f"<{token}>"


def link(url: str, label: str) -> str:
    """A bare address stays one, so that a message may begin with it."""
    shown = url.removeprefix("mailto:").removeprefix("tel:")
    bare = re.sub(r"^https?://", "", url).rstrip("/")
    if not label or label.rstrip("/") in (url.rstrip("/"), bare, shown):
        return shown
    return f"{label} ({shown})"


def without_mention(text: str, user: str) -> str:
    """Slack's text without the mentions of `user`, of which there may be several."""
    # Blanks are looked at from their first one only: from each of them, many would take for ever.
    cut = re.sub(rf"(?:(?<![ \t])[ \t]++)?<@{re.escape(user)}(?:\|[^<>\n]*)?>[ \t]*", " ", text)
    return re.sub(r"^[ \t]*[:,][ \t]*", "", cut.strip()) if cut != text else text.strip()


def mentions(text: str, user: str) -> bool:
    return re.search(rf"<@{re.escape(user)}(?:\|[^<>\n]*)?>", text) is not None
