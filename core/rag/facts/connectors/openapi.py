"""An OpenAPI document, in JSON or YAML: a document for each operation, and one for the API as a whole."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from core.language import detect_language
from core.rag.documents import Document
from core.rag.facts.api_operations import ApiText, parse_api
from core.rag.facts.connectors.file_or_url import FileOrUrlConnector
from core.rag.facts.connectors.local_files import file_key, read_file
from core.rag.facts.connectors.protocol import (
    ConnectorTools,
    EntryContent,
    Origin,
    OriginEntry,
    content_digest,
)
from core.rag.fetching.fetch import FetchedPage
from core.strict_json import storable


class OpenApiConnector(FileOrUrlConnector):
    kind: Literal["openapi"]

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        if self.url is not None:
            return await openapi_origin(self.url, await tools.fetcher.fetch(self.url, robots=False), tools)
        path = await self.local_file(tools)
        texts = await asyncio.to_thread(parse_api, await read_file(path))
        name = file_key(path)
        return Origin(name, [api_entry(name, each, None, datetime.now(UTC), tools) for each in texts])


async def openapi_origin(url: str, fetched: FetchedPage, tools: ConnectorTools) -> Origin:
    """Raises UnreadableDocument."""
    texts = await asyncio.to_thread(parse_api, fetched.body, fetched.charset)
    return Origin(url, [api_entry(url, each, fetched.url, fetched.fetched_at, tools) for each in texts])


def api_entry(origin: str, text: ApiText, url: str | None, at: datetime, tools: ConnectorTools) -> OriginEntry:
    """`url`: the address of the OpenAPI document, for operations that name no documentation of their own."""
    body, link = text.text.encode("utf-8", "replace"), text.url or url
    digest = content_digest(body, text.title, link or "")

    async def open_entry() -> EntryContent:
        return EntryContent(digest, at, partial(read_text, text, body, link, tools))

    return OriginEntry(storable(f"{origin}#{text.key}"), open_entry)


async def read_text(text: ApiText, body: bytes, url: str | None, tools: ConnectorTools) -> Document:
    """Reads the Markdown in the reader's child process. An operation's own words decide its language."""
    read = await tools.reader.read(body, "text/markdown", url=url, charset="utf-8")
    language = read.language or detect_language(text.title)
    return Document(text.title, read.passages, "text", language, url, read.omissions)
