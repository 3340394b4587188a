"""Reads the bookmarks of a PDF: the titles of its sections, with their pages and levels. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from core.rag.reading.pdf.paragraphs import HEADING_CHARS, HEADING_LEVELS, plain_title
from core.rag.reading.pdf.running_lines import PageText

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

BOOKMARKS_LIMIT = 3000
TITLE_SIZE = 1.3  # times the size of most text


def read_outline(pdf: PdfDocument) -> Mapping[int, Mapping[str, int]]:
    """Returns the levels of titles, from 1, by the page's number and the title's letters."""
    outline: dict[int, dict[str, int]] = defaultdict(dict)
    for bookmark in islice(pdf.get_toc(), BOOKMARKS_LIMIT):
        destination = bookmark.get_dest()
        index = destination.get_index() if destination else None
        title = plain_title(bookmark.get_title())
        if index is not None and title:
            outline[index + 1].setdefault(title, min(bookmark.level + 1, HEADING_LEVELS))
    return outline


def first_heading(pages: Sequence[PageText]) -> str:
    """Returns the largest text of the first page, if it is larger than most; else ""."""
    lines = [line for line in pages[0].lines if not line.cells and line.upright] if pages else []
    if len(lines) < 2:
        return ""
    sizes = sorted(round(line.size, 1) for line in lines)
    if sizes[-1] < TITLE_SIZE * sizes[len(sizes) // 2] and sizes[-1] < TITLE_SIZE * sizes[0]:
        return ""
    return " ".join(line.text for line in lines if round(line.size, 1) == sizes[-1])[:HEADING_CHARS]
