"""What Slack documents of messages: which blocks it takes, and which of them lie between two times."""

from __future__ import annotations

from typing import Any

MARKDOWN_LIMIT = 12_000
MESSAGE_LIMIT = 13_200  # of all blocks, as https://github.com/slackapi/bolt-js/issues/2509 found out
UPDATED_TEXT_LIMIT = 4_000  # bytes; more is `msg_too_long` to chat.update


def wrong_blocks(blocks: list[dict[str, Any]]) -> str | None:
    """What Slack documents of the blocks that we use."""
    if len(blocks) > 50 or sum(len(each["text"]) for each in blocks if each["type"] == "markdown") > MARKDOWN_LIMIT:
        return "msg_blocks_too_long"
    if sum(words_of(each) for each in blocks) > MESSAGE_LIMIT:
        return "msg_blocks_too_long"
    for each in blocks:
        if each["type"] == "section" and not 0 < len(each["text"]["text"]) <= 3000:
            return "invalid_blocks"
        if each["type"] == "context" and not all(0 < len(part["text"]) <= 2000 for part in each["elements"]):
            return "invalid_blocks"
        if each["type"] == "markdown" and not each["text"]:
            return "invalid_blocks"
    return None


def wrong_update(text: str) -> str | None:
    return "msg_too_long" if len(text.encode()) > UPDATED_TEXT_LIMIT else None


def words_of(block: dict[str, Any]) -> int:
    """How many characters people read of it."""
    parts = [block.get("text") or "", *block.get("elements", ())]
    return sum(len(part) if isinstance(part, str) else len(str(part.get("text") or "")) for part in parts)


def within(messages: list[dict[str, Any]], given: dict[str, Any]) -> list[dict[str, Any]]:
    oldest, latest = given.get("oldest") or "0", given.get("latest") or "9"
    return [message for message in messages if oldest < message["ts"] < latest]
