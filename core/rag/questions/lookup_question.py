"""A question to look up, with the part of its conversation that says what it is about. Knows no database."""

from __future__ import annotations

from dataclasses import dataclass

EARLIER_LIMIT = 6  # exchanges; what a conversation is about is seldom older


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
