"""Fetches pages, feeds and files of the public Web by URL, without harm to this machine.

Owns the order: checks the URL, looks into the cache, asks the site within a deadline. Does not parse pages;
`core.rag.reading.reader` does. `url_policy` and `connection` guard the destination, `response` the content, `robots`
the sites' wishes.

Proxy variables of the environment are ignored: a proxy would resolve names itself, and no address could be checked
here. Of a URL, only the host is logged.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Protocol

import httpcore
import httpx
import structlog

from core.contract import Omission
from core.errors import ConfigError, FetchFailed
from core.rag.fetching import url_policy
from core.rag.fetching.connection import AddressGuard, GuardedBackend, GuardedTransport, Resolve, SystemResolver
from core.rag.fetching.page_cache import (
    RETENTION_S,
    CachedPage,
    PageCache,
    combined_lifetime_s,
    is_storable,
    lifetime_s,
    validator,
)
from core.rag.fetching.response import body_too_long, is_cuttable, parse_charset, parse_file_name, parse_media_type
from core.rag.fetching.robots import ROBOTS_LIMIT_BYTES as ROBOTS_LIMIT_BYTES
from core.rag.fetching.robots import Robots
from core.rag.fetching.site import FetchLimits, PageResponse, SiteClient
from core.rag.fetching.url_policy import parse_networks
from core.runtime.keyed_limiter import KeyedLimiter

log = structlog.get_logger()

NO_HEADERS: Mapping[str, str] = {}
HOST_AND_PORT = re.compile(r"[^\s/@]+:[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A fetched page. `fetched_at`: the site's last confirmation. `cached`: the body comes from the cache."""

    url: str  # after redirects
    media_type: str
    charset: str | None  # from the header
    body: bytes
    fetched_at: datetime
    cached: bool
    is_cut: bool = False  # the end of the body is missing
    file_name: str = ""  # the name that the site gives a file, which its URL may lack

    @property
    def name(self) -> str:
        """The name that tells the format: the file's, else the URL."""
        return self.file_name or self.url

    @property
    def omissions(self) -> tuple[Omission, ...]:
        return (Omission("characters"),) if self.is_cut else ()


class PageFetcher(Protocol):
    async def fetch(
        self,
        url: str,
        *,
        robots: bool = True,
        max_age_s: float | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        whole: bool = True,
    ) -> FetchedPage: ...


