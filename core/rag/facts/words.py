"""Text to stems: folded, without empty words, stemmed as English or French. What is indexed and what is asked go alike.

Accents are dropped before stemming and not after, so that "conge" finds "congé". Databases see stems alone, so that
every one of them matches the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock

import snowballstemmer  # type: ignore[import-untyped]

from core.contract import Language
from core.rag.passages import EMPTY_WORDS

WORD = re.compile(r"[^\W_]+")
LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
WORD_LIMIT_CHARS = 40
LANGUAGES: tuple[Language, ...] = ("en", "fr")


class Stemmer:
    """Snowball's, for several threads: it keeps its word in itself while it works."""

    def __init__(self, algorithm: str) -> None:
        self._stemmer = snowballstemmer.stemmer(algorithm)
        self._lock = Lock()
        self.stem = lru_cache(maxsize=100_000)(self._stem)

    def _stem(self, word: str) -> str:
        with self._lock:
            return str(self._stemmer.stemWord(word))


STEMMERS = {"en": Stemmer("english"), "fr": Stemmer("french")}


def words(text: str) -> Iterator[str]:
    """Folded, in order, empty ones too."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(LIGATURES))
    for word in WORD.findall("".join(char for char in decomposed if not unicodedata.combining(char))):
        if len(word) <= WORD_LIMIT_CHARS:
            yield word


def tells(word: str) -> bool:
    """Whether a page that has the word is about something that others are not."""
    return len(word) > 1 and word not in EMPTY_WORDS


def stems(text: str, language: Language | None) -> list[str]:
    """In order; by both languages' rules if it is not known which."""
    told = [word for word in words(text) if tells(word)]
    stemmers = [STEMMERS[each] for each in ([language] if language else LANGUAGES)]
    return [stemmer.stem(word) for stemmer in stemmers for word in told]


def stems_of(word: str) -> frozenset[str]:
    """By either language's rules."""
    return frozenset(STEMMERS[language].stem(word) for language in LANGUAGES)
