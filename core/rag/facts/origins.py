"""The origins of a collection's documents: a file, a folder, a CSV file of facts, a page or a sitemap.

A CSV file named directly is a list of facts, one in each row; inside a folder it is a document like others. Nothing is
fetched or read before an entry is opened.
"""

from __future__ import annotations

import asyncio
import hashlib
import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from core.errors import NotFound, UnreadableDocument
from core.rag.documents import Document
from core.rag.facts.csv_facts import FactRow, parse_rows
from core.rag.facts.sync import EntryContent, Origin, OriginEntry
from core.rag.fetching.fetch import FetchedPage, PageFetcher
from core.rag.reading.charset import decode
from core.rag.reading.formats import READABLE_SUFFIXES
from core.rag.reading.reader import DocumentReader
from core.strict_json import storable

log = structlog.get_logger()

READER_VERSION = "1"  # change it whenever documents are read or cut differently, so that all are read again
FILE_LIMIT_BYTES = 64 * 1024 * 1024
SITEMAPS_LIMIT = 200  # of one index
CSV_TYPES = ("text/csv", "application/csv", "text/tab-separated-values")

SITEMAP_URLS_LIMIT = 50_000  # of one sitemap, by the protocol
SITEMAP_ROOT = re.compile(r"<(?:\w+:)?(urlset|sitemapindex)[\s>]")
# A sitemap is searched and not parsed: it needs no entities or nesting, and hostile XML uses them.
# Possessive quantifiers (`+` after a quantifier) keep the search linear.
SITEMAP_URL = re.compile(
    r"<(?:\w{1,40}+:)?+loc>\s*+(?:<!\[CDATA\[\s*+)?+([^<>\[\]\s]{1,4096}+)\s*+(?:\]\]>\s*+)?+</(?:\w{1,40}+:)?+loc>"
)
SITEMAP_START_CHARS = 4096


class Origins:
    def __init__(self, fetcher: PageFetcher, reader: DocumentReader) -> None:
        self._fetcher = fetcher
        self._reader = reader

    async def find(self, path_or_url: str) -> Origin:
        """Lists the entries of a path or URL. Raises NotFound, FetchRefused, FetchFailed, UnreadableDocument."""
        if path_or_url.startswith(("http://", "https://")):
            return await self._find_online(path_or_url)
        path = await asyncio.to_thread(lambda: Path(path_or_url).expanduser().resolve())
        if await asyncio.to_thread(path.is_dir):
            files = await asyncio.to_thread(readable_files, path)
            return Origin(file_key(path), [self._file(file) for file in files])
        if not await asyncio.to_thread(path.is_file):
            raise NotFound(f"{path}: there is no such file or folder")
        if path.suffix.lower() in (".csv", ".tsv"):
            return await csv_origin(file_key(path), await read_file(path), None, datetime.now(UTC))
        return Origin(file_key(path), [self._file(path)])

    # ---------------------------------------------------------------- files

    def _file(self, path: Path) -> OriginEntry:
        return OriginEntry(file_key(path), partial(self._open_file, path))

    async def _open_file(self, path: Path) -> EntryContent:
        body = await read_file(path)
        read = partial(self._reader.read, body, "", name=path.name)
        return EntryContent(content_digest(body, path.name), datetime.now(UTC), read)

    # ---------------------------------------------------------------- pages

    async def _find_online(self, url: str) -> Origin:
        """Ignores robots.txt for the URL, because the operator named it, and obeys it for a sitemap's pages."""
        fetched = await self._fetcher.fetch(url, robots=False)
        if sitemap_root(fetched.body):
            pages = await self._pages(fetched)
            return Origin(url, [OriginEntry(page, partial(self._open_page, page)) for page in pages])
        if fetched.media_type in CSV_TYPES:
            return await csv_origin(url, fetched.body, fetched.charset, fetched.fetched_at)

        async def open_entry() -> EntryContent:
            return self._page(fetched)

        return Origin(url, [OriginEntry(url, open_entry)])

    async def _pages(self, sitemap: FetchedPage) -> list[str]:
        if sitemap_root(sitemap.body) == "urlset":
            return same_host_urls(sitemap.url, sitemap_urls(sitemap.body))
        pages: dict[str, None] = {}
        for url in same_host_urls(sitemap.url, sitemap_urls(sitemap.body))[:SITEMAPS_LIMIT]:
            part = await self._fetcher.fetch(url, robots=False)
            pages.update(dict.fromkeys(same_host_urls(part.url, sitemap_urls(part.body))))
        return list(pages)

    async def _open_page(self, url: str) -> EntryContent:
        return self._page(await self._fetcher.fetch(url, robots=True))

    def _page(self, fetched: FetchedPage) -> EntryContent:
        read = partial(self._reader.read, fetched.body, fetched.media_type, url=fetched.url, charset=fetched.charset)
        digest = content_digest(fetched.body, fetched.media_type, fetched.charset or "")
        return EntryContent(digest, fetched.fetched_at, read)


