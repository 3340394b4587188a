"""HTTP to Microsoft: the hosts that are trusted, and calls with a deadline and a bounded body. Follows no redirect.

A webhook call itself names the URL for its answer (`serviceUrl`). With a free choice, an attacker would receive the
bot's token. Therefore only hosts that Microsoft controls are called.
Source: https://learn.microsoft.com/microsoftteams/platform/teams-sdk/essentials/app-configuration/service-url-validation
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from bindings.delivery.context import require_lease
from bindings.delivery.outlet import Throttled, Unreachable, Unsent
from bindings.files import CHUNK_BYTES, read_limited
from core import strict_json
from core.errors import BadRequest
from core.microsoft_clouds import CLOUDS, MicrosoftCloud
from core.runtime.backoff import parse_retry_after

DEADLINE_S = 15.0  # Microsoft's own calls to the bot have the same deadline
CONNECT_S = 5.0
BODY_LIMIT_BYTES = 1 << 20
CONNECTIONS = 50
RETRY_AFTER_S = 2.0  # for a 429 without Retry-After
RETRY_AFTER_LIMIT_S = 3600.0
# Transient, like all statuses from 500 but 501: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
TRANSIENT_STATUSES = frozenset({408, 409, 412, 425})
NOT_IMPLEMENTED = 501
NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class TrustedHosts:
    """The hosts that may receive the bot's token, and the hosts of people's files. Pure.

    `clouds`: those of Microsoft; none for the playground, which runs on this machine. `loopback`: trusts this machine
    on any port. The login is no connector: it gets the credential itself, and the token is of no use there.
    """

    def __init__(self, clouds: Iterable[MicrosoftCloud] = (CLOUDS["public"],), *, loopback: bool = False) -> None:
        self._clouds = tuple(clouds)
        self._loopback = loopback

    def is_connector(self, url: str) -> bool:
        """True if answers may be sent to this URL, with the bot's token."""
        return self._is_trusted(url, MicrosoftCloud.is_connector)

    def has_files(self, url: str) -> bool:
        """True if a person's files may be at this URL. They are transferred without a token."""
        return self._is_trusted(url, MicrosoftCloud.has_files)

    def _is_trusted(self, url: str, holds: Callable[[MicrosoftCloud, str], bool]) -> bool:
        parts = parse_url(url)
        if parts is None:
            return False
        host = parts.hostname or ""
        if self._loopback and is_loopback(host):
            return True
        is_https = parts.scheme == "https" and parts.port in (None, 443)
        return is_https and any(holds(cloud, host) for cloud in self._clouds)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> dict[str, Any]:
        """Returns {} unless the body is a JSON object."""
        try:
            value = strict_json.parse(self.body, last_wins=True)
        except BadRequest:
            return {}
        return value if isinstance(value, dict) else {}

    def raise_if_transient(self, sender: str) -> None:
        """Raises Throttled or Unreachable if a retry can help. `sender` names the service in the error."""
        if self.status == 429:
            retry_after_s = parse_retry_after(self.headers.get("Retry-After"), RETRY_AFTER_S, RETRY_AFTER_LIMIT_S)
            raise Throttled(f"{sender} limits the rate of calls", retry_after_s=retry_after_s)
        if self.status in TRANSIENT_STATUSES or (self.status >= 500 and self.status != NOT_IMPLEMENTED):
            pause_s = parse_retry_after(self.headers.get("Retry-After"), 0.0, RETRY_AFTER_LIMIT_S)
            raise Unreachable(f"{sender} answered {self.status}", retry_after_s=pause_s or None)


def build_client() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=10)
    timeout = httpx.Timeout(DEADLINE_S, connect=CONNECT_S)
    return httpx.AsyncClient(timeout=timeout, limits=limits, follow_redirects=False)


async def call(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    data: Mapping[str, str] | None = None,
    limit_bytes: int = BODY_LIMIT_BYTES,
    deadline_s: float = DEADLINE_S,
) -> HttpResponse:
    """Returns the response with any status. Raises Unreachable and Unsent, and Refused for a body above the limit."""
    require_lease()
    # A small compressed body can be large when it is decompressed.
    sent_headers = {"Accept-Encoding": "identity", **(headers or {})}
    try:
        async with (
            asyncio.timeout(deadline_s),
            http.stream(method, url, headers=sent_headers, content=content, data=data) as response,
        ):
            body = await read_limited(response.aiter_bytes(CHUNK_BYTES), limit_bytes, url_host(url))
            return HttpResponse(response.status_code, response.headers, body)
    except TimeoutError as exc:
        raise Unreachable(f"{url_host(url)} did not answer within {deadline_s:.0f} s") from exc
    except NO_CONNECTION as exc:
        raise Unsent(f"{url_host(url)} cannot be reached: {type(exc).__name__}") from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise Unreachable(f"{url_host(url)} cannot be reached: {type(exc).__name__}") from exc


def url_host(url: str) -> str:
    """Returns the host, for errors and logs: the rest of a URL can be a secret."""
    try:
        return httpx.URL(url).host or "?"
    except (httpx.InvalidURL, ValueError):
        return "?"


def parse_url(url: str) -> SplitResult | None:
    """Returns None for URLs that clients parse differently: with spaces, backslashes, non-ASCII or a user name."""
    if not url.isascii() or not url.isprintable() or any(each in url for each in " \\"):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    is_usable = parts.scheme in ("https", "http") and parts.hostname and "@" not in parts.netloc
    return parts if is_usable and port != 0 else None


def url_origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
