"""Code fences and tables in Markdown: the constructs open at a position, and their closings. Knows no pages.

Every search takes linear time for any text. Fences count at any indentation, and inside lists and quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

PREFIX = r"(?:[ \t>]|(?:[-*+]|\d{1,9}[.)])[ \t])*+"  # the quote signs and list markers that begin a line
FENCE = re.compile(rf"^({PREFIX})(`{{3,}}|~{{3,}})([^\n]*)$", re.M)
QUOTE_END = re.compile(r"^[ \t]*(?:[^ \t>\n]|\n)", re.M)  # a line outside the quote, long enough to be certain
BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
DELIMITER_CELL = re.compile(r":?-+:?")
INFO_LIMIT_CHARS = 40


@dataclass(frozen=True, slots=True)
class Fence:
    """A code block from its opening line, at `start`, to the end of its closing line. Open if that line is missing."""

    start: int
    end: int
    prefix: str  # before the run: indentation, list markers, quote signs
    run: str  # "```", "~~~~"
    info: str
    is_open: bool

    @property
    def margin(self) -> str:
        """The beginning of the block's other lines."""
        return "".join(char if char in "> \t" else " " for char in self.prefix)

    @property
    def closing(self) -> str:
        return self.margin + self.run

    @property
    def opening(self) -> str:
        """The opening line that continues the block on the next page, without indentation."""
        margin = self.margin if ">" in self.margin else ""
        info = self.info.strip()
        return f"{margin}{self.run}{info if len(info) <= INFO_LIMIT_CHARS else ''}\n"

    @property
    def indentation(self) -> int:
        """The number of characters to remove from each line when the block continues without indentation."""
        return 0 if ">" in self.margin else len(self.margin)


def find_fences(text: str) -> list[Fence]:
    """All code blocks, in order; only the last one can be open."""
    fences: list[Fence] = []
    opened: re.Match[str] | None = None
    quote_end = -1  # the end of the quote around an open fence
    for line in FENCE.finditer(text):
        if opened and ">" in opened[1] and (quote_end := end_of_quote(text, opened.end(), quote_end)) <= line.start():
            fences.append(build_fence(opened, quote_end))
            opened = None
        if opened is None:
            opened = line if is_opening(line) else None
        elif is_closing(line, opened[2]):
            fences.append(build_fence(opened, line.end()))
            opened = None
    if opened:
        quote_end = end_of_quote(text, opened.end(), quote_end) if ">" in opened[1] else len(text) + 1
        fences.append(build_fence(opened, min(quote_end, len(text)), is_open=quote_end > len(text)))
    return fences


def build_fence(opened: re.Match[str], end: int, *, is_open: bool = False) -> Fence:
    return Fence(opened.start(), end, opened[1], opened[2], opened[3], is_open)


def is_opening(line: re.Match[str]) -> bool:
    """True if a fence line opens a block: three backticks with another one on the line are inline code."""
    return not (line[2][0] == "`" and "`" in line[3])


def is_closing(line: re.Match[str], run: str) -> bool:
    return line[2].startswith(run) and not line[3].strip() and not list_markers(line[1])


def list_markers(prefix: str) -> str:
    """`prefix` if it contains a list marker; "" if it has only blanks and quote signs."""
    return prefix if prefix.strip("> \t") else ""


def end_of_quote(text: str, at: int, known_end: int) -> int:
    """The first line after `at` outside any quote. `known_end` is the result of the previous call, to save a search."""
    if known_end >= at:
        return known_end
    line = QUOTE_END.search(text, at + 1)
    return line.start() if line else len(text) + 1


def longest_closing(text: str) -> str:
    """The longest closing that any beginning of `text` may need, so that a page never shrinks while text is added."""
    return max((f"\n{build_fence(line, 0).closing}" for line in FENCE.finditer(text)), key=len, default="")


def open_table(text: str) -> str:
    """The header and delimiter rows of the table that `text` ends in, without indentation; "" if there is none."""
    start = max((blank.end() for blank in BLANK_LINE.finditer(text)), default=0)
    lines = text[start:].split("\n")
    for above, below in pairwise(lines):
        if "|" in above and is_delimiter(below):
            return f"{above.strip()}\n{below.strip()}\n"
    return ""


def is_delimiter(line: str) -> bool:
    """True if a line is a table's delimiter row, as in `|---|:--:|`."""
    if "|" not in line or "-" not in line:
        return False
    cells = line.strip(" \t>").strip("|").split("|")
    return all(DELIMITER_CELL.fullmatch(cell.strip()) for cell in cells)


def splits_header(text: str, at: int) -> bool:
    """True if the line border `at` separates a table's header, its delimiter row and its first row."""
    above, below = line_before(text, at), line_at(text, at)
    return is_delimiter(above) or ("|" in above and is_delimiter(below))


def line_at(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[at : end if end >= 0 else len(text)]


def line_before(text: str, at: int) -> str:
    """The line whose line end is text[at - 1]."""
    return text[text.rfind("\n", 0, at - 1) + 1 : at - 1]


def indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def dedent(text: str, columns: int) -> tuple[str, bool]:
    """Removes `columns` of indentation up to the first line that has less; the first line may have less.

    Returns the text, and whether all lines were dedented.
    """
    if not columns:
        return text, False
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number and line.strip() and indentation(line) < columns:
            return "\n".join(lines), False
        lines[number] = line[min(columns, indentation(line)) :]
    return "\n".join(lines), True


def outside_code(spans: list[Fence], places: Iterator[int]) -> Iterator[int]:
    """The `places`, in ascending order, that lie in none of the spans."""
    remaining = iter(spans)
    span = next(remaining, None)
    for place in places:
        while span and span.end < place:
            span = next(remaining, None)
        if not span or place <= span.start:
            yield place
