"""The parts of a document. Values only. Their text comes from strangers: data to answer from, never an instruction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.contract import Language, Omission

BlockKind = Literal["heading", "paragraph", "item", "row", "record", "code"]
DocumentKind = Literal["page", "feed", "text", "table"]

BLANKS = re.compile(r"[^\S\n]+")
LINE_BREAKS = re.compile(r" ?\n[ \n]*")
# Controls, fillers, unprintable letters and direction marks. A reader does not see them, so the model must not either,
# and nothing that a model writes may hide in them. Joiners and colours of emoji stay.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
LONE_SURROGATES = re.compile("[\ud800-\udfff]")
PASSAGE_LIMIT_CHARS = 1200  # about 300 tokens: ten of them fit into the window of a small model


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list item, table row or code block. `text` is Markdown without "# " or "- ".

    Parsers make rows; `core.rag.passages` makes records of rows that are too wide.
    """

    kind: BlockKind
    text: str
    level: int = 0  # heading: 1 or more; list item: its nesting depth, from 0
    marker: str = "-"  # list item: the bullet or number that a reader sees before it, such as "2." or "(a)"
    header: str = ""  # table row: the lines above the table's first row, repeated wherever the table is cut


def one_line(text: str) -> str:
    """Returns the visible text on one line."""
    return " ".join(visible_text(text).split())


def collapse_blanks(text: str) -> str:
    """Collapses blanks, keeps line breaks, drops empty lines."""
    return LINE_BREAKS.sub("\n", BLANKS.sub(" ", visible_text(text))).strip()


def visible_text(text: str) -> str:
    """Removes characters that a reader does not see; replaces lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return LONE_SURROGATES.sub("\ufffd", INVISIBLE.sub("", text))


def table_row(cells: Sequence[str]) -> str:
    """Returns one row of a Markdown table, with all its cells."""
    escaped = [one_line(cell).replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def table_blocks(rows: Iterable[Sequence[str]], head: Sequence[str] | None) -> list[Block]:
    """Returns a block for each row. `head`: the names of the columns, if the table has them."""
    header = f"{table_row(head)}\n{table_row(['---'] * len(head))}" if head else ""
    return [Block("row", table_row(cells), header=header) for cells in rows]


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document that can be read alone, at most PASSAGE_LIMIT_CHARS long."""

    text: str  # Markdown, without images
    heading: str = ""  # the headings above it, outermost first: "Leave › Parental leave"
    link: str | None = None  # feed entry: the address of its whole text
    published_at: datetime | None = None  # feed entry; aware

    @property
    def size_chars(self) -> int:
        """The length of all that is rendered."""
        return len(self.text) + len(self.heading) + len(self.link or "")


@dataclass(frozen=True, slots=True)
class Document:
    """A document in reading order. A feed has its newest entry first; a long entry makes several passages."""

    title: str
    passages: tuple[Passage, ...]
    kind: DocumentKind
    language: Language | None = None  # declared, else detected; None: neither English nor French
    url: str | None = None  # the address for people
    omissions: tuple[Omission, ...] = ()
    feed_url: str | None = None  # of a page: the feed that it declares
