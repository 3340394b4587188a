"""A path or URL whose kind shows when it is looked at: a folder, a file, rows, a sitemap, a feed, an API or a page."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Literal

from core.configuration.setting_types import PathStr
from core.errors import NotFound, UnreadableDocument
from core.rag.facts.api_operations import looks_like_openapi
from core.rag.facts.connectors.csv_rows import CSV_SUFFIXES, CSV_TYPES, CsvConnector, csv_origin
from core.rag.facts.connectors.feed import feed_origin
from core.rag.facts.connectors.local_files import FileConnector, FolderConnector, file_key
from core.rag.facts.connectors.openapi import openapi_origin
from core.rag.facts.connectors.page import page_origin
from core.rag.facts.connectors.protocol import ConnectorTools, Origin, OriginConnector
from core.rag.facts.connectors.sitemap import sitemap_origin, sitemap_root
from core.rag.fetching.fetch import FetchedPage
from core.rag.reading.formats import detect_format

PAGE_TYPES = ("text/html", "application/xhtml+xml")


class GuessedConnector(OriginConnector):
    kind: Literal["guessed"] = "guessed"
    place: PathStr  # a path or a URL

    @property
    def is_url(self) -> bool:
        return self.place.startswith(("http://", "https://"))

    def origin_name(self, tools: ConnectorTools) -> str:
        return self.place if self.is_url else file_key(tools.resolve(self.place))

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        if self.is_url:
            return await list_fetched(self.place, await tools.fetcher.fetch(self.place, robots=False), tools)
        path = await asyncio.to_thread(tools.resolve, self.place)
        if await asyncio.to_thread(path.is_dir):
            return await FolderConnector(kind="folder", path=self.place).list_origin(tools)
        if not await asyncio.to_thread(path.is_file):
            raise NotFound(f"{path}: there is no such file or folder")
        if path.suffix.lower() in CSV_SUFFIXES:
            return await CsvConnector(kind="csv", path=self.place).list_origin(tools)
        return await FileConnector(kind="file", path=self.place).list_origin(tools)


async def list_fetched(url: str, fetched: FetchedPage, tools: ConnectorTools) -> Origin:
    """Lists what the URL turned out to be. Ignores its robots.txt, because the operator named it."""
    if sitemap_root(fetched.body):
        return await sitemap_origin(url, fetched, tools)
    if fetched.media_type in CSV_TYPES:
        return await csv_origin(url, fetched.body, fetched.charset, fetched.fetched_at)
    if is_feed(fetched):
        return await feed_origin(url, fetched, tools)
    if fetched.media_type not in PAGE_TYPES and looks_like_openapi(fetched.body):
        with suppress(UnreadableDocument):  # a text about APIs
            return await openapi_origin(url, fetched, tools)
    return page_origin(url, fetched, tools)


def is_feed(fetched: FetchedPage) -> bool:
    try:
        return detect_format(fetched.body, fetched.media_type, "") == "feed"
    except UnreadableDocument:
        return False
