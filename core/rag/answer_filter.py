"""Checks an answer against its documents while it is written: its quotations and its citations. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core.contract import Language
from core.rag.citations import CitationFilter
from core.rag.quotes import QuoteMarker


class AnswerFilter:
    """Takes the answer in pieces by `feed`; `flush` ends it. Marks invented quotations, drops invented citations."""

    def __init__(self, texts: Iterable[str], numbers: Collection[int], language: Language) -> None:
        self._quotes = QuoteMarker(texts, language)
        self._citations = CitationFilter(numbers)

    def feed(self, text: str) -> str:
        return self._citations.feed(self._quotes.feed(text))

    def flush(self) -> str:
        return self._citations.feed(self._quotes.flush()) + self._citations.flush()
