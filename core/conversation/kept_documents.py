"""Chooses the documents of the last answer that the next prompt shows again: so its "[1]" means something. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from core.conversation.exchanges import Conversation
from core.rag.citations import cited_numbers
from core.rag.rendering import NumberedDocument

NOUN = (
    r"(?:sources?|documents?|docs?|files?|attachments?|references?|citations?|numbers?|fichiers?|pi[eè]ces? jointes?"
    r"|r[eé]f[eé]rences?|num[eé]ros?)"
)
SIGN = r"(?:n[o°ºᵒ.]|#)\.?"
NAMED = re.compile(
    rf"(?:\b{NOUN}\s+(?:{SIGN}\s*)?|\b{SIGN}\s*|#)(\d{{1,2}}(?:\s*(?:,|&|and|or|et|ou)\s*\d{{1,2}})*)\b", re.IGNORECASE
)
ORDINALS = ("first|1st|premier|première|1er|1re", "second|2nd|deuxième|seconde|2e", "third|3rd|troisième|3e")
ORDINAL = re.compile(rf"\b(?:{'|'.join(f'({each})' for each in ORDINALS)})\s+(?:one|{NOUN})\b", re.IGNORECASE)


MaySearch = Callable[[str, frozenset[str]], bool]  # may a caller of these names search the collection


def may_search_all(_collection: str, _names: frozenset[str]) -> bool:
    return True


def drop_refused(conversation: Conversation, names: frozenset[str], may_search: MaySearch) -> Conversation:
    """The conversation without documents of earlier answers whose collections this caller may not search.

    In a thread several people ask, and a person may have lost access since the last answer.
    """
    exchanges = tuple(
        replace(each, shown=tuple(one for one in each.shown if may_search(one.document.collection, names)))
        for each in conversation.exchanges
    )
    return replace(conversation, exchanges=exchanges)


def still_needed(conversation: Conversation, question: str) -> tuple[NumberedDocument, ...]:
    """The documents that the last answer cites, or that the question names by number."""
    if not conversation.exchanges:
        return ()
    last = conversation.exchanges[-1]
    numbers = cited_numbers(last.answer) | named_numbers(question)
    return tuple(each for each in last.shown if each.number in numbers)


def named_numbers(question: str) -> set[int]:
    """The numbers of documents in a question: "[2]", "sources 1 and 2", "le document n° 3", "the second file"."""
    lists = (int(number) for match in NAMED.finditer(question) for number in re.findall(r"\d+", match[1]))
    ordinals = (match.lastindex or 0 for match in ORDINAL.finditer(question))
    return cited_numbers(question) | {*lists, *ordinals}
