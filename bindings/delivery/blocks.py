"""Code fences and tables in Markdown, line by line: what is open at a place, and what closes it. Knows no pages.

Every search is linear in the text, whatever the text. Fences are seen at any indentation and in lists and quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

PREFIX = r"(?:[ \t>]|(?:[-*+]|\d{1,9}[.)])[ \t])*+"  # of a line: a quote's signs, and a list's bullets
FENCE = re.compile(rf"^({PREFIX})(`{{3,}}|~{{3,}})([^\n]*)$", re.M)
LEAVES_QUOTE = re.compile(r"^[ \t]*(?:[^ \t>\n]|\n)", re.M)  # a line that is complete enough to tell
BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
DELIMITER_CELL = re.compile(r":?-+:?")
INFO_LIMIT_CHARS = 40


@dataclass(frozen=True, slots=True)
class Fence:
    """A code block from its opening line, at `start`, to the end of its closing line; open if that has not come."""

    start: int
    end: int
    prefix: str  # before the run: indentation, a list's bullet, a quote's sign
    run: str  # "```", "~~~~"
    info: str
    is_open: bool

    @property
    def margin(self) -> str:
        """What its other lines begin with."""
        return "".join(char if char in "> \t" else " " for char in self.prefix)

    @property
    def closing(self) -> str:
        return self.margin + self.run

    @property
    def opening(self) -> str:
        """Of its continuation elsewhere, at no indentation."""
        margin = self.margin if ">" in self.margin else ""
        info = self.info.strip()
        return f"{margin}{self.run}{info if len(info) <= INFO_LIMIT_CHARS else ''}\n"

    @property
    def indentation(self) -> int:
        """How many characters each line has to lose at no indentation."""
        return 0 if ">" in self.margin else len(self.margin)


def fences(text: str) -> list[Fence]:
    """In order; only the last one can be open."""
    found: list[Fence] = []
    opened: re.Match[str] | None = None
    left_at = -1  # where the quote ends that an open fence is in
    for line in FENCE.finditer(text):
        if opened and ">" in opened[1] and (left_at := end_of_quote(text, opened.end(), left_at)) <= line.start():
            found.append(fence(opened, left_at))
            opened = None
        if opened is None:
            opened = line if opens(line) else None
        elif closes(line, opened[2]):
            found.append(fence(opened, line.end()))
            opened = None
    if opened:
        left_at = end_of_quote(text, opened.end(), left_at) if ">" in opened[1] else len(text) + 1
        found.append(fence(opened, min(left_at, len(text)), is_open=left_at > len(text)))
    return found


def fence(opened: re.Match[str], end: int, *, is_open: bool = False) -> Fence:
    return Fence(opened.start(), end, opened[1], opened[2], opened[3], is_open)


def opens(line: re.Match[str]) -> bool:
    """Three backticks and later another one are code within a line."""
    return not (line[2][0] == "`" and "`" in line[3])


def closes(line: re.Match[str], run: str) -> bool:
    return line[2].startswith(run) and not line[3].strip() and not bullets(line[1])


def bullets(prefix: str) -> str:
    """`prefix` if a list's bullet is in it; "" for mere blanks and a quote's signs."""
    return prefix if prefix.strip("> \t") else ""


def end_of_quote(text: str, at: int, known: int) -> int:
    """The first line after `at` that is in no quote. `known` is the answer to the question before this one."""
    if known >= at:
        return known
    line = LEAVES_QUOTE.search(text, at + 1)
    return line.start() if line else len(text) + 1


def reserve(text: str) -> str:
    """As long as any closing that a beginning of `text` may need: so that a page never shrinks while text is added."""
    return max((closing(line) for line in FENCE.finditer(text)), key=len, default="")


def closing(line: re.Match[str]) -> str:
    return f"\n{fence(line, 0).closing}"


def open_table(text: str) -> str:
    """The header and delimiter rows, at no indentation, of the table whose rows `text` ends with; "" if with none."""
    start = max((blank.end() for blank in BLANK_LINE.finditer(text)), default=0)
    lines = text[start:].split("\n")
    for above, below in pairwise(lines):
        if "|" in above and is_delimiter(below):
            return f"{above.strip()}\n{below.strip()}\n"
    return ""


def is_delimiter(line: str) -> bool:
    """As in `|---|:--:|`."""
    if "|" not in line or "-" not in line:
        return False
    cells = line.strip(" \t>").strip("|").split("|")
    return all(DELIMITER_CELL.fullmatch(cell.strip()) for cell in cells)


def splits_header(text: str, at: int) -> bool:
    """Whether the line border `at` parts a table's header, its delimiter row and its first row."""
    above, below = line_before(text, at), line_at(text, at)
    return is_delimiter(above) or ("|" in above and is_delimiter(below))


def line_at(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[at : end if end >= 0 else len(text)]


def line_before(text: str, at: int) -> str:
    """The line that ends with the line end at text[at - 1]."""
    return text[text.rfind("\n", 0, at - 1) + 1 : at - 1]


def indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def dedented(text: str, columns: int) -> tuple[str, bool]:
    """`columns` less indentation, up to the first line that has less (the first line may). And whether to the end."""
    if not columns:
        return text, False
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number and line.strip() and indentation(line) < columns:
            return "\n".join(lines), False
        lines[number] = line[min(columns, indentation(line)) :]
    return "\n".join(lines), True


def outside_code(spans: list[Fence], places: Iterator[int]) -> Iterator[int]:
    """Those of the ascending `places` that are in none of the spans."""
    remaining = iter(spans)
    span = next(remaining, None)
    for place in places:
        while span and span.end < place:
            span = next(remaining, None)
        if not span or place <= span.start:
            yield place
