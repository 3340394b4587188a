"""Finds the parts of a table in its rows: the text above it, the names of its columns, and its data. Pure.

Spreadsheets, CSV and tables of pages share it. A cell is a string; an empty one is "".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.rag.documents import Block, table_blocks

Cells = Sequence[str]
CellKind = Literal["year", "whole", "date", "data"]

ROWS_LIMIT = 50_000  # of a document
COLUMNS_LIMIT = 1000
LOOKED_AT_ROWS = 30  # a header stands above them
NAME_LIMIT_CHARS = 120  # longer cells name a column only above much shorter ones, as the questions of a survey do
QUESTION_LIMIT_CHARS = 500
YEAR = re.compile(r"(?:19|20)\d\d")
WHOLE = re.compile(r"\d{1,4}")
DATE = re.compile(r"\d{4}-\d\d?(?:-\d\d?)?(?:[T ].*)?|\d\d?[/.-]\d\d?[/.-]\d{2,4}(?: .*)?")
# An amount, a percentage, a time or a telephone number. "0-14" is a group, and may name a column.
DATA = re.compile(
    r"[-+(]?\s*[$€£¥]?\s*[-+]?\d[\d\s,.'\u00a0\u202f]*[%$€£¥]?\)?|\d\d?:\d\d(?::\d\d)?(?:\s?[ap]\.?m\.?)?"
    r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}",
    re.IGNORECASE,
)
THOUSANDS = re.compile(r"[(\[][$€£]?\s?['’]?0{3}s?\s?[$€£]?[)\]]")  # "($000)" looks like an amount
TRUTH = frozenset(("true", "false", "vrai", "faux"))
# "(000s)", "°C", "$ millions", "km/h", "m³/s"
UNIT = re.compile(
    r"[(\[][^()\[\]]{1,40}[)\]]|[%$€£°].{0,15}|.{0,15}[%$€£]"
    r"|[kmcdhµgmt]?(?:m|g|l|pa|w|wh|j|v|a|hz|b|t)[²³23]?(?:/(?:h|s|min|d|j|day|jour|yr|an|l|ha|k?m[²³23]?))?"
    r"|ha|hours?|heures?|h|min|s|days?|jours?|years?|ans|mph|ppm|ppb|dollars|number|nombre|persons|personnes|percent",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TableLayout:
    """`header`: one name a column, "" for a column without one; None if no row names the columns."""

    preamble: list[Cells]
    header: list[str] | None
    rows: list[Cells]


def lay_out(rows: Sequence[Cells]) -> list[Block]:
    """Returns a paragraph for each row above the table, and then the table's rows, without its empty columns."""
    layout = find_header(drop_empty_columns(rows))
    preamble = [Block("paragraph", join_cells(cells)) for cells in layout.preamble if any(cells)]
    return [*preamble, *table_blocks(layout.rows, layout.header)]


def join_cells(cells: Cells) -> str:
    """Returns the row as text: "Period: 2026" of a label and its value."""
    filled_cells = [cell for cell in cells if cell]
    is_labelled = len(filled_cells) == 2 and filled_cells[0][-1].isalnum()
    return (": " if is_labelled else " ").join(filled_cells)


def drop_empty_columns(rows: Sequence[Cells]) -> list[Cells]:
    """Removes columns without any text; spreadsheets have them as margins."""
    used = {index for cells in rows for index, cell in enumerate(cells) if cell}
    if not used or len(used) == max(used) + 1:
        return [cells[: len(used)] for cells in rows]
    kept = sorted(used)
    return [[cell_at(cells, index) for index in kept] for cells in rows]


def find_header(rows: Sequence[Cells]) -> TableLayout:
    """Splits the rows. The first wide row is the header if its cells can be names and other rows follow.

    A row of groups above the names ("2025", "", "2026", "") becomes a part of them, as does a row of units below them.
    """
    start = count_preamble(rows)
    above, rest = list(rows[:start]), list(rows[start:])
    if len(rest) > 2 and is_group_row(rest[0], rest[1], rest[2]):
        return TableLayout(above, join_groups(rest[0], rest[1]), rest[2:])
    if len(rest) > 1 and can_name(rest[0], rest[1]):
        if len(rest) > 2 and is_unit_row(rest[1], rest[2]):
            return TableLayout(above, join_units(rest[0], rest[1]), rest[2:])
        return TableLayout(above, list(rest[0]), rest[1:])
    return TableLayout(above, None, rest)


def count_preamble(rows: Sequence[Cells]) -> int:
    """Counts the rows above the table: titles and notes, which fill fewer cells than its rows do."""
    looked_at = rows[:LOOKED_AT_ROWS]
    width = usual_width(looked_at)
    if width < 2:
        return 0
    enough = max(2, round(width * 0.6))
    start = next((index for index, cells in enumerate(looked_at) if filled(cells) >= enough), 0)
    start = skip_pairs(looked_at, start, width)
    if start and start + 1 < len(rows) and is_group_row(rows[start - 1], rows[start], rows[start + 1]):
        return start - 1
    return start


def usual_width(rows: Sequence[Cells]) -> int:
    """Returns the most frequent number of filled cells, and of equally frequent ones the largest."""
    frequency = Counter(count for cells in rows if (count := filled(cells)) > 1)
    return max(frequency, key=lambda count: (frequency[count], count), default=1)


