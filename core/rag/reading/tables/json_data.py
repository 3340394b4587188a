"""Reads JSON, and JSON lines. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Block, Document, table_blocks, visible_text
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.table_layout import COLUMNS_LIMIT
from core.rag.reading.tables.sheets import RowBudget

DEPTH_LIMIT = 4  # of objects in a record: "employee.address.city"
FILLED_SHARE = 0.2  # records that share fewer of their columns are no table

Record = Mapping[str, Any]


def parse_json(raw: RawDocument) -> Document:
    """Reads JSON. A list of objects becomes a table, also as the only list of an object; other values become code."""
    try:
        value = json.loads(raw.text())
        json_text = visible_text(json.dumps(value, ensure_ascii=False, indent=1))
    except (ValueError, RecursionError) as exc:
        problem = "this is declared as JSON, but it is not, or it is nested too deep"
        raise UnreadableDocument(problem, "damaged") from exc
    notes, records = find_records(value)
    return table_of_records(raw, notes, records) or raw.document([Block("code", json_text)])


def parse_json_lines(raw: RawDocument) -> Document:
    """Reads JSON lines as a table. Lines that are no objects make a text of them all."""
    source = raw.text()
    try:
        records = [json.loads(line) for line in source.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        records = []
    code = [Block("code", visible_text(source).strip("\n"))] if source.strip() else []
    return table_of_records(raw, {}, records) or raw.document(code)


def table_of_records(raw: RawDocument, notes: Record, records: Sequence[Any]) -> Document | None:
    """Returns None if the values are no records, or have too little in common."""
    if not records or not all(isinstance(record, dict) for record in records):
        return None
    rows = first_rows(records, RowBudget(raw.limits))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    filled = sum(map(len, rows))
    if not columns or len(columns) > COLUMNS_LIMIT or filled < FILLED_SHARE * len(columns) * len(rows):
        return None
    omissions = (Omission("rows", len(rows), len(records)),) if len(records) > len(rows) else ()
    above = [Block("paragraph", f"{name}: {cell_text(value)}") for name, value in notes.items()]
    table = table_blocks(([row.get(column, "") for column in columns] for row in rows), columns)
    return raw.document([*above, *table], kind="table", omissions=omissions)


def first_rows(records: Sequence[Record], budget: RowBudget) -> list[dict[str, str]]:
    """Returns the rows within the limits. The names of the first one count as the table's header."""
    rows: list[dict[str, str]] = []
    for record in records:
        if budget.is_spent():
            break
        row = flatten(record)
        if not rows:
            budget.take(dict(enumerate(row)))
        rows.append(row)
        budget.take(dict(enumerate(row.values())))
    return rows


def find_records(value: Any) -> tuple[Record, Sequence[Any]]:
    """Returns the list of records, and the values beside it in its object; empty if there is no such list."""
    if isinstance(value, list):
        return {}, value
    if not isinstance(value, dict):
        return {}, []
    lists = [name for name, each in value.items() if isinstance(each, list)]
    notes = {name: each for name, each in value.items() if name not in lists}
    if len(lists) != 1 or any(isinstance(each, dict) for each in notes.values()):
        return {}, []
    return notes, value[lists[0]]


def flatten(record: Record) -> dict[str, str]:
    """Returns the cells of a record by the paths of their names."""
    return dict(paths_of(record, "", DEPTH_LIMIT))


def paths_of(record: Record, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, dict) and value and depth:
            yield from paths_of(value, f"{prefix}{name}.", depth - 1)
        else:
            yield f"{prefix}{name}", cell_text(value)


def cell_text(value: Any) -> str:
    """Returns a text as it is, a list of simple values with commas, and other values as JSON."""
    if isinstance(value, str):
        return value
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, list) and not any(isinstance(each, list | dict) for each in value):
        return ", ".join(map(cell_text, value))
    return json.dumps(value, ensure_ascii=False)
