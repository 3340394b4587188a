"""What people see of a Slack message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def text_of(message: Mapping[str, Any]) -> str:
    """The visible text of a message, without context blocks and sections."""
    blocks = [each["text"] for each in message.get("blocks") or [] if each["type"] == "markdown"]
    return "\n".join(part for part in (message.get("streamed", ""), *blocks) if part)


def context_texts(message: Mapping[str, Any]) -> list[str]:
    return [each["elements"][0]["text"] for each in message.get("blocks") or [] if each["type"] == "context"]
