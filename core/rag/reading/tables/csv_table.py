"""Reads CSV. Pure. Raises UnreadableDocument with one English sentence that names the problem."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.raw_document import RawDocument, ReadingLimits
from core.rag.reading.table_layout import COLUMNS_LIMIT, lay_out
from core.rag.reading.tables.sheets import RowBudget, Sheet, SparseRow, sheet_blocks
from core.runtime.file_formats import SNIFFED_CHARS, SNIFFED_LINES, guess_delimiter, split_named_delimiter

if TYPE_CHECKING:
    from _csv import Reader  # the type of csv.reader has no public name before Python 3.13

FIELD_LIMIT_CHARS = 100_000
# Strict first: a quote that never ends would swallow the rest of the file. Where one does, quotes are mere characters.
STRICT: Mapping[str, Any] = {"strict": True}
LENIENT: Mapping[str, Any] = {}
UNQUOTED: Mapping[str, Any] = {"quoting": csv.QUOTE_NONE}


def parse_csv(raw: RawDocument) -> Document:
    """Reads CSV: its tables with the names of their columns, and the texts around them."""
    is_tabbed = "tab-separated" in raw.media_type or raw.name.lower().endswith(".tsv")
    found = read_rows(raw.text(), raw.limits, is_tabbed=is_tabbed)
    if found.width > 1:
        blocks, _ = sheet_blocks(Sheet("", found.rows))
    else:
        blocks = lay_out([list(cells.values()) for _, cells in found.rows])
    omissions = []
    if found.total > len(found.rows):
        omissions.append(Omission("rows", len(found.rows), found.total))
    if found.width > COLUMNS_LIMIT:
        omissions.append(Omission("columns", COLUMNS_LIMIT, found.width))
    return raw.document(blocks, kind="table", omissions=tuple(omissions))


@dataclass(frozen=True, slots=True)
class CsvRows:
    """The first rows with any text, the number of all, and the number of columns of the widest."""

    rows: list[SparseRow]
    total: int
    width: int


def read_rows(source: str, limits: ReadingLimits, *, is_tabbed: bool = False) -> CsvRows:
    """Raises UnreadableDocument."""
    try:
        return parse_rows(source, limits, is_tabbed=is_tabbed, dialect=STRICT)
    except csv.Error as exc:
        dialect = LENIENT if "expected after" in str(exc) else UNQUOTED
    try:
        return parse_rows(source, limits, is_tabbed=is_tabbed, dialect=dialect)
    except csv.Error as exc:
        raise UnreadableDocument(f"this CSV file cannot be read: {exc}", "damaged") from exc


def parse_rows(source: str, limits: ReadingLimits, *, is_tabbed: bool, dialect: Mapping[str, Any]) -> CsvRows:
    """Raises csv.Error."""
    budget = RowBudget(limits)
    rows: list[SparseRow] = []
    total = width = 0
    for number, cells in enumerate(csv_reader(source, is_tabbed=is_tabbed, **dialect)):
        if len(rows) < total or budget.is_spent():
            total += any(cells)  # the rest is only counted
            continue
        filled = {column: text for column, cell in enumerate(cells) if (text := cell.strip())}
        if filled:
            total += 1
            width = max(width, next(reversed(filled)) + 1)
            rows.append((number, dict(islice(filled.items(), COLUMNS_LIMIT))))
            budget.take(rows[-1][1])
    return CsvRows(rows, total, width)


def csv_reader(source: str, *, is_tabbed: bool = False, **dialect: Any) -> Reader:
    """Raises csv.Error for a cell above FIELD_LIMIT_CHARS."""
    csv.field_size_limit(FIELD_LIMIT_CHARS)
    named, source = split_named_delimiter(source)
    lines = source[:SNIFFED_CHARS].splitlines()[:SNIFFED_LINES]
    tab = "\t" if is_tabbed and any("\t" in line for line in lines) else None
    delimiter = named or tab or guess_delimiter(lines)
    return csv.reader(StringIO(source, newline=""), delimiter=delimiter, skipinitialspace=True, **dialect)