def same_host_urls(sitemap: str, urls: Sequence[str]) -> list[str]:
    """Drops URLs of other hosts: by its protocol, a sitemap speaks for its own host alone."""
    host = urlsplit(sitemap).netloc.lower()
    own = [url for url in urls if url_host(url) == host]
    if len(own) < len(urls):
        log.warning("sitemap_urls_dropped", host=host, urls=len(urls) - len(own))
    return own


def url_host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


async def csv_origin(name: str, body: bytes, charset: str | None, at: datetime) -> Origin:
    rows = await asyncio.to_thread(parse_rows, body, charset)
    return Origin(name, [row_entry(name, row, at) for row in rows])


def row_entry(origin: str, row: FactRow, at: datetime) -> OriginEntry:
    async def read() -> Document:
        return row.document()

    async def open_entry() -> EntryContent:
        return EntryContent(content_digest(row.digest.encode()), at, read)

    return OriginEntry(storable(f"{origin}#{row.key}"), open_entry)


def file_key(path: Path) -> str:
    """Returns the path as text. File names are bytes; undecodable ones become question marks."""
    return storable(str(path))


def readable_files(folder: Path) -> list[Path]:
    """Lists the files of readable formats by name, without hidden files and folders."""
    files = (path for path in folder.rglob("*") if path.suffix.lower() in READABLE_SUFFIXES and path.is_file())
    return sorted(path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts))


async def read_file(path: Path) -> bytes:
    """Raises UnreadableDocument."""

    def read() -> bytes:
        if path.stat().st_size > FILE_LIMIT_BYTES:
            raise UnreadableDocument(f"{path} has more than {FILE_LIMIT_BYTES:,} bytes", "large")
        return path.read_bytes()

    try:
        return await asyncio.to_thread(read)
    except OSError as exc:
        raise UnreadableDocument(f"{path} cannot be read: {exc.strerror}") from exc


def content_digest(body: bytes, *how: str) -> str:
    """Hashes the content with READER_VERSION and `how`, the values that decide how it is read."""
    return hashlib.sha256("\0".join([READER_VERSION, *how]).encode() + b"\0" + body).hexdigest()


def sitemap_root(body: bytes) -> str | None:
    """Returns "urlset" for a sitemap, "sitemapindex" for one that names other sitemaps, None for anything else."""
    root = SITEMAP_ROOT.search(decode(body[:SITEMAP_START_CHARS]))
    return root[1] if root else None


def sitemap_urls(body: bytes) -> list[str]:
    """Returns the sitemap's URLs in order, each once, at most SITEMAP_URLS_LIMIT."""
    named = (html.unescape(each) for each in SITEMAP_URL.findall(decode(body)))
    return list(dict.fromkeys(named))[:SITEMAP_URLS_LIMIT]
