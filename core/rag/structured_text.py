"""Writes a document's passages as one text, and finds the structure in such a text again. Pure.

Files travel as text between being read and being asked about. Their headings, tables and code must survive that,
because a passage without its heading or its table's header means little.

Text that people paste takes the same way, and may be anything. So a heading counts only where `write_structured` puts
one, between empty lines: a "# comment" above a line of code stays a part of that code. No character of other text is
changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from core.rag.documents import Block, Passage

SEPARATOR = " › "  # between the headings of a passage
LEVELS = 6
HEADING = re.compile(r"(#{1,6}) +(\S.*)")
FENCE = re.compile(r"(`{3,})[^`\n]*(?:\n|\Z)")
TABLE_START = re.compile(r"(\|.*\|)[ \t]*\n(\|[ \t:|-]+\|)[ \t]*\n(?=\|.*\|[ \t]*(?:\n|\Z))")
ROW = re.compile(r"(\|.*\|)[ \t]*(?:\n|\Z)")
PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n(?:[^\S\n]*\n[^\S\n]*\n)*")  # one or more empty lines


def write_structured(passages: Iterable[Passage]) -> str:
    """Returns the passages with their headings, each heading once, at its level."""
    parts: list[str] = []
    above: list[str] = []
    details: tuple[datetime | None, str | None] = (None, None)
    for passage in passages:
        path = passage.heading.split(SEPARATOR) if passage.heading else []
        same = next((at for at, pair in enumerate(zip(path, above, strict=False)) if pair[0] != pair[1]), len(above))
        parts += [f"{'#' * min(at + 1, LEVELS)} {path[at]}" for at in range(min(same, len(path)), len(path))]
        if (passage.published_at, passage.link) != details:
            details = (passage.published_at, passage.link)
            day = f"{passage.published_at:%Y-%m-%d}" if passage.published_at else ""
            parts += [each for each in (day, passage.link) if each]
        parts.append(passage.text)
        above = path
    return "\n\n".join(parts)


def read_structured(text: str) -> Iterator[Block]:
    """Yields the blocks of a text, one by one because there may be many."""
    start = 0
    while start < len(text):
        if fence := FENCE.match(text, start):
            block, start = read_code(text, start, fence)
            yield block
            continue
        end = PARAGRAPH_END.search(text, start)
        paragraph = text[start : end.start() if end else len(text)]
        start = end.end() if end else len(text)
        if paragraph.strip():
            yield from read_paragraph(paragraph)


def read_code(text: str, start: int, fence: re.Match[str]) -> tuple[Block, int]:
    """Returns fenced code, which may contain empty lines, and the place after it. Unclosed code ends with the text."""
    closing = re.compile(rf"^{fence[1]}`*[ \t]*(?:\n|\Z)", re.MULTILINE).search(text, fence.end())
    code = text[fence.end() : closing.start() if closing else len(text)]
    end = closing.end() if closing else len(text)
    while end < len(text) and text[end] == "\n":
        end += 1
    return Block("code", code.removesuffix("\n")), end


def read_paragraph(paragraph: str) -> Iterator[Block]:
    if heading := HEADING.fullmatch(paragraph):
        yield Block("heading", heading[2], len(heading[1]))
    elif table := TABLE_START.match(paragraph):
        header, end = f"{table[1]}\n{table[2]}", table.end()
        while row := ROW.match(paragraph, end):
            yield Block("row", row[1], header=header)
            end = row.end()
        if end < len(paragraph):
            yield Block("paragraph", paragraph[end:])
    else:
        yield Block("paragraph", paragraph)
