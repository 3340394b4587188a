"""Turns table rows that are too wide for a passage into records: each value stands beside its column's name. Pure.

    | Region | 2025 Plan | … 40 columns |        Region: East
    | --- | --- | …                     |   →    2025 Plan: 12
    | East | 12 | …                     |        …

Of a record that does not fit into a passage, each further part begins with the record's first value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.rag.documents import Block

HEADER_LIMIT_CHARS = 400  # of a table's header, which each of its passages repeats
KEY_LIMIT_CHARS = 160  # of the first value, which each part of a record repeats
NAME_LIMIT_CHARS = 300
CELL_BORDER = re.compile(r"(?<!\\)\|")


def is_wide_row(block: Block, limit_chars: int) -> bool:
    """Tells whether the row, or the header of its table, is too long to be shown as a row."""
    if block.kind != "row" or not block.header:
        return False
    too_long = len(block.header) + len(block.text) + 1 > limit_chars
    return too_long or len(block.header) > min(HEADER_LIMIT_CHARS, limit_chars // 2)


def split_record(block: Block, limit_chars: int) -> Iterator[Block]:
    """Yields the row as records of at most `limit_chars`."""
    names = split_cells(block.header.partition("\n")[0])
    lines = record_lines(names, split_cells(block.text), limit_chars // 2)
    key = next(lines, "")
    repeated = shorten(key, KEY_LIMIT_CHARS)
    text = key
    for line in lines:
        if len(text) + 1 + len(line) > limit_chars:
            yield Block("record", text)
            text = repeated
        text += f"\n{line}"
    if text:
        yield Block("record", text)


def record_lines(names: list[str], values: list[str], limit_chars: int) -> Iterator[str]:
    """Yields "name: value" for each filled cell. Of a long value, each part has the name."""
    for index, value in enumerate(values):
        name = shorten(names[index], NAME_LIMIT_CHARS) if index < len(names) else ""
        label = f"{name}: " if name else ""
        for part in split_value(value, limit_chars - len(label)):
            yield f"{label}{part}"


def shorten(text: str, limit_chars: int) -> str:
    return text if len(text) <= limit_chars else f"{text[: limit_chars - 1]}…"


def split_value(value: str, room: int) -> Iterator[str]:
    """Splits between words if it can."""
    while len(value) > room:
        space = value.rfind(" ", room // 2, room)
        end = space if space > 0 else room
        yield value[:end].rstrip()
        value = value[end:].lstrip()
    if value:
        yield value


def split_cells(row: str) -> list[str]:
    """Returns the cells of a row of Markdown."""
    inner = row.strip().removeprefix("|")
    if CELL_BORDER.search(inner[-2:]):
        inner = inner[:-1]
    return [cell.strip().replace("\\|", "|") for cell in CELL_BORDER.split(inner)]