def skip_pairs(rows: Sequence[Cells], start: int, width: int) -> int:
    """Returns the place of the header below rows such as "Period", "2026", which can be nearly as wide as the table."""
    for index in range(start, min(start + 6, len(rows) - 1)):
        if filled(rows[index]) >= width:
            above_is_names = index > start and can_name(rows[start], rows[start + 1])
            wider = all(filled(cells) < filled(rows[index]) for cells in rows[start:index])
            has_data = can_name(rows[index], rows[index + 1]) and any(cell_kind(cell) for cell in rows[index + 1])
            return index if wider and has_data and not (above_is_names and filled(rows[start]) > 2) else start
    return start


def can_name(cells: Cells, below: Cells) -> bool:
    """Tells whether the cells can be names of columns: short texts, or years, dates or numbers in a series."""
    if not any(cells) or any(map(is_long_text, range(len(cells)), cells, pad_cells(below, len(cells)))):
        return False
    if has_labels(cells):
        return False
    kinds = {index: kind for index, cell in enumerate(cells) if (kind := cell_kind(cell))}
    if not kinds:
        return True
    if len(set(kinds.values())) > 1 or 0 in kinds:
        return False
    kind, values = next(iter(kinds.values())), [cells[index] for index in kinds]
    if kind == "whole":
        first = int(values[0])
        return len(values) > 1 and [int(value) for value in values] == list(range(first, first + len(values)))
    repeats_below = any(cell_kind(cell_at(below, index)) == kind for index in kinds)
    return kind in ("year", "date") and len(set(values)) == len(values) and not repeats_below


def has_labels(cells: Cells) -> bool:
    """Tells whether some of the cells are labels of others: "Name:", "A. Roy"."""
    return any(cell.endswith(":") for cell in cells) and any(cell and not cell.endswith(":") for cell in cells)


def is_long_text(column: int, cell: str, below: str) -> bool:
    """Tells whether the cell is too long to name its column, in which `below` is the next cell."""
    may_ask = len(below) * 2 < len(cell) and (column > 0 or cell.endswith("?"))
    return len(cell) > (QUESTION_LIMIT_CHARS if may_ask else NAME_LIMIT_CHARS)


def pad_cells(cells: Cells, width: int) -> list[str]:
    return [cell_at(cells, index) for index in range(width)]


def cell_kind(cell: str) -> CellKind | None:
    """Returns the kind of data in the cell; None for text and for an empty cell."""
    text = cell.strip()
    if not text or len(text) > NAME_LIMIT_CHARS:
        return None
    if YEAR.fullmatch(text):
        return "year"
    if WHOLE.fullmatch(text):
        return "whole"
    if DATE.fullmatch(text):
        return "date"
    return "data" if text.lower() in TRUTH or DATA.fullmatch(text) else None


def is_group_row(groups: Cells, names: Cells, below: Cells) -> bool:
    """Tells whether the first row groups the columns that the second row names: it has gaps, which the second fills.

    A name that is as tall as both rows stands in the first one.
    """
    first = next((index for index, cell in enumerate(groups) if cell), len(groups))
    last = max((index for index, cell in enumerate(names) if cell), default=0)
    gaps = [index for index in range(first + 1, last + 1) if not cell_at(groups, index)]
    count = sum(map(bool, groups))
    if not gaps or count < 2 or (count >= filled(names) and not has_tall_names(groups, names, below)):
        return False
    if first == 0 and names[0] and gaps[0] != 1:  # a label and its value above the names
        return False
    fills_gaps = all(cell_at(names, index) for index in gaps)
    names_are_text = not any(cell_kind(cell) in ("data", "date", "whole") for cell in names)
    return fills_gaps and names_are_text and can_name(groups, names) and any(map(cell_kind, below))


def has_tall_names(groups: Cells, names: Cells, below: Cells) -> bool:
    """Tells whether the second row is empty below some names, and stands above data everywhere else."""
    tall = [index for index, cell in enumerate(groups) if cell and not cell_at(names, index)]
    gaps = {index for index, cell in enumerate(names) if cell and not cell_at(groups, index)}
    named = [cell_at(below, index) for index, cell in enumerate(names) if cell]
    return bool(tall) and not any(index + 1 in gaps for index in tall) and all(map(cell_kind, filter(None, named)))


def is_unit_row(units: Cells, below: Cells) -> bool:
    """Tells whether the row below the names has their units: each stands above data."""
    places = [index for index, cell in enumerate(units) if cell]
    has_corner = not units[0] or is_unit(units[0])
    is_above_data = all(cell_kind(cell_at(below, index)) for index in places if index) and any(places)
    return has_corner and is_above_data and all(is_unit(units[index]) for index in places)


def is_unit(cell: str) -> bool:
    return THOUSANDS.fullmatch(cell) is not None or (cell_kind(cell) is None and UNIT.fullmatch(cell) is not None)


def join_units(names: Cells, units: Cells) -> list[str]:
    """Returns names such as "Wind (km/h)"."""
    written = [f"({unit})" if unit and unit[0] not in "([" else unit for unit in units]
    return [" ".join(filter(None, (name, cell_at(written, index)))) for index, name in enumerate(names)]


def join_groups(groups: Cells, names: Cells) -> list[str]:
    """Returns names such as "2025 Plan", "2025 Actual"."""
    joined, group = [], ""
    for index in range(max(len(groups), len(names))):
        group = cell_at(groups, index) or group
        joined.append(" ".join(part for part in (group, cell_at(names, index)) if part))
    return joined


def cell_at(cells: Cells, index: int) -> str:
    return cells[index] if index < len(cells) else ""


def filled(cells: Cells) -> int:
    """Counts the filled cells. An empty corner before filled ones counts, because headers have it."""
    count = sum(map(bool, cells))
    return count + 1 if count and not cells[0] and all(cells[1:]) else count
