"""The pages that a sitemap names, or the sitemaps of an index. They are fetched as their robots.txt allows."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

import structlog

from core.errors import UnreadableDocument
from core.rag.facts.connectors.protocol import (
    ConnectorTools,
    EntryContent,
    Origin,
    OriginConnector,
    OriginEntry,
    WebUrl,
)
from core.rag.fetching.fetch import FetchedPage
from core.rag.reading.charset import decode

log = structlog.get_logger()

SITEMAPS_LIMIT = 200  # of one index
SITEMAP_URLS_LIMIT = 50_000  # of one sitemap, by the protocol
SITEMAP_ROOT = re.compile(r"<(?:\w+:)?(urlset|sitemapindex)[\s>]")
# A sitemap is searched and not parsed: it needs no entities or nesting, and hostile XML uses them.
# Possessive quantifiers (`+` after a quantifier) keep the search linear.
SITEMAP_URL = re.compile(
    r"<(?:\w{1,40}+:)?+loc>\s*+(?:<!\[CDATA\[\s*+)?+([^<>\[\]\s]{1,4096}+)\s*+(?:\]\]>\s*+)?+</(?:\w{1,40}+:)?+loc>"
)
SITEMAP_START_CHARS = 4096


class SitemapConnector(OriginConnector):
    kind: Literal["sitemap"]
    url: WebUrl

    def origin_name(self, _tools: ConnectorTools) -> str:
        return self.url

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        fetched = await tools.fetcher.fetch(self.url, robots=False)
        if sitemap_root(fetched.body) is None:
            raise UnreadableDocument("there is no sitemap: neither <urlset> nor <sitemapindex> was found", "kind")
        return await sitemap_origin(self.url, fetched, tools)


async def sitemap_origin(url: str, fetched: FetchedPage, tools: ConnectorTools) -> Origin:
    pages, left_out = await list_pages(fetched, tools)
    return Origin(url, [OriginEntry(page, partial(open_page, page, tools)) for page in pages], left_out=left_out)


async def open_page(url: str, tools: ConnectorTools) -> EntryContent:
    return tools.page_content(await tools.fetcher.fetch(url, robots=True))


async def list_pages(sitemap: FetchedPage, tools: ConnectorTools) -> tuple[list[str], str]:
    """Returns the pages, and the sentence that says what is left out."""
    named = same_host_urls(sitemap.url, sitemap_urls(sitemap.body))
    if sitemap_root(sitemap.body) == "urlset":
        return named[:SITEMAP_URLS_LIMIT], describe_cut(len(named), SITEMAP_URLS_LIMIT, "pages")
    pages: dict[str, None] = {}
    left_out = [describe_cut(len(named), SITEMAPS_LIMIT, "sitemaps")]
    for url in named[:SITEMAPS_LIMIT]:
        part = await tools.fetcher.fetch(url, robots=False)
        urls = same_host_urls(part.url, sitemap_urls(part.body))
        left_out.append(describe_cut(len(urls), SITEMAP_URLS_LIMIT, f"pages of {url}"))
        pages.update(dict.fromkeys(urls[:SITEMAP_URLS_LIMIT]))
    return list(pages), "; ".join(filter(None, left_out))


def describe_cut(count: int, limit: int, things: str) -> str:
    return f"only the first {limit:,} of {count:,} {things} are read" if count > limit else ""


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


def sitemap_root(body: bytes) -> str | None:
    """Returns "urlset" for a sitemap, "sitemapindex" for one that names other sitemaps, None for anything else."""
    root = SITEMAP_ROOT.search(decode(body[:SITEMAP_START_CHARS]))
    return root[1] if root else None


def sitemap_urls(body: bytes) -> list[str]:
    """Returns the sitemap's URLs in order, each once."""
    named = (html.unescape(each) for each in SITEMAP_URL.findall(decode(body)))
    return list(dict.fromkeys(named))
