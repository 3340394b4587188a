"""Chooses between the two forms in which Slack sends one message: its text and its blocks. Pure.

In a person's message, they say the same, but a table is in the blocks only. In an app's message, people see the blocks;
the text is for notifications, and often shorter. https://docs.slack.dev/reference/methods/chat.postMessage#text_usage
"""

from __future__ import annotations

import re
from collections import Counter

from bindings.slack.markup import to_plain_text

WORD = re.compile(r"\w+")


def choose_wording(text: str, blocks: str, *, by_app: bool) -> str:
    """The form with more words, if it has all the words of the other one; else what people see of each. All mrkdwn."""
    if not text.strip() or not blocks.strip():
        return text if text.strip() else blocks
    of_text, of_blocks = count_words(text), count_words(blocks)
    if of_text == of_blocks:
        return blocks if by_app else text
    if of_blocks < of_text:
        return text
    return blocks if by_app or of_text < of_blocks else text


def add_wording(text: str, more: str) -> str:
    """Adds a text, unless its words are in the first one."""
    if count_words(more) <= count_words(text):
        return text
    return f"{text}\n\n{more}" if text.strip() else more


def count_words(text: str) -> Counter[str]:
    return Counter(WORD.findall(to_plain_text(text)))
