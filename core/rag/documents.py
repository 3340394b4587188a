"""What is read from a page, a feed or a file: a document in passages. Values only.

Everything in them comes from somebody else: it is data to answer from, and never an instruction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.contract import Language

BlockKind = Literal["heading", "paragraph", "item", "row", "code"]

BLANKS = re.compile(r"[^\S\n]+")
LINE_BREAKS = re.compile(r" ?\n[ \n]*")
# Controls, fillers, letters that are drawn by nobody, and what steers the direction of text: no reader sees them, so
# no model should, and nothing that a model writes may hide in them. What joins and colours emoji stays.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
LONE_SURROGATES = re.compile("[\ud800-\udfff]")
CELLS_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of text that belongs together. Its text is Markdown, without its own mark: no "# ", no "- "."""

    kind: BlockKind
    text: str
    level: int = 0  # a heading's, from 1; how deep an item is nested, from 0
    header: str = ""  # of a row: the lines above its table's first row, repeated wherever the table is cut


def one_line(text: str) -> str:
    """On one line."""
    return " ".join(visible_text(text).split())


def collapse_blanks(text: str) -> str:
    """Blank space collapsed, line breaks kept, no empty lines."""
    return LINE_BREAKS.sub("\n", BLANKS.sub(" ", visible_text(text))).strip()


def visible_text(text: str) -> str:
    """Without characters that a reader does not see, and without halves of characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return LONE_SURROGATES.sub("\ufffd", INVISIBLE.sub("", text))


def table_row(cells: Sequence[str]) -> str:
    """One row of a Markdown table."""
    shown = [one_line(cell).replace("|", "\\|") for cell in cells[:CELLS_LIMIT]]
    return f"| {' | '.join(shown)} |"


def table_blocks(rows: Iterable[Sequence[str]], head: Sequence[str] | None) -> list[Block]:
    """`head`: the names of the columns, if it has any."""
    header = f"{table_row(head)}\n{table_row(['---'] * len(head[:CELLS_LIMIT]))}" if head else ""
    return [Block("row", table_row(cells), header=header) for cells in rows]


PASSAGE_LIMIT_CHARS = 1200  # about 300 tokens: some ten of them fit into a small model's window


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece that can be read by itself, at most PASSAGE_LIMIT_CHARS long."""

    text: str  # Markdown, without images
    heading: str = ""  # the headings that it stands under, outermost first: "Leave › Parental leave"
    link: str | None = None  # of a feed's entry: where the whole of it can be read
    published_at: datetime | None = None  # of a feed's entry; aware

    @property
    def size_chars(self) -> int:
        """Of all that is shown of it."""
        return len(self.text) + len(self.heading) + len(self.link or "")


@dataclass(frozen=True, slots=True)
class Document:
    """In reading order; a feed's entries newest first, one passage each unless they are long."""

    title: str
    passages: tuple[Passage, ...]
    kind: Literal["page", "feed", "text", "table"]
    language: Language | None = None  # as it says of itself, else as it reads; None: neither English nor French
    url: str | None = None  # where a person can open it
    cut: bool = False  # its end is not here: it is longer than what is read
