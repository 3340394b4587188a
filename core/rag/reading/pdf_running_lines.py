"""Removes the headers, footers and page numbers that repeat from page to page. Pure.

Nothing is lost: a line goes only if the same text stands at the edge of an earlier page. A number in it may differ, if
it counts the pages. So "Total 1,234" at the end of each page of a table stays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from core.rag.documents import Block
from core.rag.reading.pdf_lines import Line

EDGE_LINES, EDGE_SHARE = 2, 0.25  # at the top and at the bottom; but no more of the page's lines
REPEATED = 3  # pages
NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?![\w,]|\.\d)")
LONE_NUMBER = re.compile(r"[-–—|\s]*(?P<number>\d{1,4}|[ivxlc]{1,7})[-–—|\s]*", re.IGNORECASE)
ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


@dataclass(slots=True)
class PageText:
    """`label`: the page's printed number, if it is not its place in the file, such as "iv"."""

    number: int
    label: str
    lines: list[Line]
    notes: list[Block] = field(default_factory=list)  # its free text, form fields and comments


def drop_running_lines(pages: Sequence[PageText]) -> None:
    counts = Counter(key for page in pages for line in edge_lines(page) for key in line_keys(line.text, page.number))
    seen: set[str] = set()
    for page in pages:
        running = []
        for line in edge_lines(page):
            repeated = [key for key in line_keys(line.text, page.number) if counts[key] >= REPEATED]
            if number := lone_number(line.text, repeated):
                page.label = page.label or number
            elif not seen.intersection(repeated):
                seen.update(repeated)
                continue
            running.append(id(line))
        page.lines = [line for line in page.lines if id(line) not in running] or page.lines
        if page.label == str(page.number):
            page.label = ""


def edge_lines(page: PageText) -> list[Line]:
    """Returns the lines at the page's top and bottom. Rows of a table are none: its header may repeat."""
    ordered = sorted((line for line in page.lines if line.upright), key=lambda line: line.baseline)
    count = min(EDGE_LINES, int(EDGE_SHARE * len(ordered)))
    rows = {id(line) for line, below in pairwise(ordered) if line.cells and below.cells}
    return [line for line in (*ordered[:count], *ordered[len(ordered) - count :]) if id(line) not in rows]


def line_keys(text: str, page_number: int) -> Iterator[str]:
    """Yields what the line has in common with that of other pages: its text, and its text with a number that counts."""
    yield text
    for match in NUMBER.finditer(text):
        yield f"{text[: match.start()]}<{int(match[0]) - page_number:+}>{text[match.end() :]}"
    if (lone := LONE_NUMBER.fullmatch(text)) and not lone["number"].isdigit():
        yield f"<roman{roman_value(lone['number']) - page_number:+}>"


def lone_number(text: str, repeated: Sequence[str]) -> str:
    """Returns the page's number if the line is nothing else."""
    match = LONE_NUMBER.fullmatch(text)
    return match["number"] if match and any("<" in key for key in repeated) else ""


def roman_value(numeral: str) -> int:
    values = [ROMAN[letter] for letter in numeral.lower()]
    return sum(-value if value < max(values[index:]) else value for index, value in enumerate(values))
