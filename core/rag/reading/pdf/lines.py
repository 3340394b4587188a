"""Puts the words of a PDF page together to lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from core.rag.reading.pdf.words import SMALL, Word
from core.rag.reading.raised_text import lowered, raised

LEADER = re.compile(r"(?: ?\.){4,}")  # the dots before a page number
CLOSERS = ",.;:!?)]}»’”"
SAME_LINE = 0.5  # of the text's size: a raised or lowered word is nearer than another line
OVERLAP = 0.4  # of the size, by which accents, kerning and slanted letters reach into each other
WIDE_GAP, CELL_GAP = 2.0, 0.8  # of the size: certainly between cells; so if lines nearby have such gaps too
SHIFT, TOUCH = 0.08, 0.15  # of the size: so far up or down, and so near, is notation
MARKER = re.compile(
    r"[•▪◦●○■□–—‣➢✓✔*-]|o|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)]|\d{1,2}(?:\.\d{1,2}){1,4}\.?"
)  # of an item
BLANK = 0.5  # of the size: the widest ordinary blank


@dataclass(slots=True)
class Line:
    """A line of text, or a row of a table if it has `cells`."""

    words: list[Word]
    cells: list[str] = field(default_factory=list)
    text: str = ""
    left: float = 0.0
    right: float = 0.0
    baseline: float = 0.0
    size: float = 0.0  # of most of its text

    def __post_init__(self) -> None:
        self.text = words_text(self.words)
        longest = max(self.words, key=lambda word: len(word.text))
        self.size, self.baseline = longest.size, longest.baseline
        self.left = min(word.left for word in self.words)
        self.right = max(word.right for word in self.words)

    @property
    def is_split(self) -> bool:
        """Tells whether its last word goes on in the next line."""
        return self.words[-1].split and not self.cells

    @property
    def upright(self) -> bool:
        return self.words[0].upright


def build_lines(words: Iterable[Word]) -> list[Line]:
    """Returns the lines in the order of the content stream."""
    lines: list[list[Word]] = []
    for word in words:
        if lines and continues(lines[-1], word):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [Line(each) for each in lines]


def continues(line: Sequence[Word], word: Word) -> bool:
    """Tells whether the word stands on this line, behind its last word."""
    last = line[-1]
    size = max(last.size, line[0].size, word.size)
    near = min(abs(word.baseline - last.baseline), abs(word.baseline - line[0].baseline))
    return (
        not last.split
        and last.upright == word.upright
        and near < SAME_LINE * min(size, 2 * word.size)
        and word.left > last.right - OVERLAP * size
    )


def words_text(words: Sequence[Word]) -> str:
    """Joins words by blanks. A leader of dots becomes "…"; a word that goes on in the next line keeps its hyphen."""
    parts = [words[0].text] if words else []
    for last, word in pairwise(words):
        touches = word.glued or (word.text[0] in CLOSERS and word.left - last.right < 0.1 * word.size)
        parts.append(f"{'' if touches else ' '}{word.text}" if not is_notation(last, word) else notation(last, word))
    text = "".join(parts) + ("-" if words and words[-1].split else "")
    return LEADER.sub(" … ", text).strip() if ".." in text or ". ." in text else text


def is_notation(last: Word, word: Word) -> bool:
    """Tells whether the word is small, and stands above or below the line at the end of the word before."""
    return (
        word.size < SMALL * last.size
        and abs(word.baseline - last.baseline) > SHIFT * last.size
        and word.left - last.right < TOUCH * last.size
    )


def notation(last: Word, word: Word) -> str:
    """Returns the word with its position: "⁶", "₂"."""
    write = raised if word.baseline < last.baseline else lowered
    return write(word.text, last.text)


def wide_gaps(line: Line, least: float = CELL_GAP) -> list[int]:
    """Returns the indexes of the words that stand far from the word before them, as cells do.

    `least`: the narrowest such gap, as a multiple of the size, in a line that has ordinary blanks too.
    """
    gaps = [word.left - last.right for last, word in pairwise(line.words)]
    if not gaps:
        return []
    blank = min(gaps)
    first = 2 if MARKER.fullmatch(line.words[0].text) else 1  # the text of an item stands far from its number
    limit = least if blank < BLANK * line.size else WIDE_GAP
    return [
        index
        for index, gap in enumerate(gaps[first - 1 :], first)
        if gap > limit * line.size and (gap > 2.5 * blank or gap > WIDE_GAP * line.size)
    ]


def split_at(words: Sequence[Word], indexes: Sequence[int]) -> list[list[Word]]:
    edges = [0, *indexes, len(words)]
    return [list(words[start:end]) for start, end in pairwise(edges) if start < end]
