"""Finds the places, departments or sections of a table that a question names. Pure but for loading the table.

Accents and case do not matter, and "St." is "Saint". But a common word ("Hope", "Trail") counts as a name only
if it is written like one, and an acronym only in capitals.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from core.contract import Language
from core.errors import ConfigError
from core.language import word_set
from core.rag.stemming import WORD, without_accents

RESERVED_COLUMNS = ("name", "fr", "also", "within", "weight")  # columns that are no values for the URL
WELL_KNOWN = 50_000  # people; the name of such a place is a name in any spelling
DEFAULT_WEIGHT = 1_000_000  # of rows without one
NameKey = tuple[str, ...]  # the words of a name
NAMED_LIMIT = 3  # in one question
WORDS_LIMIT = 400  # of a question that are looked at
PLACE_PREPOSITIONS = word_set("in at near around for from to a au aux en pour de du sur vers")
CONJUNCTIONS = word_set("and or et ou")
ABBREVIATIONS = {"st": "saint", "ste": "sainte"}
# Other words that stand after "in" or "à" with a capital letter.
NOT_PLACES = word_set(
    """
    january february march april may june july august september october november december spring summer autumn fall
    winter monday tuesday wednesday thursday friday saturday sunday christmas easter celsius fahrenheit english french
    janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre lundi mardi mercredi jeudi
    vendredi samedi dimanche noel paques francais anglais i my the your our this that
    """
)


@dataclass(frozen=True, slots=True)
class NamedItem:
    """A row of the table. `values` by column, for the URL."""

    name: str
    within: str
    weight: float
    values: Mapping[str, str] = field(hash=False)
    french: str = ""  # the French name, if it differs
    within_french: str = ""

    def label(self, language: Language) -> str:
        french = language == "fr"
        name, within = (french and self.french) or self.name, (french and self.within_french) or self.within
        return f"{name} ({within})" if within else name


@dataclass(frozen=True, slots=True)
class NameMention:
    """The possible meanings of words `begin` to `end` of a question. `joined`: "and" stands before them."""

    begin: int
    end: int
    joined: bool
    meanings: tuple[NamedItem, ...]


class NameTable:
    """A table of names. `strict`: the table is complete, so that `unknown_name` finds names that it lacks."""

    def __init__(
        self, rows: Sequence[tuple[NamedItem, Sequence[str]]], columns: Sequence[str], *, strict: bool
    ) -> None:
        """`rows`: each with all its names."""
        self.columns = frozenset(columns)
        self.strict = strict
        index: dict[NameKey, list[tuple[NamedItem, str]]] = defaultdict(list)
        for row, names in rows:
            for name in names:
                index[tuple(normalised_words(name))].append((row, name))
        self._index: Mapping[NameKey, tuple[NamedItem, ...]] = {
            key: tuple(row for row, _ in entries) for key, entries in index.items()
        }
        self._acronyms = {key for key, entries in index.items() if all(name.isupper() for _, name in entries)}
        self._longest = max(map(len, index))

    @classmethod
    def load(cls, file: Path, *, strict: bool = False) -> NameTable:
        """Raises ConfigError with the file and line."""
        try:
            with file.open(encoding="utf-8", newline="") as opened:
                reader = csv.DictReader(opened)
                rows = [parse_row(row, file, reader.line_num) for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error) as exc:
            raise ConfigError(f"{file}: the table cannot be read: {exc}") from exc
        if not rows:
            raise ConfigError(f"{file}: the table has no rows")
        french = {row.name: row.french for row, _ in rows}
        rows = [(replace(row, within_french=french.get(row.within, "")), names) for row, names in rows]
        return cls(rows, [each for each in reader.fieldnames or () if each not in RESERVED_COLUMNS], strict=strict)

    def find(self, question: str) -> tuple[NamedItem, ...]:
        """Returns what the question names, in its order, at most NAMED_LIMIT."""
        mentions = list(self._mentions(question))
        regions = {without_accents(row.name.lower()) for mention in mentions for row in mention.meanings}
        candidates = [
            (
                mention,
                max(mention.meanings, key=lambda row: (without_accents(row.within.lower()) in regions, row.weight)),
            )
            for mention in mentions
        ]
        own = (row for at, row in candidates if not any(is_location_of(row, at, other, it) for other, it in candidates))
        return tuple(dict.fromkeys(own))[:NAMED_LIMIT]

    def unknown_name(self, question: str) -> str | None:
        """Returns a name after "in" or "à" that a complete table lacks."""
        if not self.strict or self.find(question):
            return None
        words = split_words(question)
        for before, word in pairwise(words):
            if (
                before.lower() in ("in", "à", "au", "en")
                and word[0].isupper()
                and without_accents(word.lower()) not in NOT_PLACES
            ):
                return word
        return None

    def _mentions(self, question: str) -> Iterator[NameMention]:
        """Yields the longest names, from left to right."""
        question_words = split_words(question)
        words = normalised_words(question)
        at = 0
        while at < len(words):
            mention = self._mention(words, question_words, at)
            if mention is not None:
                yield mention
            at = mention.end if mention is not None else at + 1

    def _mention(self, words: Sequence[str], question_words: Sequence[str], at: int) -> NameMention | None:
        for end in range(min(len(words), at + self._longest), at, -1):
            key = tuple(words[at:end])
            if key in self._index and self._counts(key, question_words, at, end):
                return NameMention(at, end, at > 0 and words[at - 1] in CONJUNCTIONS, self._index[key])
        return None

    def _counts(self, key: NameKey, question_words: Sequence[str], at: int, end: int) -> bool:
        """Tells whether these words are meant as a name."""
        if key in self._acronyms:
            return all(word.isupper() for word in question_words[at:end])
        if len(key) > 1 or any(row.weight >= WELL_KNOWN for row in self._index[key]):
            return True
        begins_sentence = at == 0
        return (question_words[at][0].isupper() and not begins_sentence) or (
            at > 0
            and without_accents(question_words[at - 1].lower()) in PLACE_PREPOSITIONS
            and len(question_words[at]) > 2
        )


def is_location_of(region: NamedItem, at: NameMention, place: NameMention, row: NamedItem) -> bool:
    """Tells whether `region` only locates `row`: a province, or "Québec" right behind its name."""
    lies_there = row != region and without_accents(row.within.lower()) == without_accents(region.name.lower())
    return lies_there and (not region.weight or (at.begin - place.end in (0, 1) and not at.joined))


def split_words(text: str) -> list[str]:
    return WORD.findall(text)[:WORDS_LIMIT]


def normalised_words(text: str) -> list[str]:
    words = [without_accents(word.lower()) for word in split_words(text)]
    return [ABBREVIATIONS.get(word, word) for word in words]


def parse_row(row: Mapping[str, str | None], file: Path, line: int) -> tuple[NamedItem, list[str]]:
    """Returns the row with all its names. Raises ConfigError."""
    name = (row.get("name") or "").strip()
    if not normalised_words(name):
        raise ConfigError(f"{file}:{line}: `name` is missing")
    try:
        weight = float(row.get("weight") or ("0" if "weight" in row else DEFAULT_WEIGHT))
    except ValueError as exc:
        raise ConfigError(f"{file}:{line}: `weight` is not a number: {row.get('weight')}") from exc
    values = {
        key: value or "" for key, value in row.items() if key not in RESERVED_COLUMNS and isinstance(value, str | None)
    }
    french = (row.get("fr") or "").strip()
    names = [name, *(other for other in (french, *(row.get("also") or "").split("|")) if normalised_words(other))]
    return NamedItem(name, (row.get("within") or "").strip(), weight, values, french), names
