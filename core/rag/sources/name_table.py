"""Finds the places, departments or sections of a table that a question names. Pure but for loading the table.

Accents and case do not matter, and "St." is "Saint". But a common word ("Hope", "Trail") counts as a name only
if it is written like one, and an acronym only in capitals.

A row without values for the URL is a thing that the source does not cover, such as a city abroad. "Paris" is the city
in France unless Ontario is named too; "London" is the one in Ontario, because it is well known here.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
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
NEGATIONS = word_set("not pas")
# Words that stand for others in names: "the Minister of Health" speaks for the department.
SAME_WORDS = {
    **{"st": "saint", "ste": "sainte"},
    **dict.fromkeys(("ministry", "minister"), "department"),
    **{"ministre": "ministere", "defense": "defence"},
}
POSTAL_CODE = re.compile(r"\b[A-Z]\d[A-Z] ?\d[A-Z]\d\b", re.IGNORECASE)
# Other words that stand after "in" or "à" with a capital letter.
NOT_PLACES = word_set(
    """
    january february march april may june july august september october november december spring summer autumn fall
    winter monday tuesday wednesday thursday friday saturday sunday christmas easter celsius fahrenheit english french
    janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre lundi mardi mercredi jeudi
    vendredi samedi dimanche noel paques francais anglais i my the your our this that
    canada federal government gouvernement
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

    @property
    def is_covered(self) -> bool:
        return any(self.values.values())

    def label(self, language: Language) -> str:
        french = language == "fr"
        name, within = (french and self.french) or self.name, (french and self.within_french) or self.within
        return f"{name} ({within})" if within else name


@dataclass(frozen=True, slots=True)
class FoundName:
    """A row that a question names. `instead_of`: another well-known one of its name, which may be meant as well."""

    item: NamedItem
    instead_of: NamedItem | None = None


@dataclass(frozen=True, slots=True)
class NameMention:
    """The possible meanings of words `begin` to `end` of a question.

    `joined`: "and" stands before them. `negated`: "not" does.
    """

    begin: int
    end: int
    joined: bool
    negated: bool
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
        return tuple(found.item for found in self.resolve(question))

    def resolve(self, question: str) -> tuple[FoundName, ...]:
        """Returns what the question names, with what else it may mean."""
        every = list(self._mentions(question))
        mentions = [each for each in every if not each.negated] or every  # "not Vancouver, Victoria"
        regions = {folded(row.name) for mention in mentions for row in mention.meanings}
        candidates = [(mention, choose_meaning(mention.meanings, regions)) for mention in mentions]
        candidates = [(at, located(row, at, candidates)) for at, row in candidates]
        own = (
            FoundName(row, namesake(row, at.meanings, regions))
            for at, row in candidates
            if not any(is_location_of(row, at, other, it) for other, it in candidates)
        )
        return tuple(dict.fromkeys(own))[:NAMED_LIMIT]

    def names_anything(self, question: str) -> bool:
        """Tells whether the question has a name of the table, or one that a complete table lacks."""
        return bool(self.find(question)) or self.unknown_name(question) is not None

    def find_within(self, question: str, regions: Sequence[NamedItem]) -> tuple[FoundName, ...]:
        """Returns the places of the question's names that are in one of the regions: Paris, in Ontario."""
        wanted = {region.name for region in regions}
        rows = (row for mention in self._mentions(question) for row in mention.meanings if row.within in wanted)
        return tuple(dict.fromkeys(FoundName(row) for row in rows))[:NAMED_LIMIT]

    def named(self, name: str) -> NamedItem | None:
        """Returns the greatest row with exactly this name."""
        rows = self._index.get(tuple(normalised_words(name)), ())
        return max(rows, key=lambda row: (row.is_covered, row.weight), default=None)

    def well_known_names(self) -> Iterator[str]:
        """Yields the names of regions, and of rows that are names in any spelling."""
        for entries in self._index.values():
            for row in entries:
                if row.is_covered and (not row.weight or row.weight >= WELL_KNOWN):
                    yield from filter(None, (row.name, row.french))

    def without_names(self, question: str) -> str:
        """Returns the question without what it names."""
        spans = [match.span() for match in islice(WORD.finditer(question), WORDS_LIMIT)]
        kept = question
        for mention in reversed(list(self._mentions(question))):
            kept = kept[: spans[mention.begin][0]] + kept[spans[mention.end - 1][1] :]
        return kept

    def unknown_name(self, question: str) -> str | None:
        """Returns a name after "in" or "à", or a postal code, that a complete table lacks."""
        if not self.strict or self.find(question):
            return None
        if code := POSTAL_CODE.search(question):
            return code[0].upper()
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
        at, last_end = 0, -1
        while at < len(words):
            mention = self._mention(words, question_words, at, follows=at == last_end)
            if mention is not None:
                last_end = mention.end
                yield mention
            at = mention.end if mention is not None else at + 1

    def _mention(
        self, words: Sequence[str], question_words: Sequence[str], at: int, *, follows: bool
    ) -> NameMention | None:
        """`follows`: another name ends right before."""
        for end in range(min(len(words), at + self._longest), at, -1):
            key = tuple(words[at:end])
            if key in self._index and self._counts(key, question_words, at, end, follows=follows):
                before = words[at - 1] if at else ""
                return NameMention(at, end, before in CONJUNCTIONS, before in NEGATIONS, self._index[key])
        return None

    def _counts(self, key: NameKey, question_words: Sequence[str], at: int, end: int, *, follows: bool) -> bool:
        """Tells whether these words are meant as a name. A state's code counts only behind a place: "Vancouver, WA"."""
        if key in self._acronyms:
            is_state = all(is_region_abroad(row) and row.within for row in self._index[key])
            return all(word.isupper() for word in question_words[at:end]) and (follows or not is_state)
        if follows and all(not row.weight for row in self._index[key]):
            return True  # "london england"
        if len(key) > 1 or any(row.weight >= WELL_KNOWN for row in self._index[key]):
            return True
        if end - at == len(question_words):
            return True  # "Gaspé?"
        begins_sentence = at == 0
        return (question_words[at][0].isupper() and not begins_sentence) or (
            at > 0
            and without_accents(question_words[at - 1].lower()) in PLACE_PREPOSITIONS
            and len(question_words[at]) > 2
        )


