"""Decides whether a hyphen at a line's end belongs to the word. Pure.

"informa-/tion" → "information", "long-/term" → "long-term"
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from core.language import word_set

WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
NUMBER_PART = re.compile(r"(?:\d[-\u2010\u2011\u2013]|[^\W_][-\u2010\u2011])$")
ADDRESS = re.compile(r"[/@]\S*$")  # at the end of a text
HYPHENS = "-\u2010\u2011"
SOFT_HYPHEN = "\u00ad"
PART_LETTERS = 3  # shorter parts are syllables more often than words
# First and last parts of words that are written with a hyphen, and that are no syllables of longer words.
FIRST_PARTS = word_set(
    """
    long short mid well self full half part high low non ex vice year day cost decision evidence work time second third
    hard large small two three four five six seven eight nine ten twenty thirty forty fifty sixty seventy eighty ninety
    multi cross peer user quasi demi mi semi avant arrière après ci là peut est c'est c’est dix vingt trente quarante
    cinquante soixante quatre chef vis grand nord sud haut bas franco anglo celui celle ceux celles quelques hors
    """
)
LAST_PARTS = word_set(
    """
    term time based related level free wide long known effective specific friendly driven up off
    même mêmes là delà dessus dessous devant être dire vous nous il elle ils elles on ce je tu moi toi midi uns unes
    parole monnaie ministre ministres clé clés rendu rendus métrage métrages guerre
    """
)
# Words that neither part tells from the syllables of others.
HYPHENATED = word_set("check-in sign-in log-in built-in drop-in on-site on-line week-end week-ends")
CLOSED_SOUS = re.compile("tra(?:ction|ire|it$|ya)|cri|signé|venir")  # "sous" is a syllable: "souscrire"
# Parts that are joined without a hyphen, though they are words too.
CLOSED_PARTS = word_set("under over out up in inter with some any every where there here sur entre contre")
CONJUNCTIONS = word_set("and or to nor et ou ni à")  # "short- and long-term"


class Hyphenation:
    """Knows the words of one document: a word that stands elsewhere in it shows how it is written."""

    def __init__(self, words: Iterable[str]) -> None:
        """`words`: those that no line's end splits, with punctuation."""
        self._text = words

    @cached_property
    def _words(self) -> Counter[str]:
        return Counter(WORD.findall(" ".join(self._text).lower()))

    def join_lines(self, before: str, after: str, blank: str = " ") -> str:
        """Joins the text of two lines. `blank`: what stands between whole words."""
        ended = hyphen_end(before)
        if ended is None or not after[:1].isalpha():
            return f"{before}{'' if joins_numbers(before, after) else blank}{after}"
        start, is_soft = ended
        return start + after if is_soft else self._join_parts(start, after)

    def _join_parts(self, before: str, after: str) -> str:
        first = last_word(before)
        second = first_word(after)
        if second in CONJUNCTIONS:
            return f"{before}- {after}"
        if ADDRESS.search(before):
            return f"{before}-{after}"
        return f"{before}{'-' if self._keeps_hyphen(first, second) else ''}{after}"

    def _keeps_hyphen(self, first: str, second: str) -> bool:
        if not first or not second or second[0].isupper() or len(first) == 1 or is_acronym(first, second):
            return True
        first, second = first.lower(), second.lower()
        joined, hyphenated = self._words[first + second], self._words[f"{first}-{second}"]
        if joined != hyphenated:
            return hyphenated > joined
        if first in FIRST_PARTS or second in LAST_PARTS or "-" in first or f"{first}-{second}" in HYPHENATED:
            return True
        if is_joined_by_hyphen(first, second):
            return True
        if first in CLOSED_PARTS or min(len(first), len(second)) < PART_LETTERS:
            return False
        return self._words[first] > 0 and self._words[second] > 0


def joins_numbers(before: str, after: str) -> bool:
    """Tells whether a hyphen next to digits holds two lines together: "2025-/26", "COVID-/19", "30-/day"."""
    return bool(NUMBER_PART.search(before)) and after[:1].isalnum() and first_word(after) not in CONJUNCTIONS


def is_acronym(first: str, second: str) -> bool:
    """Tells whether only the first part is in capitals: "CRA-/administered"."""
    return first.isupper() and not second.isupper()


def is_joined_by_hyphen(first: str, second: str) -> bool:
    """Tells whether spelling asks for the hyphen: "donne-t-il", "main-d'œuvre", "sous-ministre", "anti-inflation"."""
    if first == "sous":
        return not CLOSED_SOUS.match(second)
    has_link = second.startswith("t-") or second[1:2] in ("'", "’")
    return has_link or (first[-1] == second[0] and first[-1] in "ai")


def last_word(text: str) -> str:
    found = WORD.findall(text[-60:])
    return found[-1] if found and text.endswith(found[-1]) else ""


def first_word(text: str) -> str:
    found = WORD.match(text[:60])
    return found[0] if found else ""


def hyphen_end(text: str) -> tuple[str, bool] | None:
    """Returns the text without the hyphen at its end, and whether that is a soft hyphen. None: it ends otherwise."""
    if text.endswith(SOFT_HYPHEN):
        return text[:-1], True
    if len(text) > 1 and text[-1] in HYPHENS and text[-2].isalpha():
        return text[:-1], False
    return None
