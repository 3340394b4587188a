"""A CSV file whose rows are facts, each a document. Inside a folder, a CSV file is a document like others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Literal

from pydantic import model_validator

from core.configuration.setting_types import PathStr
from core.errors import NotFound
from core.rag.documents import Document
from core.rag.facts.connectors.local_files import file_key, read_file
from core.rag.facts.connectors.protocol import (
    ConnectorTools,
    EntryContent,
    Origin,
    OriginConnector,
    OriginEntry,
    WebUrl,
    content_digest,
)
from core.rag.facts.csv_facts import FactRow, parse_rows
from core.strict_json import storable

CSV_SUFFIXES = (".csv", ".tsv")
CSV_TYPES = ("text/csv", "application/csv", "text/tab-separated-values")


class CsvConnector(OriginConnector):
    """`path` or `url`."""

    kind: Literal["csv"]
    path: PathStr | None = None
    url: WebUrl | None = None

    @model_validator(mode="after")
    def has_one_place(self) -> CsvConnector:
        if (self.path is None) == (self.url is None):
            raise ValueError("either `path` or `url` is required")
        return self

    def origin_name(self, tools: ConnectorTools) -> str:
        return self.url or file_key(tools.resolve(self.path or ""))

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        if self.url is not None:
            fetched = await tools.fetcher.fetch(self.url, robots=False)
            return await csv_origin(self.url, fetched.body, fetched.charset, fetched.fetched_at)
        path = tools.resolve(self.path or "")
        if not await asyncio.to_thread(path.is_file):
            raise NotFound(f"{path}: there is no such file")
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