def folded(name: str) -> str:
    return without_accents(name.lower())


def choose_meaning(meanings: Sequence[NamedItem], regions: Set[str]) -> NamedItem:
    """Returns the row in a region that the question names, else one at home that is well known, else the greatest."""
    rows = [row for row in meanings if folded(row.within) in regions] or meanings
    at_home = max((row for row in rows if row.is_covered), key=lambda row: row.weight, default=None)
    if at_home is not None and at_home.weight >= WELL_KNOWN:
        return at_home
    return max(rows, key=lambda row: row.weight)


def namesake(row: NamedItem, meanings: Sequence[NamedItem], regions: Set[str]) -> NamedItem | None:
    """Returns the greatest other place of the name that may be meant, unless the question names the region of `row`.

    That is a greater one abroad, or a well-known one at home: Saint-Jean is in two provinces.
    """
    if not row.is_covered or folded(row.within) in regions:
        return None
    others = (other for other in meanings if other != row and may_be_meant(other, row))
    return max(others, key=lambda other: other.weight, default=None)


def may_be_meant(other: NamedItem, row: NamedItem) -> bool:
    return WELL_KNOWN <= other.weight if other.is_covered else other.weight > row.weight > 0


def is_region_abroad(row: NamedItem) -> bool:
    return not row.is_covered and not row.weight


def located(row: NamedItem, at: NameMention, candidates: Sequence[tuple[NameMention, NamedItem]]) -> NamedItem:
    """Returns the row, or a place abroad if a region abroad stands right behind its name: "Vancouver, Washington"."""
    for other, _ in candidates:
        region = next((each for each in other.meanings if is_region_abroad(each)), None)
        if region is not None and other.begin == at.end and not other.joined and row.within != region.name:
            return NamedItem(row.name, region.name, 0, {}, row.french, region.french)
    return row


def is_location_of(region: NamedItem, at: NameMention, place: NameMention, row: NamedItem) -> bool:
    """Tells whether `region` only locates `row`: a province, or "Québec" right behind its name."""
    if row == region:
        return False
    if folded(row.within) == folded(region.name):
        return not region.weight or (at.begin - place.end in (0, 1) and not at.joined)
    return bool(row.weight) and not region.weight and at.begin == place.end and not at.joined  # "Moncton, Ontario"


def split_words(text: str) -> list[str]:
    return WORD.findall(text)[:WORDS_LIMIT]


def normalised_words(text: str) -> list[str]:
    words = [without_accents(word.lower()) for word in split_words(text)]
    return [SAME_WORDS.get(word, word) for word in words]


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
