"""What every reader of documents makes of one: headings, paragraphs, items, rows, in reading order. Values only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "paragraph", "item", "row", "code"]

SPACE = re.compile(r"[^\S\n]+")
BREAKS = re.compile(r" ?\n[ \n]*")
# Controls, fillers, letters that are drawn by nobody, and what steers the direction of text: no reader sees them, so
# no model should, and nothing that a model writes may hide in them. What joins and colours emoji stays.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
UNPAIRED = re.compile("[\ud800-\udfff]")
CELLS_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of text that belongs together. Its text is Markdown, without its own mark: no "# ", no "- "."""

    kind: Kind
    text: str
    level: int = 0  # a heading's, from 1; how deep an item is nested, from 0
    header: str = ""  # of a row: the lines above its table's first row, repeated wherever the table is cut


def line(text: str) -> str:
    """On one line."""
    return " ".join(visible(text).split())


def lines(text: str) -> str:
    """Blank space collapsed, line breaks kept, no empty lines."""
    return BREAKS.sub("\n", SPACE.sub(" ", visible(text))).strip()


def visible(text: str) -> str:
    """Without characters that a reader does not see, and without halves of characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return UNPAIRED.sub("\ufffd", UNSEEN.sub("", text))


def row(cells: Sequence[str]) -> str:
    """One row of a Markdown table."""
    shown = [line(cell).replace("|", "\\|") for cell in cells[:CELLS_LIMIT]]
    return f"| {' | '.join(shown)} |"


def table(rows: Iterable[Sequence[str]], head: Sequence[str] | None) -> list[Block]:
    """`head`: the names of the columns, if it has any."""
    header = f"{row(head)}\n{row(['---'] * len(head[:CELLS_LIMIT]))}" if head else ""
    return [Block("row", row(cells), header=header) for cells in rows]
