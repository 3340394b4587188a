"""Marks what an answer puts in quotation marks as if it were from its sources, and is not. Pure; text in, text out.

A model invents quotations. What stands between quotation marks and is long enough to be one is looked for in what the
model was shown, without regard to blank space, case and punctuation; if it is not there, that is said on the spot.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from core.contract import Language

CLOSING_MARKS = {"“": "”", "«": "»", '"': '"'}
MIN_WORDS = 5  # shorter ones are titles, terms and irony
QUOTATION_LIMIT_CHARS = 1500  # of a quotation; a mark that is not closed by then was none
ELLIPSIS = re.compile(r"\s*(?:\[?…\]?|\[\.\.\.\]|\.\.\.)\s*")
WORD = re.compile(r"\w+")

NOT_FOUND: Mapping[Language, str] = {
    "en": " [not found in the sources]",
    "fr": " [introuvable dans les sources]",
}


class QuoteMarker:
    """`feed` it the answer in pieces and `flush` it at the end; nothing is held back but a quotation still open."""

    def __init__(self, sources: Iterable[str], language: Language) -> None:
        self._sources = " ".join(normalise(text) for text in sources)
        self._language = language
        self._held = ""  # from an opening mark on
        self._in_code = False  # between backticks: quotes there are syntax

    def feed(self, text: str) -> str:
        return "".join(self._take(char) for char in text)

    def flush(self) -> str:
        held, self._held = self._held, ""
        return held

    def _take(self, char: str) -> str:
        if not self._held:
            self._in_code ^= char == "`"
            if char not in CLOSING_MARKS or self._in_code:
                return char
            self._held = char
            return ""
        self._held += char
        if char == CLOSING_MARKS[self._held[0]]:
            quotation = self.flush()
            return quotation if self._is_found(quotation[1:-1]) else quotation + NOT_FOUND[self._language]
        return self.flush() if char == "\n" or len(self._held) > QUOTATION_LIMIT_CHARS else ""

    def _is_found(self, quotation: str) -> bool:
        parts = [normalise(part) for part in ELLIPSIS.split(quotation)]
        if sum(len(part.split()) for part in parts) < MIN_WORDS:
            return True
        return all(f" {part} " in f" {self._sources} " for part in parts if part)


def normalise(text: str) -> str:
    """Its words, one blank between them."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(WORD.findall(folded))
