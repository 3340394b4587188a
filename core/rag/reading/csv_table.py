"""Reads CSV. Pure. Raises UnreadableDocument with one English sentence that names the problem."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.table_layout import ROWS_LIMIT, cut_columns, lay_out
from core.runtime.file_formats import SNIFFED_CHARS, SNIFFED_LINES, guess_delimiter, split_named_delimiter

if TYPE_CHECKING:
    from _csv import Reader  # the type of csv.reader has no public name before Python 3.13

FIELD_LIMIT_CHARS = 100_000
# Strict first: a quote that never ends would swallow the rest of the file. Where one does, quotes are mere characters.
STRICT: Mapping[str, Any] = {"strict": True}
LENIENT: Mapping[str, Any] = {}
UNQUOTED: Mapping[str, Any] = {"quoting": csv.QUOTE_NONE}


def parse_csv(raw: RawDocument) -> Document:
    """Reads CSV: the text above the table, and its rows with the names of their columns."""
    rows, total = read_rows(
        raw.text(), is_tabbed="tab-separated" in raw.media_type or raw.name.lower().endswith(".tsv")
    )
    rows, omissions = cut_columns(rows)
    if total > len(rows):
        omissions = (Omission("rows", len(rows), total), *omissions)
    return raw.document(lay_out(rows), kind="table", omissions=omissions)


def read_rows(source: str, *, is_tabbed: bool = False) -> tuple[list[list[str]], int]:
    """Returns the first ROWS_LIMIT rows that are not empty, and the number of all. Raises UnreadableDocument."""
    try:
        return parse_rows(source, is_tabbed=is_tabbed, dialect=STRICT)
    except csv.Error as exc:
        dialect = LENIENT if "expected after" in str(exc) else UNQUOTED
    try:
        return parse_rows(source, is_tabbed=is_tabbed, dialect=dialect)
    except csv.Error as exc:
        raise UnreadableDocument(f"this CSV file cannot be read: {exc}", "damaged") from exc


def parse_rows(source: str, *, is_tabbed: bool, dialect: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    """Raises csv.Error."""
    filled = filled_rows(csv_reader(source, is_tabbed=is_tabbed, **dialect))
    rows = list(islice(filled, ROWS_LIMIT))
    return rows, len(rows) + sum(1 for _row in filled)


def filled_rows(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    for row in rows:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield cells


def csv_reader(source: str, *, is_tabbed: bool = False, **dialect: Any) -> Reader:
    """Raises csv.Error for a cell above FIELD_LIMIT_CHARS."""
    csv.field_size_limit(FIELD_LIMIT_CHARS)
    named, source = split_named_delimiter(source)
    lines = source[:SNIFFED_CHARS].splitlines()[:SNIFFED_LINES]
    tab = "\t" if is_tabbed and any("\t" in line for line in lines) else None
    delimiter = named or tab or guess_delimiter(lines)
    return csv.reader(StringIO(source, newline=""), delimiter=delimiter, **dialect)
