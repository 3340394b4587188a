"""Collects the blocks of one part of an RTF file: its body, a note, a box, a header. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from core.rag.documents import Block, collapse_blanks, one_line
from core.rag.passages import HEADING_LIMIT_CHARS
from core.rag.reading.office.grid import COLUMNS_LIMIT, GridCell, GridRow, flat_text, grid_blocks
from core.rag.reading.office.inline_text import InlineText, TextLook


@dataclass(frozen=True, slots=True)
class ParagraphFormat:
    """The formatting that `\\pard` resets. `heading_level`: from 1; 0 for text."""

    heading_level: int = 0
    list_level: int = 0
    is_in_table: bool = False
    is_title: bool = False


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row of a table, with the right edges of its cells."""

    cells: list[GridCell]
    is_header: bool
    edges: list[int]


@dataclass(slots=True)
class BlockCollector:
    blocks: list[Block] = field(default_factory=list)
    title: str = ""  # the first paragraph that is formatted as one
    _line: InlineText = field(default_factory=InlineText)
    _marker: str = ""  # of the item that is being read
    _after: list[Block] = field(default_factory=list)  # notes and boxes, which follow the paragraph or the table
    _is_header: bool = False  # the row that is being read names the columns
    _cell: list[Block] = field(default_factory=list)
    _cells: list[GridCell] = field(default_factory=list)
    _edges: list[int] = field(default_factory=list)  # the right edges of the row's cells, in twentieths of a point
    _rows: list[PlacedRow] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of it on one line. Ends the collection."""
        self.end()
        return one_line(flat_text(self.blocks))

    def add(self, text: str, look: TextLook) -> None:
        self._line.add(text, look)

    def mark_item(self, marker: str) -> None:
        """A sign alone is a bullet."""
        shown = marker.strip()
        self._marker = shown if any(map(str.isalnum, shown)) else "-"

    def add_after(self, blocks: list[Block]) -> None:
        self._after += blocks

    def end_paragraph(self, form: ParagraphFormat) -> None:
        blocks = self._take_paragraph(form)
        if form.is_in_table:
            self._cell += blocks
            return
        self._end_table()
        self.blocks += blocks + self._after
        self._after = []

    def _take_paragraph(self, form: ParagraphFormat) -> list[Block]:
        text, marker = collapse_blanks(self._line.end()), self._marker
        self._line, self._marker = InlineText(), ""
        if not text:
            return []
        if form.is_title and not self.title:
            self.title = one_line(text)
        if form.heading_level:
            heading = one_line(f"{marker if marker != '-' else ''} {text}")
            # The headings above a passage are shortened. A long one is text too.
            whole = [Block("paragraph", heading)] if len(heading) > HEADING_LIMIT_CHARS else []
            return [Block("heading", heading, form.heading_level), *whole]
        return [Block("item", text, form.list_level, marker) if marker else Block("paragraph", text)]

    def end_cell(self, form: ParagraphFormat) -> None:
        blocks = self._take_paragraph(form)
        self._cells.append(GridCell([*self._cell, *blocks]))
        self._cell = []

    def begin_row(self) -> None:
        self._is_header, self._edges = False, []

    def mark_header(self) -> None:
        self._is_header = True

    def add_edge(self, edge: int) -> None:
        self._edges.append(edge)

    def end_row(self) -> None:
        self._rows.append(PlacedRow(self._cells, self._is_header, self._edges))
        self._cells = []

    def _end_table(self) -> None:
        if self._cells or self._cell:
            self._cells.append(GridCell(self._cell))
            self._cell = []
            self.end_row()
        if self._rows:
            self.blocks += grid_blocks(grid_rows(self._rows))
            self._rows = []

    def end(self) -> None:
        self.end_paragraph(ParagraphFormat())


def grid_rows(rows: list[PlacedRow]) -> list[GridRow]:
    """The row with the most cells shows where the columns end, and so how many of them each cell spans."""
    widest = max(rows, key=lambda row: len(row.cells))
    return [
        GridRow(list(map(GridCell, (cell.blocks for cell in row.cells), widths(row, widest))), row.is_header)
        for row in rows
    ]


def widths(row: PlacedRow, widest: PlacedRow) -> list[int]:
    """Returns the number of columns of each cell; 1 where the edges tell nothing."""
    columns, count = widest.edges, len(row.cells)
    is_known = len(columns) == len(widest.cells) <= COLUMNS_LIMIT and len(row.edges) == count
    if not is_known or count == len(columns):
        return [1] * count
    ends = [min(range(len(columns)), key=lambda index: abs(columns[index] - edge)) for edge in row.edges]
    found = [end - before for before, end in pairwise([-1, *ends])]
    return found if min(found, default=1) > 0 else [1] * count
