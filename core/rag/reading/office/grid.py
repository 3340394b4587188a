"""Tables of documents as blocks: which rows name the columns, what is a caption, what only lays out text. Pure.

Shared by formats whose cells hold blocks of their own and may span columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile

from core.rag.documents import Block, one_line, table_blocks
from core.rag.reading.table_layout import cell_at, cell_kind, has_labels, is_group_row
from core.rag.wide_rows import split_cells

COLUMNS_LIMIT = 63  # Word's own; a hostile cell claims to span millions
CELL_LIMIT_CHARS = 800  # a longer cell is text that a table lays out


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell. The columns that it spans beyond its first one are empty."""

    blocks: Sequence[Block] = ()
    columns: int = 1

    @property
    def text(self) -> str:
        return one_line(flat_text(self.blocks))

    @property
    def is_layout(self) -> bool:
        """Tells whether it holds headings, a table of several rows or long text, which a cell would deform."""
        rows = sum(block.kind == "row" for block in self.blocks)
        return rows > 1 or any(block.kind == "heading" for block in self.blocks) or len(self.text) > CELL_LIMIT_CHARS


@dataclass(frozen=True, slots=True)
class GridRow:
    cells: Sequence[GridCell]
    is_header: bool = False

    @property
    def width(self) -> int:
        return sum(cell.columns for cell in self.cells)

    @property
    def texts(self) -> list[str]:
        """The text of each column. A cell that spans columns is in the first of them."""
        return [text for cell in self.cells for text in (cell.text, *[""] * (cell.columns - 1))]

    @property
    def is_caption(self) -> bool:
        return len([cell for cell in self.cells if cell.text]) == 1 and self.cells[0].columns == self.width > 1

    @property
    def blocks(self) -> list[Block]:
        return [block for cell in self.cells for block in cell.blocks]


def grid_blocks(rows: Sequence[GridRow]) -> list[Block]:
    """Returns a table's blocks. A row that spans the table above its header is a caption.

    The header is all first rows that are marked as such, else the first row if it has no labels of values. A table of
    one column is text in a frame.
    """
    kept = [row for row in rows if any(row.texts)]
    if max((row.width for row in kept), default=0) < 2:
        return [block for row in kept for block in row.blocks]
    captions = list(takewhile(lambda row: row.is_caption, kept[:-2]))
    table = kept[len(captions) :]
    header = header_rows(table)
    head = join_header(header) if header and not any(cell.is_layout for row in header for cell in row.cells) else None
    body = table[len(header) :] if head else table
    return [*(block for row in captions for block in row.blocks), *row_blocks(body, head)]


def header_rows(table: Sequence[GridRow]) -> list[GridRow]:
    marked = list(takewhile(lambda row: row.is_header, table))
    if len(table) < 2 or 1 < len(marked) < len(table):
        return marked if len(marked) < len(table) else []
    if not marked and has_labels(table[0].texts):
        return []
    first = [row.texts for row in table[:3]]
    has_groups = len(first) > 2 and (is_group_row(*first) or spans_names(*table[:2]))
    return list(table[: 2 if has_groups else 1])


def spans_names(groups: GridRow, names: GridRow) -> bool:
    """Tells whether the second row names the columns that cells of the first row span, and stands under no others."""
    spanned = [cell.columns > 1 for cell in groups.cells for _ in range(cell.columns)]
    named = [bool(text) for text in spread_texts(groups)]
    below = [cell_at(names.texts, column) for column in range(groups.width)]
    is_alike = all(
        is_spanned == bool(text) for is_spanned, is_named, text in zip(spanned, named, below, strict=True) if is_named
    )
    return (
        is_alike
        and any(map(all, zip(spanned, named, strict=True)))
        and all(cell_kind(text) in (None, "year") for text in below)
    )


def join_header(rows: Sequence[GridRow]) -> list[str]:
    """Returns the names of the columns. One that spans columns is a part of the names below it."""
    last = rows[-1].texts
    texts = [spread_texts(row) for row in rows[:-1]] + [last]
    columns = range(max(map(len, texts)))
    return [" ".join(filter(None, (cell_at(each, column) for each in texts))) for column in columns]


def spread_texts(row: GridRow) -> list[str]:
    """Returns the text of each column, in all columns that a cell spans."""
    return [text for cell in row.cells for text in [cell.text] * cell.columns]


def row_blocks(rows: Sequence[GridRow], head: Sequence[str] | None) -> list[Block]:
    """Returns the rows. What a cell lays out stands between them, in reading order."""
    blocks: list[Block] = []
    for is_layout, alike in groupby(rows, key=lambda row: any(cell.is_layout for cell in row.cells)):
        if is_layout:
            blocks += table_blocks([head], None) if head and not blocks else []
            blocks += (block for row in alike for block in row.blocks)
        else:
            blocks += table_blocks((row.texts for row in alike), head)
    return blocks


def flat_text(blocks: Sequence[Block]) -> str:
    """Returns blocks as one text. Cells of a table in a cell are separated by commas, its rows by semicolons."""
    parts: list[str] = []
    for before, block in zip((None, *blocks), blocks, strict=False):
        row = before is not None and before.kind == block.kind == "row"
        if block.kind == "row":
            head = [] if row and before and before.header == block.header else block.header.split("\n")[:1]
            lines = [", ".join(filter(None, split_cells(line))) for line in (*head, block.text) if line]
            parts.append("; ".join(lines) + ";")
        else:
            parts.append(f"{block.marker} {block.text}" if block.kind == "item" else block.text)
    return "\n".join(parts).rstrip(";")
