"""Reads the tables of a Word file: merged cells once, without deleted rows and cells. Pure.

ECMA-376, part 1, chapter 17.4. Rows and cells may stand in content controls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from core.rag.documents import Block
from core.rag.reading.office.grid import COLUMNS_LIMIT, GridCell, GridRow, grid_blocks
from core.rag.reading.office.zip_package import Element
from core.rag.reading.word.names import VAL, W, is_on, number_of, visible_children

ROWS, CELLS = frozenset((f"{W}tr",)), frozenset((f"{W}tc",))
ReadBlocks = Callable[[Element], list[Block]]


def read_table(table: Element, read_blocks: ReadBlocks) -> list[Block]:
    """`read_blocks` reads what a cell holds."""
    return grid_blocks([read_row(row, read_blocks) for row in visible_children(table, ROWS) if is_shown(row)])


def is_shown(row: Element) -> bool:
    properties = row.find(f"{W}trPr")
    if properties is None:
        return True
    return properties.find(f"{W}del") is None and not is_on(properties.find(f"{W}hidden"))


def read_row(row: Element, read_blocks: ReadBlocks) -> GridRow:
    properties = row.find(f"{W}trPr")
    before = min(number_of(properties, "gridBefore"), COLUMNS_LIMIT)
    is_header = properties is not None and is_on(properties.find(f"{W}tblHeader"))
    cells = islice(read_cells(row, read_blocks), COLUMNS_LIMIT)
    return GridRow([GridCell()] * before + list(cells), is_header)


def read_cells(row: Element, read_blocks: ReadBlocks) -> Iterator[GridCell]:
    for cell in visible_children(row, CELLS):
        properties = cell.find(f"{W}tcPr")
        if properties is not None and properties.find(f"{W}cellDel") is not None:
            continue
        columns = max(1, min(number_of(properties, "gridSpan", default=1), COLUMNS_LIMIT))
        yield GridCell(() if continues_cell(properties) else read_blocks(cell), columns)


def continues_cell(properties: Element | None) -> bool:
    """Tells whether this cell is a part of the one above it, or before it."""
    if properties is None:
        return False
    merges = [properties.find(f"{W}{name}") for name in ("vMerge", "hMerge")]
    tracked = properties.find(f"{W}cellMerge")
    return any(merge is not None and merge.get(VAL, "continue") == "continue" for merge in merges) or (
        tracked is not None and tracked.get(f"{W}vMerge") == "cont"
    )
