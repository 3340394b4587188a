"""Reads JSON. Pure."""

from __future__ import annotations

import json
from typing import Any

from core.errors import UnreadableDocument
from core.rag.documents import Block, Document, table_blocks, visible_text
from core.rag.reading.raw_document import RawDocument

ROWS_LIMIT = 50_000
COLUMNS_LIMIT = 50


def parse_json(raw: RawDocument) -> Document:
    """Reads JSON. A list of flat objects becomes a table; other values become code."""
    try:
        value = json.loads(raw.text())
        json_text = visible_text(json.dumps(value, ensure_ascii=False, indent=1))
    except (ValueError, RecursionError) as exc:
        problem = "this is declared as JSON, but it is not, or it is nested too deep"
        raise UnreadableDocument(problem, "damaged") from exc
    if rows := flat_records(value):
        columns = list(dict.fromkeys(key for row in rows for key in row))
        blocks = table_blocks(([cell_text(row.get(column)) for column in columns] for row in rows), columns)
        return raw.document(blocks, kind="table")
    return raw.document([Block("code", json_text)])


def flat_records(value: Any) -> list[dict[str, Any]]:
    """Returns the rows if the value is a table."""
    if not isinstance(value, list) or not value or len(value) > ROWS_LIMIT:
        return []
    flat = all(
        isinstance(row, dict) and not any(isinstance(cell, dict | list) for cell in row.values()) for row in value
    )
    return value if flat and len({key for row in value for key in row}) <= COLUMNS_LIMIT else []


def cell_text(cell: Any) -> str:
    return cell if isinstance(cell, str) else "" if cell is None else json.dumps(cell)
