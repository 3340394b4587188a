"""Tables of Markdown, which Discord does not know, as columns of plain text. Pure."""

from __future__ import annotations

import re

# In linear time: what a `+` after a quantifier took is not given back.
RULE = re.compile(r"\s*+(?:\|\s*+)?:?-++:?\s*+(?:\|\s*+:?-++:?\s*+)++\|?\s*+$|\s*+\|\s*+:?-++:?\s*+\|\s*+$")
SEPARATOR = re.compile(r"(?<!\\)\|")
CELL_LIMIT_CHARS = 60


def rows_at(lines: list[str], at: int) -> int:
    """How many lines the table takes that begins there: a head, a rule, rows; 0 if none does."""
    if "|" not in lines[at] or at + 1 >= len(lines) or not RULE.match(lines[at + 1]):
        return 0
    end = at + 2
    while end < len(lines) and "|" in lines[end] and lines[end].strip():
        end += 1
    return end - at


def aligned(lines: list[str]) -> list[str]:
    """A table's lines with each column as wide as its widest cell."""
    rows = [cells(line) for index, line in enumerate(lines) if index != 1]
    columns = len(rows[0])
    rows = [[*row, *[""] * columns][:columns] for row in rows]
    widths = [min(CELL_LIMIT_CHARS, max(len(row[column]) for row in rows)) for column in range(columns)]
    head, *body = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return [head, "  ".join("-" * width for width in widths), *body]


def cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip().replace("\\|", "|") for cell in SEPARATOR.split(inner)]
