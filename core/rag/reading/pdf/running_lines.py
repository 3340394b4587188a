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
from statistics import median

from core.rag.documents import Block
from core.rag.reading.pdf.lines import Line

EDGE_LINES, EDGE_SHARE = 2, 0.25  # at the top and at the bottom; but no more of the page's lines
EDGE_CHARS = 300  # a longer line is text
GAP = 1.6  # of the size, between these lines and the text
REPEATED = 3  # pages
LARGER = 1.1  # times the size of most lines
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
    body_size = median(line.size for page in pages for line in page.lines) if any(page.lines for page in pages) else 0
    edges = {page.number: edge_lines(page) for page in pages}
    keys = {id(line): [*line_keys(line, page.number, body_size)] for page in pages for line in edges[page.number]}
    counts = Counter(key for each in keys.values() for key in each)
    seen: set[str] = set()
    for page in pages:
        running = []
        for line in edges[page.number]:
            repeated = [key for key in keys[id(line)] if counts[key] >= REPEATED]
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
    """Returns the lines that stand apart at the page's top and bottom. The header of a table is none: it may repeat."""
    ordered = sorted((line for line in page.lines if line.upright), key=lambda line: line.baseline)
    count = min(EDGE_LINES, int(EDGE_SHARE * len(ordered)))
    rows = {id(line) for line, below in pairwise(ordered) if line.cells and below.cells}
    found = [*lines_apart(ordered[: count + 1]), *lines_apart(ordered[::-1][: count + 1])]
    return [line for line in found if id(line) not in rows and len(line.text) <= EDGE_CHARS]


def lines_apart(lines: Sequence[Line]) -> Sequence[Line]:
    """Returns the first lines up to a gap, from the page's edge inwards; none if there is no gap."""
    for index, (line, inner) in enumerate(pairwise(lines), 1):
        if abs(inner.baseline - line.baseline) > GAP * max(line.size, inner.size):
            return lines[:index]
    return []


def line_keys(line: Line, page_number: int, body_size: float) -> Iterator[str]:
    """Yields what the line has in common with that of other pages: its text, and its text with a number that counts.

    A larger line with a number is a heading: "Question 3".
    """
    text = line.text
    yield text
    if line.size > LARGER * body_size:
        return
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
