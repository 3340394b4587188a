"""Counts the items of a document's lists, and writes each number as its reader sees it: "2.", "(a)", "Step 3:". Pure.

Shared by formats that store how a list is numbered, but not its numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.rag.reading.numerals import NumeralFormat, format_numeral

BULLET = "-"
LAST_LEVEL = 9
PATTERN_LIMIT_CHARS = 100  # a hostile pattern would be repeated with each item
PLACE = re.compile(r"%(10|[1-9])")


@dataclass(frozen=True, slots=True)
class ListLevel:
    """One level of a list, from 0. `pattern` has the numbers of levels, from 1: "%1.%2)"."""

    pattern: str
    numeral: NumeralFormat | None = "decimal"  # None: this level shows no number
    is_bullet: bool = False
    start: int = 1
    restarts_after: int = LAST_LEVEL + 1  # counted anew after a level of at most this number, from 1; 0: never
    is_legal: bool = False  # all numbers of its pattern are decimal
    style_id: str = ""  # Word: paragraphs of this style have this level

    def write(self, number: int, *, legal: bool) -> str:
        return format_numeral(number, "decimal" if legal else self.numeral) if self.numeral else ""


@dataclass(slots=True)
class NumberedList:
    """A list, and its counts by level. `starts`: levels that this list begins at a number, once."""

    levels: dict[int, ListLevel]
    counts: dict[int, int] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)

    def advance(self, level: int) -> str:
        """Counts an item of this level, and returns its number; BULLET for a bullet, "" for no mark."""
        own = self.levels.get(level)
        if own is None:
            return BULLET
        self._count(level, own)
        if own.is_bullet:
            return BULLET
        pattern = own.pattern[:PATTERN_LIMIT_CHARS]
        return PLACE.sub(lambda place: self._write(int(place[1]) - 1, own), pattern).strip()

    def _count(self, level: int, own: ListLevel) -> None:
        if level in self.starts:
            self.counts[level] = self.starts.pop(level)
        else:
            self.counts[level] = self.counts.get(level, own.start - 1) + 1
        for deeper in [each for each in self.counts if each > level]:
            if level < self.levels.get(deeper, own).restarts_after:
                del self.counts[deeper]

    def _write(self, level: int, own: ListLevel) -> str:
        shown = self.levels.get(level)
        return shown.write(self.counts.get(level, shown.start), legal=own.is_legal) if shown else ""
