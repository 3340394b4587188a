"""What people see of a Slack message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bindings.selftest.slack_rules import cell_text


def text_of(message: Mapping[str, Any]) -> str:
    """The visible text of a message, without context blocks and sections."""
    blocks = [block_text(each) for each in message.get("blocks") or [] if each["type"] in ("markdown", "table")]
    plain = "" if message.get("blocks") else message.get("text", "")
    return "\n".join(part for part in (message.get("streamed", "") or plain, *blocks) if part)


def block_text(block: Mapping[str, Any]) -> str:
    if block["type"] == "markdown":
        return str(block["text"])
    return "\n".join(" | ".join(cell_text(cell) for cell in row) for row in block["rows"])


def context_texts(message: Mapping[str, Any]) -> list[str]:
    return [each["elements"][0]["text"] for each in message.get("blocks") or [] if each["type"] == "context"]
