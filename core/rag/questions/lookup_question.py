"""A question to look up, with the part of its conversation that says what it is about. Knows no database."""

from __future__ import annotations

from dataclasses import dataclass

EARLIER_LIMIT = 6  # exchanges; what a conversation is about is seldom older
TEXT_LIMIT_CHARS = 4000  # of a question, half from each end: words are compared one by one, on the event loop


@dataclass(frozen=True, slots=True)
class EarlierExchange:
    """A question, its answer, and the names of the sources that the answer was based on."""

    question: str
    answer: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LookupQuestion:
    """A question as it was written, and the exchanges before it, oldest first."""

    text: str
    earlier: tuple[EarlierExchange, ...] = ()


def clip_text(text: str) -> str:
    """Leaves out the middle of a long text: people ask before or after what they paste."""
    if len(text) <= TEXT_LIMIT_CHARS:
        return text
    half = TEXT_LIMIT_CHARS // 2
    return f"{text[:half]}\n{text[-half:]}"
