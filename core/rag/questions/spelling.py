"""Corrects typing errors in words that name something: "wether in otawa" is "weather in Ottawa". Pure.

A word is corrected if no language knows it and a name or topic is near it. So "whether" stays, and so do short words,
most of which have neighbours.

Neighbours are found by deletions, as in SymSpell (https://github.com/wolfgarbe/SymSpell): two words are near if they
become equal when each loses a letter or two. The distance is Damerau's and Levenshtein's, of adjacent letters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import islice

from core.rag.stemming import EMPTY_WORDS, WORD, WORD_LIMIT_CHARS, without_accents

MIN_LETTERS = 5  # of a word that is corrected; one of four letters may only lack one
TWO_ERRORS_LETTERS = 8  # of a word in which two errors are corrected
WORDS_LIMIT = 60  # of one question
ENDINGS = ("s", "x", "ed", "ing", "ly", "er", "y", "ment", "ion")  # of words whose root is known: "rainy"


class Speller:
    """Corrects words to `vocabulary`: the folded words, each as it is written; of equally near ones, the last.

    Words in `known` are never corrected. Those in `rare` are the correction of one error only.
    """

    def __init__(
        self, vocabulary: Mapping[str, str], known: Set[str] = frozenset(), rare: Set[str] = frozenset()
    ) -> None:
        self._vocabulary = {word: written for word, written in vocabulary.items() if len(word) >= MIN_LETTERS}
        self._ranks = {word: rank for rank, word in enumerate(self._vocabulary)}
        self._known = known | vocabulary.keys()
        self._rare = rare
        self._by_deletion: dict[str, list[str]] = defaultdict(list)
        for word in self._vocabulary:
            for key in deletions(word):
                self._by_deletion[key].append(word)

    def correct(self, text: str) -> str:
        """Returns the text with its typing errors corrected; everything else is unchanged."""
        parts: list[str] = []
        end = 0
        for match in islice(WORD.finditer(text), WORDS_LIMIT):
            if written := self._correction(match[0]):
                parts += [text[end : match.start()], written]
                end = match.end()
        return "".join([*parts, text[end:]])

    def _correction(self, word: str) -> str | None:
        """Returns the nearest word, or None if `word` is right or near to none."""
        folded = without_accents(word.lower())
        if not MIN_LETTERS - 1 <= len(folded) <= WORD_LIMIT_CHARS or not folded.isalpha() or self._is_known(folded):
            return None
        near = [(edit_distance(folded, other), -self._ranks[other], other) for other in self._neighbours(folded)]
        fitting = [each for each in near if each[0] <= self._errors_limit(folded, each[2])]
        return self._vocabulary[min(fitting)[2]] if fitting else None

    def _is_known(self, folded: str) -> bool:
        roots = [folded.removesuffix(ending) for ending in ENDINGS]
        return folded in EMPTY_WORDS or any(root in self._known for root in (folded, *roots) if len(root) > 3)

    def _errors_limit(self, folded: str, other: str) -> int:
        """Returns 1 also where the first letter differs: people seldom mistype it."""
        return 1 if other in self._rare or other[0] != folded[0] else errors_limit(folded)

    def _neighbours(self, folded: str) -> Iterator[str]:
        """Yields words near `folded`. A short word may only lack a letter, behind its first one."""
        for key in deletions(folded):
            for other in self._by_deletion.get(key, ()):
                lacks_letter = len(other) > len(folded) and other[0] == folded[0] and other not in self._rare
                if len(folded) >= MIN_LETTERS or lacks_letter:
                    yield other


def errors_limit(word: str) -> int:
    return 2 if len(word) >= TWO_ERRORS_LETTERS else 1


def deletions(word: str) -> set[str]:
    """Returns the word without one letter each; without two as well where two errors are corrected."""
    found = {word}
    for _ in range(errors_limit(word)):
        found |= {each[:at] + each[at + 1 :] for each in found for at in range(len(each))}
    return found


def edit_distance(one: str, other: str) -> int:
    """Returns the number of letters to insert, delete, replace or swap with their neighbour."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        line = [row]
        for column, its in enumerate(other, start=1):
            cost = min(above[column] + 1, line[-1] + 1, above[column - 1] + (letter != its))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == its:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, above = above, line
    return above[-1]


def vocabulary_of(texts: Iterable[str]) -> dict[str, str]:
    """Returns the words of phrases, and their plurals, by their folded form."""
    words = [word for text in texts for word in WORD.findall(text)]
    plurals = [f"{word}s" for word in words if not word.endswith(("s", "x"))]
    return {without_accents(word.lower()): word for word in (*plurals, *words)}
