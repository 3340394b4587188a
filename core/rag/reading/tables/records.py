"""The table of a sheet as records: the rows of a job, each of which is read alone. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from core.rag.reading.table_layout import COLUMNS_LIMIT, Cells, find_header
from core.rag.reading.tables.sheets import Region, Sheet, column_letters, continues_table, find_regions

TallTexts = Mapping[tuple[int, int], str]  # by row and column


def sheet_records(sheet: Sheet) -> tuple[list[Cells], int]:
    """Returns the first table of the sheet, its header first, and the number of rows that are not in it."""
    regions = list(find_regions(sheet.rows))
    if not regions:
        return [], 0
    start = find_table(regions)
    table, rest = regions[start], regions[start + 1 :]
    columns = table.columns[:COLUMNS_LIMIT]
    layout = find_header(table.cells(columns))
    above = len(table.rows) - len(layout.rows)
    tall = tall_texts(sheet, table.start + above)
    parts = [table, *(each for each in rest if continues_table(each, table))]
    rows = [cells for part in parts for cells in filled_rows(part, columns, tall)][above:]
    header = [name_columns(layout.header, columns)] if layout.header else []
    return [*header, *rows], sum(len(each.rows) for each in rest if not continues_table(each, table))


def find_table(regions: Sequence[Region]) -> int:
    """Returns the place of the first table with a header.

    A list of one column is a table if the sheet has no wider one; else it is a title or a note.
    """
    named = [index for index, region in enumerate(regions) if find_header(region.cells(region.columns)).header]
    wide = (index for index in named if len(regions[index].columns) > 1)
    return next(wide, named[0] if named else 0)


def tall_texts(sheet: Sheet, first: int) -> TallTexts:
    """Returns the texts of merged cells for the rows below their first one. `first`: the table's first row of data."""
    rows = dict(sheet.rows)
    last = max(rows, default=0)
    return {
        (row, column): rows[top][column]
        for column, top, bottom in sheet.tall_cells
        if top >= first and column in rows.get(top, {})
        for row in range(top + 1, min(bottom, last) + 1)
    }


def filled_rows(region: Region, columns: Sequence[int], tall: TallTexts) -> Iterator[Cells]:
    """Yields the rows. Each has the text of a merged cell that it shares with others."""
    for number, row in enumerate(region.rows, region.start):
        yield [row.get(column) or tall.get((number, column), "") for column in columns]


def name_columns(header: Sequence[str], columns: Sequence[int]) -> list[str]:
    """Names columns without a name by their letter, and adds it to names that occur twice."""
    count = Counter(header)
    letters = map(column_letters, columns)
    return [
        letter if not name else f"{name} ({letter})" if count[name] > 1 else name
        for name, letter in zip(header, letters, strict=True)
    ]
