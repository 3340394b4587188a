"""A page or file of the Web. Its robots.txt does not matter, because the operator named it."""

from __future__ import annotations

from typing import Literal

from core.rag.facts.connectors.protocol import (
    ConnectorTools,
    EntryContent,
    Origin,
    OriginConnector,
    OriginEntry,
    WebUrl,
)
from core.rag.fetching.fetch import FetchedPage


class PageConnector(OriginConnector):
    kind: Literal["page"]
    url: WebUrl

    def origin_name(self, _tools: ConnectorTools) -> str:
        return self.url

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        return page_origin(self.url, await tools.fetcher.fetch(self.url, robots=False), tools)


def page_origin(url: str, fetched: FetchedPage, tools: ConnectorTools) -> Origin:
    async def open_entry() -> EntryContent:
        return tools.page_content(fetched)

    return Origin(url, [OriginEntry(url, open_entry)])
