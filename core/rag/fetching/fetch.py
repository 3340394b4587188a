"""Fetches pages, feeds and files of the public Web by URL, without harm to who runs this.

Owns the order of things: the URL is checked, the cache is looked at, the site is asked within a deadline. Refuses to
know what a page says: parsing belongs to `core.rag.reading.reader`. Each guard has its file: `urls`, `addresses` and
`connection` for where we go, `response` for what we take, `robots` for what we leave alone.

No proxy is used: the environment's proxy variables are not read, because behind a proxy it is the proxy that resolves
names, and nothing here could check an address. Of a URL only its host is logged.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import httpcore
import httpx
import structlog

from core.errors import ConfigError, FetchFailed
from core.rag.fetching import url_policy
from core.rag.fetching.connection import AddressGuard, GuardedBackend, GuardedTransport, Resolve, SystemResolver
from core.rag.fetching.page_cache import CachedPage, PageCache, combined_lifetime_s, lifetime_s, may_be_kept, validator
from core.rag.fetching.response import charset_of, media_type_of
from core.rag.fetching.robots import ROBOTS_LIMIT_BYTES as ROBOTS_LIMIT_BYTES
from core.rag.fetching.robots import Robots
from core.rag.fetching.site import FetchLimits, PageResponse, SiteClient
from core.rag.fetching.url_policy import parse_networks
from core.runtime.keyed_limiter import KeyedLimiter

log = structlog.get_logger()

HOST_AND_PORT = re.compile(r"[^\s/@]+:[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """`fetched_at`: when the site last said that this is it. `cached`: the body had been fetched before."""

    url: str  # where it was found, after redirects
    media_type: str
    charset: str | None  # by the header
    body: bytes
    fetched_at: datetime
    cached: bool


class Fetcher:
    """One per process.

    `cache_folder`: None keeps nothing. `user_agent`: name/version and where to complain. `allow`: exact "host:port"
    that are reached whatever their address and port, by any URL and any redirect; for operators and tests.
    `deny`: networks that are not reached although they look public, such as "198.103.0.0/16".
    `resolve` and `network` are for tests. Raises ConfigError.
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
    ) -> None:
        self._limits = limits or FetchLimits()
        self._allow = frozenset(map(parse_allowed_host, allow))
        self._cache = PageCache(cache_folder)
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

    async def close(self) -> None:
        await self._sites.close()

    async def fetch(self, url: str, *, robots: bool = True, max_age_s: float | None = None) -> FetchedPage:
        """GET. `robots`: ask the site's robots.txt first, as for sources; a URL that a person gave is asked without.

        `max_age_s`: how old a copy may be and still be used unasked, where the site does not want less; None: as the
        site says. Raises FetchRefused (what was wrong with the URL or address), FetchFailed.
        """
        target = url_policy.check_url(url, self._allow)
        started_s = time.monotonic()
        try:
            async with asyncio.timeout(self._limits.deadline_s):
                fetched = await self._fetch(target, robots, max_age_s)
        except TimeoutError as exc:
            raise FetchFailed(f"{target.host} did not answer within {self._limits.deadline_s:g} s", "silent") from exc
        took_ms = round(1000 * (time.monotonic() - started_s))
        log.info("page_fetched", host=target.host, bytes=len(fetched.body), cached=fetched.cached, took_ms=took_ms)
        return fetched

    async def _fetch(self, target: httpx.URL, robots: bool, max_age_s: float | None) -> FetchedPage:
        async with self._same_page.slot(str(target)) as entry:
            if entry.result is not None:  # it arrived while we waited
                return to_fetched(entry.result, cached=True)
            known = await self._cache.get(str(target))
            if known is not None and known.is_fresh(self._now(), max_age_s):
                return to_fetched(known, cached=True)
            entry.result = await self._ask(target, robots, known)
            return to_fetched(entry.result, cached=known is not None and entry.result.body is known.body)

    async def _ask(self, target: httpx.URL, robots: bool, known: CachedPage | None) -> CachedPage:
        """The page from its site; with the body of `known` if that still holds."""

        def headers_for(url: httpx.URL) -> Mapping[str, str]:
            return conditional_headers(known) if known is not None and known.url == str(url) else {}

        before = self._robots.require if robots else None
        async with self._sites.follow(target, before, headers_for) as landing:
            page = await self._taken(landing, known)
        if may_be_kept(landing.headers):
            await self._cache.keep(str(target), page)
        else:
            await self._cache.drop(str(target))
        return page

    async def _taken(self, landing: PageResponse, known: CachedPage | None) -> CachedPage:
        said = lifetime_s(landing.headers)
        if landing.status == 304 and known is not None and known.url == str(landing.url):
            lifetime = combined_lifetime_s([*landing.lifetimes, known.lifetime_s if said is None else said])
            return replace(known, fetched_at=self._now(), lifetime_s=lifetime)
        if landing.status not in (200, 203):
            raise landing.failure()
        media_type = media_type_of(landing.headers, landing.url.path)
        return CachedPage(
            url=str(landing.url),
            media_type=media_type,
            charset=charset_of(landing.headers),
            body=await landing.body(self._limits.body_bytes),
            fetched_at=self._now(),
            etag=validator(landing.headers, "etag"),
            last_modified=validator(landing.headers, "last-modified"),
            lifetime_s=combined_lifetime_s([*landing.lifetimes, said]),
        )

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


def conditional_headers(known: CachedPage) -> dict[str, str]:
    """What asks a site only for what is newer."""
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value is not None}


def to_fetched(page: CachedPage, *, cached: bool) -> FetchedPage:
    return FetchedPage(page.url, page.media_type, page.charset, page.body, page.fetched_at, cached)
