"""One table of a Markdown text as Slack's table block. Pure.

Slack allows one table block in a message, of at most 100 rows and 20 columns. All other tables stay Markdown.

https://docs.slack.dev/reference/block-kit/blocks/table-block
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bindings.delivery.blocks import find_fences, is_delimiter

ROWS_LIMIT = 100  # the header included
COLUMNS_LIMIT = 20
CELLS_CHARS = 10_000  # of all cells; Slack's limit for data tables, and none is documented for this block
EMPTY_CELL = "\u00a0"  # Slack refuses a cell without text
CELL_BORDER = re.compile(r"(?<!\\)\|")
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
STYLED = re.compile(r"(`+)(?P<code>.+?)\1|\*\*(?P<bold>\S(?:.*?\S)?)\*\*|__(?P<strong>\S(?:.*?\S)?)__")


@dataclass(frozen=True, slots=True)
class SplitTable:
    """A text around its only table."""

    before: str
    block: dict[str, Any]
    after: str


def split_table(markdown: str) -> SplitTable | None:
    """The text before and after its table, and the table's block. None: no table, several, or one beyond the limits."""
    if "|" not in markdown:
        return None
    lines = markdown.split("\n")
    starts = table_starts(markdown, lines)
    if len(starts) != 1:
        return None
    start = starts[0]
    end = next((n for n in range(start + 2, len(lines)) if "|" not in lines[n]), len(lines))
    rows = [split_row(line) for line in (lines[start], *lines[start + 2 : end])]
    if not is_within_limits(rows):
        return None
    before, after = "\n".join(lines[:start]).strip("\n"), "\n".join(lines[end:]).strip("\n")
    return SplitTable(before, build_table(rows, split_row(lines[start + 1])), after)


def table_starts(markdown: str, lines: Sequence[str]) -> list[int]:
    """The numbers of the lines that begin tables, outside code. A table in a quote or a list stays where it is."""
    fences, starts, at = find_fences(markdown), [], 0
    for number, (line, below) in enumerate(pairwise(lines)):
        if "|" in line and is_delimiter(below) and is_header(line, below):
            starts += [] if any(fence.start <= at <= fence.end for fence in fences) else [number]
        at += len(line) + 1
    return starts


def is_header(line: str, delimiter: str) -> bool:
    plain = not delimiter.lstrip(" ").startswith(">") and len(delimiter) - len(delimiter.lstrip()) < 4
    return plain and len(split_row(line)) == len(split_row(delimiter))


def split_row(line: str) -> list[str]:
    """The cells of a row. The outer borders are optional."""
    row = line.strip()
    row = row.removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    return [cell.strip().replace("\\|", "|") for cell in CELL_BORDER.split(row)]


def is_within_limits(rows: Sequence[Sequence[str]]) -> bool:
    chars = sum(len(cell) for row in rows for cell in row)
    return len(rows) <= ROWS_LIMIT and len(rows[0]) <= COLUMNS_LIMIT and chars <= CELLS_CHARS


def build_table(rows: Sequence[Sequence[str]], delimiters: Sequence[str]) -> dict[str, Any]:
    """Rows get the number of cells of the header: missing ones are empty, and more are dropped, as in Markdown."""
    columns = len(rows[0])
    cells = [[build_cell(cell) for cell in (*row, *[""] * columns)[:columns]] for row in rows]
    settings = [{"align": alignment(each), "is_wrapped": True} for each in delimiters]
    return {"type": "table", "rows": cells, "column_settings": settings}


def alignment(delimiter: str) -> str:
    if delimiter.endswith(":"):
        return "center" if delimiter.startswith(":") else "right"
    return "left"


def build_cell(cell: str) -> dict[str, Any]:
    """A cell without styles is text that Slack does not parse. Neither kind of cell can ping."""
    if not STYLED.search(cell):
        return {"type": "raw_text", "text": ESCAPED.sub(r"\1", cell) or EMPTY_CELL}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": styled_parts(cell)}]}


def styled_parts(cell: str) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    at = 0
    for match in STYLED.finditer(cell):
        parts += text_part(ESCAPED.sub(r"\1", cell[at : match.start()]))
        if match["code"]:
            parts += text_part(match["code"], "code")
        else:
            parts += text_part(ESCAPED.sub(r"\1", match["bold"] or match["strong"]), "bold")
        at = match.end()
    return [*parts, *text_part(ESCAPED.sub(r"\1", cell[at:]))]


def text_part(text: str, style: str = "") -> list[dict[str, Any]]:
    """No part for an empty text, which Slack refuses."""
    return [{"type": "text", "text": text, **({"style": {style: True}} if style else {})}] if text else []
