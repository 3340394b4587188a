"""What Slack documents of messages: which blocks it takes, and which of them lie between two times."""

from __future__ import annotations

from typing import Any

MARKDOWN_LIMIT = 12_000


def wrong_blocks(blocks: list[dict[str, Any]]) -> str | None:
    """What Slack documents of the blocks that we use."""
    if len(blocks) > 50 or sum(len(each["text"]) for each in blocks if each["type"] == "markdown") > MARKDOWN_LIMIT:
        return "msg_blocks_too_long"
    for each in blocks:
        if each["type"] == "section" and not 0 < len(each["text"]["text"]) <= 3000:
            return "invalid_blocks"
        if each["type"] == "context" and not all(0 < len(part["text"]) <= 2000 for part in each["elements"]):
            return "invalid_blocks"
        if each["type"] == "markdown" and not each["text"]:
            return "invalid_blocks"
    return None


def within(messages: list[dict[str, Any]], given: dict[str, Any]) -> list[dict[str, Any]]:
    oldest, latest = given.get("oldest") or "0", given.get("latest") or "9"
    return [message for message in messages if oldest < message["ts"] < latest]