class Fetcher:
    """The entrance to the public Web. One per process. Raises ConfigError.

    `cache_folder`: None stores nothing. `user_agent`: name/version and an address for complaints. `allow`: exact
    "host:port" that may have any address and port, in URLs and redirects; for operators and tests. `deny`: networks
    that are refused although they look public, such as "198.103.0.0/16". `resolve` and `network` are for tests.
    """

    def __init__(
        self,
        cache_folder: Path | None,
        allow: Sequence[str] = (),
        *,
        user_agent: str,
        deny: Sequence[str] = (),
        limits: FetchLimits | None = None,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        retention: timedelta = timedelta(seconds=RETENTION_S),
    ) -> None:
        self._limits = limits or FetchLimits()
        self._allow = frozenset(map(parse_allowed_host, allow))
        self._cache = PageCache(cache_folder, retention_s=retention.total_seconds())
        self._now = now
        guard = AddressGuard(resolve or SystemResolver(), self._allow, parse_networks(deny))
        backend = GuardedBackend(guard, network or httpcore.AnyIOBackend())
        transport = GuardedTransport(backend, tls or httpx.create_ssl_context(), self._limits.connections)
        self._sites = SiteClient(transport, user_agent, self._allow, self._limits)
        self._robots = Robots(self._read_robots, user_agent)
        self._same_page: KeyedLimiter[CachedPage] = KeyedLimiter(1)

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def forget(self, urls: Collection[str]) -> None:
        """Deletes cached pages that a deleted conversation was based on, and all cached searches."""
        await self._cache.forget(urls)

    async def close(self) -> None:
        await self._sites.close()

    async def fetch(
        self,
        url: str,
        *,
        robots: bool = True,
        max_age_s: float | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        whole: bool = True,
    ) -> FetchedPage:
        """Sends a GET. `robots`: obeys robots.txt, as for sources; a URL from the user needs no permission.

        `max_age_s`: uses a cached copy up to this age without asking, unless the site demands less; None: as the site
        says. `headers`: secrets of the operator for the URL's own origin; no redirect takes them elsewhere, and what
        they open is not cached. `whole`: refuses a body above the limit; else a text is cut there. Raises
        FetchRefused (the URL or address is not allowed), FetchFailed.
        """
        target = url_policy.check_url(url, self._allow)
        started_s = time.monotonic()
        try:
            async with asyncio.timeout(self._limits.deadline_s):
                fetched = await (
                    self._fetch_private(target, robots, headers) if headers else self._fetch(target, robots, max_age_s)
                )
        except TimeoutError as exc:
            raise FetchFailed(f"{target.host} did not answer within {self._limits.deadline_s:g} s", "silent") from exc
        if fetched.is_cut and whole:
            raise body_too_long(self._limits.body_bytes)
        duration_ms = round(1000 * (time.monotonic() - started_s))
        log.info(
            "page_fetched",
            host=target.host,
            size_bytes=len(fetched.body),
            cached=fetched.cached,
            duration_ms=duration_ms,
        )
        return fetched

    async def _fetch(self, target: httpx.URL, robots: bool, max_age_s: float | None) -> FetchedPage:
        async with self._same_page.slot(str(target)) as entry:
            if entry.result is not None:  # it arrived meanwhile
                return to_fetched(entry.result, cached=True)
            cached_page = await self._cache.get(str(target))
            if cached_page is not None and cached_page.is_fresh(self._now(), max_age_s):
                return to_fetched(cached_page, cached=True)
            entry.result = await self._ask(target, robots, cached_page)
            return to_fetched(entry.result, cached=cached_page is not None and entry.result.body is cached_page.body)

    async def _fetch_private(self, target: httpx.URL, robots: bool, headers: Mapping[str, str]) -> FetchedPage:
        def headers_for(url: httpx.URL) -> Mapping[str, str]:
            is_own = (url.scheme, url_policy.url_origin(url)) == (target.scheme, url_policy.url_origin(target))
            return headers if is_own else {}

        before = self._robots.require if robots else None
        async with self._sites.follow(target, before, headers_for) as landing:
            return to_fetched(await self._parse(landing, None), cached=False)

    async def _ask(self, target: httpx.URL, robots: bool, cached_page: CachedPage | None) -> CachedPage:
        """Fetches the page from its site, or confirms `cached_page`."""

        def headers_for(url: httpx.URL) -> Mapping[str, str]:
            return conditional_headers(cached_page) if cached_page is not None and cached_page.url == str(url) else {}

        before = self._robots.require if robots else None
        async with self._sites.follow(target, before, headers_for) as landing:
            page = await self._parse(landing, cached_page)
        if is_storable(landing.headers):
            await self._cache.store(str(target), page)
        else:
            await self._cache.drop(str(target))
        return page

    async def _parse(self, landing: PageResponse, cached_page: CachedPage | None) -> CachedPage:
        declared = lifetime_s(landing.headers)
        if landing.status == 304 and cached_page is not None and cached_page.url == str(landing.url):
            lifetime = combined_lifetime_s(
                [*landing.lifetimes, cached_page.lifetime_s if declared is None else declared]
            )
            return replace(cached_page, fetched_at=self._now(), lifetime_s=lifetime)
        if landing.status not in (200, 203):
            raise landing.failure()
        media_type = parse_media_type(landing.headers, landing.url.path)
        body, is_cut = await self._read_body(landing, media_type)
        return CachedPage(
            url=str(landing.url),
            media_type=media_type,
            charset=parse_charset(landing.headers),
            body=body,
            fetched_at=self._now(),
            etag=validator(landing.headers, "etag"),
            last_modified=validator(landing.headers, "last-modified"),
            lifetime_s=combined_lifetime_s([*landing.lifetimes, declared]),
            is_cut=is_cut,
            file_name=parse_file_name(landing.headers),
        )

    async def _read_body(self, landing: PageResponse, media_type: str) -> tuple[bytes, bool]:
        """Returns the body, and whether its end is missing. Raises FetchFailed if it is too long and cannot be cut."""
        limit = self._limits.body_bytes
        if not is_cuttable(media_type):
            return await landing.body(limit), False
        body = await landing.body(limit + 1, cut=True)
        return body[:limit], len(body) > limit

    async def _read_robots(self, url: httpx.URL) -> str:
        async with self._sites.follow(url) as landing:
            if 400 <= landing.status < 500:
                return ""
            if landing.status != 200:
                raise landing.failure()
            return (await landing.body(ROBOTS_LIMIT_BYTES, cut=True)).decode("utf-8", "replace")


def parse_allowed_host(entry: str) -> str:
    if not HOST_AND_PORT.fullmatch(entry):
        raise ConfigError(f"{entry!r} is not of the form host:port, such as search.example.gc.ca:8080")
    return entry.lower()


def conditional_headers(cached_page: CachedPage) -> dict[str, str]:
    """Returns headers that ask for a page only if it changed."""
    headers = {"If-None-Match": cached_page.etag, "If-Modified-Since": cached_page.last_modified}
    return {name: value for name, value in headers.items() if value is not None}


def to_fetched(page: CachedPage, *, cached: bool) -> FetchedPage:
    return FetchedPage(
        page.url, page.media_type, page.charset, page.body, page.fetched_at, cached, page.is_cut, page.file_name
    )
