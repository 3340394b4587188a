"""Collects the blocks of one part of an RTF file: its body, a note, a box, a header. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.rag.documents import Block, collapse_blanks, one_line
from core.rag.passages import HEADING_LIMIT_CHARS
from core.rag.reading.office.grid import GridCell, GridRow, flat_text, grid_blocks
from core.rag.reading.office.inline_text import InlineText, TextLook


@dataclass(frozen=True, slots=True)
class ParagraphFormat:
    """What `\\pard` resets. `heading_level`: from 1; 0 for text."""

    heading_level: int = 0
    list_level: int = 0
    is_in_table: bool = False
    is_title: bool = False


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
    _rows: list[GridRow] = field(default_factory=list)

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

    def begin_row(self, *, is_header: bool = False) -> None:
        self._is_header = is_header

    def end_row(self) -> None:
        self._rows.append(GridRow(self._cells, self._is_header))
        self._cells = []

    def _end_table(self) -> None:
        if self._cells or self._cell:
            self._cells.append(GridCell(self._cell))
            self._cell = []
            self.end_row()
        if self._rows:
            self.blocks += grid_blocks(self._rows)
            self._rows = []

    def end(self) -> None:
        self.end_paragraph(ParagraphFormat())
