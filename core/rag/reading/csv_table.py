"""Reads CSV. Pure. Raises UnreadableDocument with one English sentence that names the problem."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING

from core.errors import UnreadableDocument
from core.rag.documents import Document, table_blocks
from core.rag.reading.raw_document import RawDocument
from core.runtime.file_formats import SNIFFED_CHARS, SNIFFED_LINES, guess_delimiter

if TYPE_CHECKING:
    from _csv import Reader  # the type of csv.reader has no public name before Python 3.13

ROWS_LIMIT = 50_000
FIELD_LIMIT_CHARS = 100_000


def parse_csv(raw: RawDocument) -> Document:
    """Reads CSV. The first row names the columns; each passage repeats it."""
    source = raw.text()
    try:
        rows = [row for row in limit_rows(csv_reader(source), ROWS_LIMIT, "attach the part that matters") if any(row)]
    except csv.Error as exc:
        raise UnreadableDocument(f"this CSV file cannot be read: {exc}", "damaged") from exc
    blocks = table_blocks(rows[1:], rows[0]) if len(rows) > 1 else table_blocks(rows, None)
    return raw.document(blocks, kind="table")


def limit_rows(rows: Iterator[list[str]], limit: int, advice: str) -> Iterator[list[str]]:
    for count, each in enumerate(rows):
        if count >= limit:
            raise UnreadableDocument(f"this CSV file has more than {limit:,} rows: {advice}", "large")
        yield each


def csv_reader(source: str) -> Reader:
    """Raises csv.Error for a cell above FIELD_LIMIT_CHARS."""
    csv.field_size_limit(FIELD_LIMIT_CHARS)
    delimiter = guess_delimiter(source[:SNIFFED_CHARS].splitlines()[:SNIFFED_LINES])
    return csv.reader(StringIO(source, newline=""), delimiter=delimiter)
