"""Compares the words that a reader found in a document to those that are known to be in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

WORD = re.compile(r"[^\W_]+")
LONGEST_WORD_CHARS = 22  # of ordinary prose; longer ones are words without the blanks between them


@dataclass(frozen=True, slots=True)
class WordMatch:
    """Counts of words. `in_order`: the longest common subsequence of known and found words."""

    known: int
    found: int
    in_order: int
    glued_chars: int  # letters of found words that are longer than words of prose, and not known
    chars: int

    @property
    def share(self) -> float:
        """The share of the known words that was found in order."""
        return self.in_order / self.known if self.known else 1.0

    @property
    def extra(self) -> int:
        """Found words that are not known, or stand elsewhere."""
        return self.found - self.in_order

    @property
    def glued(self) -> float:
        """The share of letters in words that have lost their blanks."""
        return self.glued_chars / self.chars if self.chars else 0.0


def match_words(known_text: str, found_text: str) -> WordMatch:
    known, found = split_words(known_text), split_words(found_text)
    expected = set(known)
    glued_chars = sum(len(word) for word in found if len(word) > LONGEST_WORD_CHARS and word not in expected)
    return WordMatch(len(known), len(found), common_in_order(known, found), glued_chars, sum(map(len, found)))


def split_words(text: str) -> list[str]:
    """Returns letters and digits without case. Accents count; "é" is one letter or two, and means the same."""
    return WORD.findall(unicodedata.normalize("NFC", text).casefold())


def common_in_order(known: Sequence[str], found: Sequence[str]) -> int:
    """Returns the length of the longest common subsequence.

    Bit-parallel, after Hyyrö, "Bit-parallel LCS-length computation revisited" (2004): a bit for each known word.
    """
    places: dict[str, int] = {}
    for index, word in enumerate(known):
        places[word] = places.get(word, 0) | 1 << index
    mask = row = (1 << len(known)) - 1
    for word in found:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & mask
    return len(known) - row.bit_count()
