"""Renders a table of a message as a Markdown table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

COLUMNS_LIMIT = 30
SPAN_LIMIT = 100
REPEATED_CHARS = 200  # of the text of a cell that spans rows
REPEATED_CELLS_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class TableCell:
    text: str
    columns: int = 1
    rows: int = 1


def parse_span(value: str) -> int:
    """The value of `colspan` or `rowspan`. Invalid values count as 1."""
    is_number = value.isascii() and value.isdigit() and len(value) < 5
    return min(int(value) or 1, SPAN_LIMIT) if is_number else 1


def render_table(rows: Sequence[Sequence[TableCell]]) -> str:
    """The first row is the header, because a Markdown table has one. A cell that spans rows is repeated in each."""
    lines = align_rows(rows)
    width = max((len(line) for line in lines), default=0)
    if not width:
        return ""
    padded = [[*line, *[""] * (width - len(line))] for line in lines]
    header, *body = [render_row(line) for line in padded]
    return "\n".join([header, render_row(["---"] * width), *body])


def align_rows(rows: Sequence[Sequence[TableCell]]) -> list[list[str]]:
    """The texts of each row by column, with the cells that reach into it from rows above."""
    above: dict[int, tuple[str, int]] = {}  # by column: text, and the number of rows that it still spans
    budget, aligned = REPEATED_CELLS_LIMIT, []
    for row in rows:
        line: list[str] = []
        budget -= take_above(line, above, budget)
        for cell in row:
            if len(line) >= COLUMNS_LIMIT:
                break
            for offset in range(min(cell.columns, COLUMNS_LIMIT - len(line))):
                text = "" if offset else cell.text
                if cell.rows > 1:
                    above[len(line)] = (text[:REPEATED_CHARS], cell.rows - 1)
                line.append(text)
            budget -= take_above(line, above, budget)
        if line:
            aligned.append(line)
    return aligned


def take_above(line: list[str], above: dict[int, tuple[str, int]], budget: int) -> int:
    """Adds the cells from above at the end of the line. Returns their number."""
    taken = 0
    while len(line) in above and len(line) < COLUMNS_LIMIT:
        text, left = above.pop(len(line))
        if left > 1:
            above[len(line)] = (text, left - 1)
        line.append(text if taken < budget else "")
        taken += 1
    return taken


def render_row(texts: Sequence[str]) -> str:
    cells = (" ".join(text.split()).replace("|", "\\|") for text in texts)
    return f"| {' | '.join(cells)} |"
