"""Requests to sites: one GET at a time, through guarded connections, along redirects that are each checked again.

Owns concurrency per host, timeouts and the translation of httpcore's errors. Knows no cache and no robots.txt. The
caller reads the response.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpcore
import httpx

from core.errors import FetchFailed, FetchFault
from core.rag.fetching.connection import GuardedTransport
from core.rag.fetching.page_cache import redirect_lifetime_s
from core.rag.fetching.response import read_body
from core.rag.fetching.url_policy import check_redirect, url_origin
from core.runtime.keyed_limiter import KeyedLimiter

REDIRECTS = {301, 302, 303, 307, 308}
REDIRECTS_LIMIT = 3
STATUS_REASONS: Mapping[int, FetchFault] = {
    **dict.fromkeys((401, 403, 407), "login"),
    **dict.fromkeys((404, 410), "missing"),
    **dict.fromkeys((429, 503), "busy"),
}
WIRE_OVERHEAD = 2  # bytes on the wire for one byte of the body: chunks have borders

BeforeRequest = Callable[[httpx.URL], Awaitable[None]]
HeadersFor = Callable[[httpx.URL], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """The limits of one fetch."""

    deadline_s: float = 10.0  # of everything: waiting, robots.txt and redirects included
    connect_s: float = 4.0  # for each address of a host, and for TLS
    silence_s: float = 6.0  # without a byte
    body_bytes: int = 8 * 2**20  # unpacked
    at_once: int = 2  # requests to one host
    connections: int = 20  # to all hosts


@dataclass(frozen=True, slots=True)
class PageResponse:
    """A response that is no redirect, with its body unread. `lifetimes`: that of each redirect."""

    url: httpx.URL
    response: httpx.Response
    lifetimes: tuple[float | None, ...]

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers

    def failure(self) -> FetchFailed:
        """Returns the error of a status without a page."""
        reason = STATUS_REASONS.get(self.status, "status")
        return FetchFailed(f"{self.url.host} answers with status {self.status}", reason, self.status)

    async def body(self, limit_bytes: int, *, cut: bool = False) -> bytes:
        """Reads the body. Raises FetchFailed if it is too long, unless it may be `cut`."""
        self.response.extensions["network_stream"].grant_body(WIRE_OVERHEAD * limit_bytes)
        assert isinstance(self.response.stream, httpx.AsyncByteStream)
        return await read_body(self.headers, self.response.stream, limit_bytes, cut=cut)


class SiteClient:
    """Sends requests as `user_agent`. `allow`: "host:port" that URLs may name without checks."""

    def __init__(
        self, transport: GuardedTransport, user_agent: str, allow: frozenset[str], limits: FetchLimits
    ) -> None:
        self._transport = transport
        self._allow = allow
        self._per_host: KeyedLimiter[None] = KeyedLimiter(limits.at_once)
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.5",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        waits = {"connect": limits.connect_s, "read": limits.silence_s, "write": limits.silence_s}
        self._timeout = {**waits, "pool": limits.deadline_s}

    async def close(self) -> None:
        await self._transport.aclose()

    @asynccontextmanager
    async def follow(
        self, url: httpx.URL, before: BeforeRequest | None = None, headers_for: HeadersFor = lambda _: {}
    ) -> AsyncIterator[PageResponse]:
        """Sends a GET and follows redirects. Calls `before` with each URL first; `headers_for` adds headers.

        Raises FetchRefused for a redirect to a forbidden URL, FetchFailed.
        """
        lifetimes: list[float | None] = []
        for _ in range(REDIRECTS_LIMIT + 1):
            if before is not None:
                await before(url)
            async with self._request(url, headers_for(url)) as response:
                location = response.headers.get("location")
                if response.status_code not in REDIRECTS or location is None:
                    yield PageResponse(url, response, tuple(lifetimes))
                    return
                lifetimes.append(redirect_lifetime_s(response.status_code, response.headers))
            url = check_redirect(url, location, self._allow)
        raise FetchFailed(f"{url.host} redirects more than {REDIRECTS_LIMIT} times", "broken")

    @asynccontextmanager
    async def _request(self, url: httpx.URL, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        request = httpx.Request("GET", url, headers={**self._headers, **headers}, extensions={"timeout": self._timeout})
        async with self._per_host.slot(url_origin(url)):
            with translate_errors(url.host):
                response = await self._transport.handle_async_request(request)
                try:
                    yield response
                finally:
                    await response.aclose()


@contextmanager
def translate_errors(host: str) -> Iterator[None]:
    """Translates httpcore's errors."""
    try:
        yield
    except httpcore.TimeoutException as exc:
        raise FetchFailed(f"{host} takes too long to answer", "silent") from exc
    except httpcore.NetworkError as exc:
        raise FetchFailed(f"{host} cannot be reached", "silent") from exc
    except ssl.SSLError as exc:
        # httpcore does not translate it after the handshake, when some sites ask for our certificate.
        raise FetchFailed(f"{host} broke off the encrypted connection", "broken") from exc
    except httpcore.ProtocolError as exc:
        raise FetchFailed(f"{host} did not send a complete and valid HTTP response", "broken") from exc
