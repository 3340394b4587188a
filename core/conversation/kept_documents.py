"""Chooses the documents of the last answer that the next prompt shows again: so its "[1]" means something. Pure."""

from __future__ import annotations

import re

from core.conversation.exchanges import Conversation
from core.rag.citations import cited_numbers
from core.rag.rendering import NumberedDocument

BARE_NUMBER = re.compile(r"(?:source|document|n[o°º]\.?|#)\s*(\d{1,2})\b", re.IGNORECASE)


def still_needed(conversation: Conversation, question: str) -> tuple[NumberedDocument, ...]:
    """The documents that the last answer cites, or that the question names by number."""
    if not conversation.exchanges:
        return ()
    last = conversation.exchanges[-1]
    numbers = (
        cited_numbers(last.answer) | cited_numbers(question) | {int(each) for each in BARE_NUMBER.findall(question)}
    )
    return tuple(each for each in last.shown if each.number in numbers)
