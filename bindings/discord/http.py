"""Discord's HTTP API, one try a call: in place of the SDK's own way of trying, which sleeps where nobody sees it.

discord.py 2.7 sleeps through rate limits (and, after a call that used one up, before it hands over the answer), retries
5xx by itself for half a minute, and, if a call is cancelled during a global limit, never sends anything again. Here a
limit that is used up or answered raises `discord.RateLimited` at once. Who asked decides when to come back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import aiohttp
import discord
from discord.http import HTTPClient, Route

from core.runtime.backoff import parse_retry_after
from core.runtime.cooldowns import Cooldowns

CALL_S = 10.0
UPLOAD_S = 60.0
CONNECT_S = 5.0
UNKNOWN_LIMIT_S = 5.0  # a 429 that does not say how long
LIMITS_IN_VIEW = 256  # above that, those that are over are forgotten


class Limits:
    """Which calls are not worth sending yet: 10,000 refused ones in ten minutes get an address banned."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._cooldowns = Cooldowns(clock, LIMITS_IN_VIEW)

    def check(self, route: Route) -> None:
        """Raises RateLimited."""
        until = max(self._cooldowns.until(each) for each in keys_of(route))
        if (wait_s := until - self._clock()) > 0:
            raise discord.RateLimited(wait_s)

    def learn(self, route: Route, response: aiohttp.ClientResponse) -> None:
        if response.headers.get("X-RateLimit-Remaining") == "0":
            self.close(key_of(route), parse_retry_after(response.headers.get("X-RateLimit-Reset-After"), 0.0))

    def hit(self, route: Route, response: aiohttp.ClientResponse, data: Any) -> discord.RateLimited:
        """A 429. What the body says is more exact than the header, which is in whole seconds."""
        body = data if isinstance(data, dict) else {}
        header_s = parse_retry_after(response.headers.get("Retry-After"), UNKNOWN_LIMIT_S)
        wait_s = parse_retry_after(body.get("retry_after"), header_s)
        self.close(keys_of(route)[0] if body.get("global") else key_of(route), wait_s)
        return discord.RateLimited(wait_s)

    def close(self, key: str, wait_s: float) -> None:
        self._cooldowns.start(key, wait_s)


class OneTry(HTTPClient):
    """What discord.py's client calls Discord with. Raises its exceptions, aiohttp's, TimeoutError, ValueError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.limits = Limits()
        self._calls: aiohttp.ClientSession | None = None

    async def request(
        self,
        route: Route,
        *,
        files: Sequence[discord.File] | None = None,
        form: Iterable[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> Any:
        self.limits.check(route)
        if form is not None:
            kwargs["data"] = form_of(form)
        reason = kwargs.pop("reason", None)
        timeout = aiohttp.ClientTimeout(total=UPLOAD_S if files else CALL_S, connect=CONNECT_S)
        async with self._session().request(
            route.method, route.url, headers=self._headers(reason), timeout=timeout, allow_redirects=False, **kwargs
        ) as response:
            return self._answer(route, response, await decoded(response))

    async def close(self) -> None:
        if self._calls is not None:
            await self._calls.close()
        await super().close()

    def _session(self) -> aiohttp.ClientSession:
        if self._calls is None:
            self._calls = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._calls

    def _headers(self, reason: str | None) -> dict[str, str]:
        headers = {"User-Agent": self.user_agent}
        if self.token is not None:
            headers["Authorization"] = f"Bot {self.token}"
        return {**headers, "X-Audit-Log-Reason": reason} if reason else headers

    def _answer(self, route: Route, response: aiohttp.ClientResponse, data: Any) -> Any:
        self.limits.learn(route, response)
        if 200 <= response.status < 300:
            return data
        if response.status == 429:
            raise self.limits.hit(route, response, data)
        kinds = {403: discord.Forbidden, 404: discord.NotFound}
        kind = discord.DiscordServerError if response.status >= 500 else discord.HTTPException
        raise kinds.get(response.status, kind)(response, data)


async def decoded(response: aiohttp.ClientResponse) -> Any:
    """Raises ValueError if an answer is not the JSON that it says it is; what a proxy refuses with may be anything."""
    text = await response.text(encoding="utf-8", errors="replace")
    try:
        return json.loads(text) if response.content_type == "application/json" and text else text
    except ValueError:
        if response.ok:
            raise
        return text


def keys_of(route: Route) -> tuple[str, ...]:
    """Of the limits that it is under: "" is that of the whole bot, under which interactions are not.

    https://discord.com/developers/docs/topics/rate-limits#global-rate-limit
    """
    own = key_of(route)
    return (own,) if route.path.startswith(("/interactions/", "/webhooks/")) else ("", own)


def key_of(route: Route) -> str:
    """Discord counts by route and by the channel, guild or webhook in it."""
    return f"{route.key} {route.major_parameters}"


def form_of(fields: Iterable[dict[str, Any]]) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)  # Discord does not understand quoted brackets
    for each in fields:
        form.add_field(**each)
    return form
