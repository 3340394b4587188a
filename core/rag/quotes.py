"""Marks quotations in an answer that do not occur in its sources. Pure; text in, text out.

Models invent quotations. Text between quotation marks that is long enough is compared with the sources, ignoring
blanks, case and punctuation. If it is missing there, a note follows it in the answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from core.contract import Language
from core.texts import text

CLOSING_MARKS = {"“": "”", "«": "»", '"': '"'}
MIN_WORDS = 5  # shorter ones are titles, terms and irony
QUOTATION_LIMIT_CHARS = 1500  # an opening mark that is not closed by then opened no quotation
ELLIPSIS = re.compile(r"\s*(?:\[?…\]?|\[\.\.\.\]|\.\.\.)\s*")
WORD = re.compile(r"\w+")


class QuoteMarker:
    """Takes the answer in pieces by `feed`; `flush` ends it. Holds back an open quotation and nothing else."""

    def __init__(self, sources: Iterable[str], language: Language) -> None:
        self._sources = " ".join(normalise(text) for text in sources)
        self._language = language
        self._pending = ""  # the text since an opening mark
        self._in_code = False  # between backticks, where quotation marks are syntax

    def feed(self, text: str) -> str:
        return "".join(self._take(char) for char in text)

    def flush(self) -> str:
        pending, self._pending = self._pending, ""
        return pending

    def _take(self, char: str) -> str:
        if not self._pending:
            self._in_code ^= char == "`"
            if char not in CLOSING_MARKS or self._in_code:
                return char
            self._pending = char
            return ""
        self._pending += char
        if char == CLOSING_MARKS[self._pending[0]]:
            quotation = self.flush()
            if self._is_in_sources(quotation[1:-1]):
                return quotation
            return f"{quotation} {text('source-quotation-not-found', self._language)}"
        return self.flush() if char == "\n" or len(self._pending) > QUOTATION_LIMIT_CHARS else ""

    def _is_in_sources(self, quotation: str) -> bool:
        parts = [normalise(part) for part in ELLIPSIS.split(quotation)]
        if sum(len(part.split()) for part in parts) < MIN_WORDS:
            return True
        return all(f" {part} " in f" {self._sources} " for part in parts if part)


def normalise(text: str) -> str:
    """Returns the words, in lower case, with one blank between them."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(WORD.findall(folded))
