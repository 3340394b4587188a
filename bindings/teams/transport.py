"""HTTP to Microsoft: one client, a deadline and a bounded body for each call. Follows no redirect by itself.

What goes wrong is told in the family of delivery: `Unreachable` for whatever may pass, `Refused` for what will not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bindings.delivery.outlet import Throttled, Unreachable
from bindings.files import CHUNK_BYTES, read_limited
from core import strict_json
from core.errors import BadRequest
from core.runtime.backoff import parse_retry_after

DEADLINE_S = 15.0  # Microsoft's own calls to us give up after as long
CONNECT_S = 5.0
ANSWER_LIMIT_BYTES = 1 << 20
CONNECTIONS = 50
RETRY_AFTER_S = 2.0  # where Teams says 429 and not how long
RETRY_AFTER_LIMIT_S = 3600.0
PASSING = frozenset(
    {408, 409, 412, 425}
)  # and all from 500: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> dict[str, Any]:
        """{} for anything that is not an object in JSON."""
        try:
            value = strict_json.parse(self.body, last_wins=True)
        except BadRequest:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def retry_after_s(self) -> float:
        return parse_retry_after(self.headers.get("Retry-After"), RETRY_AFTER_S, RETRY_AFTER_LIMIT_S)


def client() -> httpx.AsyncClient:
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
    limit_bytes: int = ANSWER_LIMIT_BYTES,
    deadline_s: float = DEADLINE_S,
) -> Answer:
    """Whatever its status. Raises Unreachable, and Refused for a body that is larger than the limit."""
    # `identity`, for a small compressed body can be a large one.
    asked = {"Accept-Encoding": "identity", **(headers or {})}
    try:
        async with (
            asyncio.timeout(deadline_s),
            http.stream(method, url, headers=asked, content=content, data=data) as response,
        ):
            body = await read_limited(response.aiter_bytes(CHUNK_BYTES), limit_bytes, host_of(url))
            return Answer(response.status_code, response.headers, body)
    except TimeoutError as exc:
        raise Unreachable(f"{host_of(url)} did not answer within {deadline_s:.0f} s") from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise Unreachable(f"{host_of(url)} cannot be reached: {type(exc).__name__}") from exc


def raise_if_passing(answer: Answer, who: str) -> None:
    """Throttled or Unreachable for what trying again later can help."""
    if answer.status == 429:
        raise Throttled(f"{who} says that we call too often", retry_after_s=answer.retry_after_s)
    if answer.status in PASSING or answer.status >= 500:
        raise Unreachable(f"{who} answered {answer.status}")


def host_of(url: str) -> str:
    """For messages and logs: the rest of a URL can be a secret."""
    try:
        return httpx.URL(url).host or "?"
    except (httpx.InvalidURL, ValueError):
        return "?"
