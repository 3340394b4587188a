"""Words to stems, in English and French. The only user of Snowball.

There are two orders. Passages and questions in memory are stemmed first and lose their accents after (`terms`). The
database's index loses accents first (`index_stems`), so that "conge" finds "congé". The database stores these stems
alone, so SQLite and PostgreSQL match alike; another order would make what is stored unfindable.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock

import snowballstemmer  # type: ignore[import-untyped]

from core.contract import LANGUAGES, Language

WORD = re.compile(r"[^\W_]+")
LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
WORD_LIMIT_CHARS = 40  # longer strings are not words
# These words say nothing about the subject of a passage. They have no accents, like the words compared with them.
EMPTY_WORDS_TEXT = (
    "a about am an and any are as at be been but by can could did do does for from had has have he her his how i if in "
    "into is it its me my of on or our please she should so some tell than that the their them then there these they "
    "this those to us was we were what when where which who why will with would you your "
    "as au aux avec ce ces cet cette comment dans de des dit dois du elle elles en est et etait etre eu fait il ils "
    "j je l la le les leur leurs lui ma mais me mes moi mon n ne nos notre nous on ou par pas peut peux plus pour "
    "pourquoi qu quand que quel quelle quelles quels qui quoi s sa se ses si son sont sur ta te tes toi ton tu un une "
    "vos votre vous y c d m t"
)
EMPTY_WORDS = frozenset(EMPTY_WORDS_TEXT.split())
WHOLE_WORDS = frozenset(("news",))  # the French stem is that of "new", another word


class Stemmer:
    """A Snowball stemmer with a cache. The lock is there because Snowball keeps the word in itself while it works."""

    def __init__(self, algorithm: str) -> None:
        self._stemmer = snowballstemmer.stemmer(algorithm)
        self._stemmer.maxCacheSize = 0  # PyStemmer's own cache takes longer than stemming
        self._lock = Lock()
        self.stem = lru_cache(maxsize=100_000)(self._stem)

    def _stem(self, word: str) -> str:
        with self._lock:
            return str(self._stemmer.stemWord(word))


STEMMERS = {"en": Stemmer("english"), "fr": Stemmer("french")}


def terms(text: str) -> Iterator[str]:
    """Yields the stems of each word in both languages, without accents: a question may lack them or be in the other."""
    for stems in stems_by_word(text):
        yield from stems


def stems_by_word(text: str) -> Iterator[tuple[str, ...]]:
    """Yields the stems of each word together."""
    return map(word_stems, WORD.findall(unicodedata.normalize("NFC", text).lower()))


@lru_cache(maxsize=20_000)
def word_stems(word: str) -> tuple[str, ...]:
    """Returns no stem for empty words, two where the languages differ. `word` is in lower case."""
    if len(word) >= WORD_LIMIT_CHARS or without_accents(word) in EMPTY_WORDS:
        return ()
    if word in WHOLE_WORDS:
        return (word,)
    return tuple(dict.fromkeys(without_accents(stemmer.stem(word)) for stemmer in STEMMERS.values()))


def without_accents(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    if decomposed.isalnum():  # combining signs are not alphanumeric, so there is none
        return decomposed
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def folded_words(text: str) -> Iterator[str]:
    """Yields the words in order, in lower case and without accents and ligatures, empty words too."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(LIGATURES))
    for word in WORD.findall("".join(char for char in decomposed if not unicodedata.combining(char))):
        if len(word) <= WORD_LIMIT_CHARS:
            yield word


def is_content_word(word: str) -> bool:
    """Tells whether a page with the folded `word` is about something that other pages are not about."""
    return len(word) > 1 and word not in EMPTY_WORDS


def index_stems(text: str, language: Language | None) -> list[str]:
    """Returns the stems that the database indexes, in order; in both languages if `language` is None."""
    content_words = [word for word in folded_words(text) if is_content_word(word)]
    stemmers = [STEMMERS[each] for each in ([language] if language else LANGUAGES)]
    return [stemmer.stem(word) for stemmer in stemmers for word in content_words]


def folded_word_stems(word: str) -> frozenset[str]:
    """Returns the stems of a folded word in either language."""
    return frozenset(STEMMERS[language].stem(word) for language in LANGUAGES)
