"""Slack's documented rules for messages: limits of blocks, and bounds of times."""

from __future__ import annotations

from typing import Any

MARKDOWN_LIMIT = 12_000
MESSAGE_LIMIT = 13_200  # of all blocks; measured in https://github.com/slackapi/bolt-js/issues/2509
SESSION_STATUSES = ("active", "processing", "suspended", "closed")
UPDATED_TEXT_LIMIT = 4_000  # bytes, for chat.update


def find_block_error(blocks: list[dict[str, Any]]) -> str | None:
    """Checks the documented rules for the blocks that the bot uses. Returns Slack's error code."""
    if len(blocks) > 50 or sum(len(each["text"]) for each in blocks if each["type"] == "markdown") > MARKDOWN_LIMIT:
        return "msg_blocks_too_long"
    if sum(count_chars(each) for each in blocks) > MESSAGE_LIMIT:
        return "msg_blocks_too_long"
    for each in blocks:
        if each["type"] == "section" and not 0 < len(each["text"]["text"]) <= 3000:
            return "invalid_blocks"
        if each["type"] == "context" and not all(0 < len(part["text"]) <= 2000 for part in each["elements"]):
            return "invalid_blocks"
        if each["type"] == "markdown" and not each["text"]:
            return "invalid_blocks"
        if each["type"] == "table" and not is_valid_table(each):
            return "invalid_blocks"
    if sum(each["type"] == "table" for each in blocks) > 1:
        return "invalid_attachments"  # Slack moves tables to an attachment, and allows one
    return None


def is_valid_table(block: dict[str, Any]) -> bool:
    """Checks the rules of https://docs.slack.dev/reference/block-kit/blocks/table-block."""
    rows = block["rows"]
    cells = [cell for row in rows for cell in row]
    return (
        0 < len(rows) <= 100
        and all(0 < len(row) <= 20 for row in rows)
        and len({len(row) for row in rows}) == 1
        and len(block.get("column_settings", ())) <= 20
        and all(cell_text(cell) for cell in cells)
    )


def cell_text(cell: dict[str, Any]) -> str:
    if cell["type"] == "raw_text":
        return str(cell["text"])
    return "".join(part["text"] for section in cell["elements"] for part in section["elements"])


def find_stream_error(message: dict[str, Any] | None) -> str | None:
    """Returns Slack's error code for an append to, or a stop of, a stream that is not open."""
    if message is None:
        return "message_not_found"
    if message.get("streaming"):
        return None
    return "stopped_by_user" if message.get("stopped") else "message_not_in_streaming_state"


def find_session_error(arguments: dict[str, Any], experience: str) -> str | None:
    """Returns Slack's error code for a call about an agent's session. Direct conversations need a thread."""
    if experience != "agent":
        return "feature_disabled"
    return None if arguments.get("thread_ts") else "thread_ts_required"


def find_update_error(text: str) -> str | None:
    return "msg_too_long" if len(text.encode()) > UPDATED_TEXT_LIMIT else None


def count_chars(block: dict[str, Any]) -> int:
    """Counts the visible characters of a block."""
    if block["type"] == "table":
        return sum(len(cell_text(cell)) for row in block["rows"] for cell in row)
    parts = [block.get("text") or "", *block.get("elements", ())]
    return sum(len(part) if isinstance(part, str) else len(str(part.get("text") or "")) for part in parts)


def filter_by_time(messages: list[dict[str, Any]], arguments: dict[str, Any]) -> list[dict[str, Any]]:
    oldest, latest = arguments.get("oldest") or "0", arguments.get("latest") or "9"
    return [message for message in messages if oldest < message["ts"] < latest]
