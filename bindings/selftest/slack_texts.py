"""The text of a Slack message as people see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


def block_texts(message: Mapping[str, Any]) -> str:
    """The text, and a question that is a section of its own."""
    sections = [each["text"] for each in message.get("blocks") or [] if each["type"] == "section"]
    plain = [str(each["text"]) for each in sections if each["type"] == "plain_text"]
    return "\n".join(part for part in (text_of(message), *plain) if part)


def block_lines(message: Mapping[str, Any]) -> tuple[str, ...]:
    """The small lines below the text: status, sources, notice and label."""
    lines: list[str] = []
    for block in message.get("blocks") or []:
        if block["type"] == "context":
            lines += [str(element["text"]) for element in block["elements"]]
        elif block["type"] == "section" and block["text"]["type"] == "mrkdwn":
            lines += block["text"]["text"].split("\n")
    return tuple(lines)


def button_labels(message: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(button["text"]["text"]) for button in iter_buttons(message))


def find_action_value(message: Mapping[str, Any], prefix: str) -> str:
    """The value of the button whose value begins with `prefix`; "" if there is none."""
    values = (str(button.get("value", "")) for button in iter_buttons(message))
    return next((value for value in values if value.startswith(prefix)), "")


def iter_buttons(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for block in message.get("blocks") or []:
        for element in block.get("elements", ()) if block["type"] in ("actions", "context_actions") else ():
            if element["type"] == "feedback_buttons":
                yield from (element["positive_button"], element["negative_button"])
            elif "text" in element:
                yield element
