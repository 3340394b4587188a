"""A CSV file whose rows are facts, each a document. Inside a folder, a CSV file is a document like others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Literal

from core.rag.documents import Document
from core.rag.facts.connectors.file_or_url import FileOrUrlConnector
from core.rag.facts.connectors.local_files import file_key, read_file
from core.rag.facts.connectors.protocol import (
    ConnectorTools,
    EntryContent,
    Origin,
    OriginEntry,
    content_digest,
)
from core.rag.facts.csv_facts import FactRow, parse_rows
from core.strict_json import storable

CSV_SUFFIXES = (".csv", ".tsv")
CSV_TYPES = ("text/csv", "application/csv", "text/tab-separated-values")


class CsvConnector(FileOrUrlConnector):
    kind: Literal["csv"]

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        if self.url is not None:
            fetched = await tools.fetcher.fetch(self.url, robots=False)
            return await csv_origin(self.url, fetched.body, fetched.charset, fetched.fetched_at)
        path = await self.local_file(tools)
        return await csv_origin(file_key(path), await read_file(path), None, datetime.now(UTC))


async def csv_origin(name: str, body: bytes, charset: str | None, at: datetime) -> Origin:
    """Raises UnreadableDocument."""
    rows = await asyncio.to_thread(parse_rows, body, charset)
    return Origin(name, [row_entry(name, row, at) for row in rows])


def row_entry(origin: str, row: FactRow, at: datetime) -> OriginEntry:
    async def read() -> Document:
        return row.document()

    async def open_entry() -> EntryContent:
        return EntryContent(content_digest(row.digest.encode()), at, read)

    return OriginEntry(storable(f"{origin}#{row.key}"), open_entry)
