"""Reads the tables of a page that hold data, with the names of their columns. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from bs4 import Tag

from core.rag.reading.table_layout import find_header

CELL_LIMIT_CHARS = 500  # longer cells are text in a table that only lays out the page
NAMED_CELL_LIMIT_CHARS = 5000  # in a table that names its columns or rows
LAYOUT_CONTENT = ("table", "h1", "h2", "h3", "h4", "h5", "h6", "form", "article", "section", "pre")
COLUMNS_LIMIT = 200  # browsers take 1,000 for one cell
LOOKED_AT_ROWS = 12
HEADERS_LIMIT = 4  # rows
JOINED_COLUMNS_LIMIT = 8
ROLE_NAMES = {
    **dict.fromkeys(("table", "grid"), "table"),
    **dict.fromkeys(("columnheader", "rowheader"), "th"),
    **dict.fromkeys(("cell", "gridcell"), "td"),
    "row": "tr",
}
BOLD_TAGS = ("b", "strong")

Skip = Callable[[Tag], bool]
ReadText = Callable[[Tag, Skip], str]


@dataclass(frozen=True, slots=True)
class PageTableCell:
    """`names`: a header cell, or one in bold. `spread`: the cell goes on from the column on its left."""

    text: str
    names: bool = False
    spread: bool = False


@dataclass(frozen=True, slots=True)
class PageTable:
    """`above`: the lines of text that the table has above its header."""

    above: list[str]
    head: list[str] | None
    rows: list[list[str]]


def name_aria_tables(root: Tag) -> None:
    """Names the elements that are tables by their roles as HTML names them."""
    for tag in root.find_all(role=list(ROLE_NAMES)):
        if tag.name in ("div", "span", "ul", "ol", "li"):
            tag.name = ROLE_NAMES[str(tag["role"])]


def parse_table(tag: Tag, skip: Skip, read_text: ReadText) -> PageTable | None:
    """Returns None for a table that lays out the page."""
    if tag.get("role") in ("presentation", "none"):
        return None
    is_named = tag.find(("th", "caption", "thead")) is not None
    if tag.find("table" if is_named else LAYOUT_CONTENT):
        return None
    rows = expand_spans(tag, skip, read_text)
    limit_chars = NAMED_CELL_LIMIT_CHARS if is_named else CELL_LIMIT_CHARS
    if max(map(len, rows), default=0) < 2 or any(len(cell.text) > limit_chars for row in rows for cell in row):
        return None
    return split_table(rows)


def split_table(rows: list[list[PageTableCell]]) -> PageTable:
    above = [text_of_title(row) for row in takewhile(is_title, rows)]
    rest = rows[len(above) :]
    heads = list(takewhile(names_columns, rest[:HEADERS_LIMIT]))
    if not heads and not any(cell.names for row in rest for cell in row):
        layout = find_header([[cell.text if not cell.spread else "" for cell in row] for row in rest])
        return PageTable([*above, *map(join_cells, layout.preamble)], layout.header, [*map(list, layout.rows)])
    data = [[cell.text if not cell.spread else "" for cell in row] for row in rest[len(heads) :]]
    if not data:  # each row is a name and a value in bold
        return PageTable(above, None, [[cell.text for cell in row] for row in rest])
    return PageTable(above, join_heads(heads) if heads else None, data)


def join_cells(cells: Sequence[str]) -> str:
    return " ".join(filter(None, cells))


def is_title(row: Sequence[PageTableCell]) -> bool:
    """Tells whether one cell fills the whole row, as a table's title does."""
    return len(row) > 1 and all(cell.spread for cell in row[1:])


def text_of_title(row: Sequence[PageTableCell]) -> str:
    return row[0].text


def names_columns(row: Sequence[PageTableCell]) -> bool:
    """Tells whether all cells with text are names. One name alone is that of a row."""
    named = [cell.names for cell in row if cell.text]
    return len(named) > 1 and all(named)


def join_heads(heads: Sequence[Sequence[PageTableCell]]) -> list[str]:
    """Returns one name for each column: "2025 Plan" for a name below the group "2025".

    In a wide table only the first column of a group has the group's name: each passage repeats all names.
    """
    width = max(map(len, heads))
    shown = [[cell.text if width <= JOINED_COLUMNS_LIMIT or not cell.spread else "" for cell in row] for row in heads]
    columns = [[row[index] for row in shown if index < len(row)] for index in range(width)]
    return [" ".join(dict.fromkeys(filter(None, column))) for column in columns]


def expand_spans(tag: Tag, skip: Skip, read_text: ReadText) -> list[list[PageTableCell]]:
    """Returns every row with all its columns, as they stand on the screen."""
    rows: list[list[PageTableCell]] = []
    below: dict[int, tuple[int, PageTableCell]] = {}  # by column: the number of rows that this cell still spans
    for source in sorted(tag.find_all("tr"), key=place_of_row):
        if skip(source):
            continue
        may_name = len(rows) < LOOKED_AT_ROWS
        row: list[PageTableCell] = []
        for cell in source.find_all(("td", "th"), recursive=False)[:COLUMNS_LIMIT]:
            fill_from_above(below, row)
            if not skip(cell):
                add_cell(below, row, cell, PageTableCell(read_text(cell, skip), may_name and is_name(cell)))
        fill_from_above(below, row)
        if any(cell.text for cell in row):
            rows.append(row[:COLUMNS_LIMIT])
    return rows


def place_of_row(row: Tag) -> int:
    """Browsers show the head first and the foot last, wherever they stand in the source."""
    return {"thead": 0, "tfoot": 2}.get(row.parent.name if row.parent else "", 1)


def add_cell(
    below: dict[int, tuple[int, PageTableCell]], row: list[PageTableCell], cell: Tag, content: PageTableCell
) -> None:
    rows_below = span_size(cell, "rowspan") - 1
    for _ in range(min(span_size(cell, "colspan"), COLUMNS_LIMIT - len(row))):
        if rows_below > 0:
            below[len(row)] = rows_below, content
        row.append(content)
        content = replace(content, spread=True)


def is_name(cell: Tag) -> bool:
    return cell.name == "th" or cell.find_parent("thead") is not None or is_bold(cell)


def is_bold(cell: Tag) -> bool:
    """Tells whether all text of the cell is bold."""
    bold = cell.find(BOLD_TAGS)
    return isinstance(bold, Tag) and bold.get_text(strip=True) == cell.get_text(strip=True) != ""


def fill_from_above(below: dict[int, tuple[int, PageTableCell]], row: list[PageTableCell]) -> None:
    """Adds the cells from above that span the row's next columns."""
    while (column := len(row)) in below:
        more, cell = below.pop(column)
        row.append(cell)
        if more > 1:
            below[column] = more - 1, cell


def span_size(cell: Tag, attribute: str) -> int:
    value = str(cell.get(attribute) or "1").strip()
    return max(1, min(int(value), COLUMNS_LIMIT)) if value.isascii() and value.isdigit() and len(value) < 4 else 1
