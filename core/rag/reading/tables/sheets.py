"""The sheets of a workbook as values, and the tables that stand on a sheet. Pure. Knows no file format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.contract import Omission
from core.rag.documents import PASSAGE_LIMIT_CHARS, Block, table_blocks
from core.rag.reading.office.comments import Comment
from core.rag.reading.raw_document import ReadingLimits
from core.rag.reading.table_layout import (
    COLUMNS_LIMIT,
    ROWS_LIMIT,
    Cells,
    TableLayout,
    can_name,
    cell_kind,
    find_header,
    join_cells,
)
from core.rag.wide_rows import HEADER_LIMIT_CHARS

CELLS_LIMIT = 250_000  # of all sheets
TALL_CELLS_LIMIT = 10_000  # of a sheet; more are shown as they stand
CELL_BORDER_CHARS, RULE_CHARS = 3, 6  # of a cell, and of the line below its column's name
TallCell = tuple[int, int, int]  # merged cells: their first column, first row and last row, from 0
SparseRow = tuple[int, Mapping[int, str]]  # the row's number, and its filled cells by column; all from 0


@dataclass(slots=True)
class Sheet:
    """A visible sheet. `rows`: only those with filled cells. `total_rows`: the number of all, 0 if unknown."""

    name: str
    rows: list[SparseRow]
    is_cut: bool = False  # rows are missing at its end
    total_rows: int = 0
    comments: list[Comment] = field(default_factory=list)
    drawn_texts: list[str] = field(default_factory=list)  # of text boxes
    tall_cells: list[TallCell] = field(default_factory=list)

    def add_tall(self, cell: TallCell) -> None:
        if len(self.tall_cells) < TALL_CELLS_LIMIT:
            self.tall_cells.append(cell)


@dataclass(frozen=True, slots=True)
class Workbook:
    sheets: list[Sheet]
    hidden_sheets: int = 0


class RowBudget:
    """The limits that the sheets of a workbook share. A reader stops where they are spent."""

    def __init__(self, limits: ReadingLimits, rows: int = ROWS_LIMIT, cells: int = CELLS_LIMIT) -> None:
        self._limits = limits
        self._rows_left, self._cells_left = rows, cells
        self._chars = 0.0
        self._widest = self._names_chars = 0  # of the widest row so far, which is its table's header

    def is_spent(self) -> bool:
        return self._rows_left <= 0 or self._cells_left <= 0 or self._limits.reached(int(self._chars))

    def take(self, cells: Mapping[int, str]) -> None:
        self._rows_left -= 1
        self._cells_left -= len(cells)
        chars = sum(map(len, cells.values())) + CELL_BORDER_CHARS * (len(cells) + 1)
        if len(cells) > self._widest:
            self._widest, self._names_chars = len(cells), chars
        self._chars += self._shown_chars(chars)

    def _shown_chars(self, chars: int) -> float:
        """Estimates the size of a row in passages, which repeat the columns' names above rows or beside each value."""
        header_chars = self._names_chars + RULE_CHARS * self._widest
        if header_chars > HEADER_LIMIT_CHARS or header_chars + chars > PASSAGE_LIMIT_CHARS:
            return chars + self._names_chars
        return chars * PASSAGE_LIMIT_CHARS / (PASSAGE_LIMIT_CHARS - header_chars - chars / 2)


@dataclass(frozen=True, slots=True)
class Region:
    """Rows without an empty row between them, from the row `start`. `columns`: those with any text."""

    start: int
    columns: tuple[int, ...]
    rows: Sequence[Mapping[int, str]]

    def cells(self, columns: Sequence[int]) -> list[Cells]:
        return [[row.get(column, "") for column in columns] for row in self.rows]


def find_regions(rows: Iterable[SparseRow]) -> Iterator[Region]:
    """Splits a sheet where rows are empty."""
    pending: list[Mapping[int, str]] = []
    last = None
    for number, cells in rows:
        if pending and last is not None and number > last + 1:
            yield build_region(last, pending)
            pending = []
        pending.append(cells)
        last = number
    if pending and last is not None:
        yield build_region(last, pending)


def build_region(last: int, rows: Sequence[Mapping[int, str]]) -> Region:
    """`last`: the number of the last row."""
    return Region(last - len(rows) + 1, tuple(sorted({column for row in rows for column in row})), rows)


def sheet_blocks(sheet: Sheet) -> tuple[list[Block], tuple[Omission, ...]]:
    """Returns the sheet's tables and texts in reading order, and tells which columns are left out."""
    blocks: list[Block] = []
    table: Region | None = None
    header: list[str] | None = None
    width = 0
    for region in find_regions(sheet.rows):
        width = max(width, len(region.columns))
        if table and header and continues_table(region, table):
            blocks += table_blocks(region.cells(table.columns), header)
        elif len(region.columns) == 1:
            blocks += [Block("paragraph", text) for cells in region.rows for text in cells.values()]
        else:
            table, layout = region, find_header(region.cells(region.columns[:COLUMNS_LIMIT]))
            header = layout.header
            blocks += region_blocks(layout)
    omissions = (Omission("columns", COLUMNS_LIMIT, width),) if width > COLUMNS_LIMIT else ()
    return blocks, omissions


def region_blocks(layout: TableLayout) -> list[Block]:
    """Returns the text above the table, and its rows. Pairs without a header are labels and values: text as well."""
    is_form = layout.header is None and all(map(is_pair, layout.rows))
    texts = [*layout.preamble, *(layout.rows if is_form else ())]
    table = [] if is_form else table_blocks(layout.rows, layout.header)
    return [*(Block("paragraph", join_cells(cells)) for cells in texts if any(cells)), *table]


def is_pair(cells: Cells) -> bool:
    """Tells whether a label and its value fill the row, or several pairs whose labels end with a colon."""
    label = next(filter(None, cells), "")
    return label.endswith(":") or (len(cells) == 2 and label == cells[0] and cell_kind(label) is None)


def continues_table(region: Region, table: Region) -> bool:
    """Tells whether the rows belong to the table above the empty row: its columns hold them, without a header."""
    if len(table.columns) > COLUMNS_LIMIT or not set(region.columns) <= set(table.columns):
        return False
    first_column = table.columns[0] in region.columns
    if len(region.rows) == 1:
        return first_column and len(region.columns) > 1
    cells = region.cells(region.columns)
    if len(region.columns) == 1 or not first_column or find_header(cells).preamble:
        return False
    has_data = any(map(cell_kind, (cell for row in cells[1:] for cell in row)))
    return not can_name(cells[0], cells[1]) or (not has_data and region.columns == table.columns)


def column_letters(column: int) -> str:
    """Returns "A" for 0, "AA" for 26."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
