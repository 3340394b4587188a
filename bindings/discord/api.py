"""Calls to Discord's HTTP API: one attempt each, with errors as `DeliveryError`. The caller decides about retries.

discord.py 2.7 retries on its own: it sleeps through rate limits, and for half a minute after 5xx. After a call that
uses up a limit, it sleeps before it returns the answer. If a call is cancelled during a global limit, it never sends
again.

Error codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import aiohttp
import discord
from discord.http import HTTPClient, MultipartParameters, Route

from bindings.delivery.context import require_lease
from bindings.delivery.outlet import CredentialsRefused, DeliveryError, Gone, Refused, Throttled, Unreachable, Unsent
from bindings.discord.refusals import BUSY, DEAD_TOKEN, NO_HISTORY, NO_PLACE
from bindings.metrics import BotMetrics
from core.runtime.backoff import Cooldowns, parse_retry_after

MessageBody = dict[str, Any]
ApiAction = Literal["post", "edit", "delete", "read", "upload", "answer", "direct"]

CALL_S = 10.0
UPLOAD_S = 60.0
CONNECT_S = 5.0
UNKNOWN_LIMIT_S = 5.0  # after a 429 without a duration
COOLDOWNS_LIMIT = 256  # above that, expired ones are dropped

PERMISSIONS: Mapping[ApiAction, str] = {
    "post": '"View Channel", "Send Messages", "Send Messages in Threads" and "Read Message History"',
    "edit": '"View Channel"',
    "delete": '"View Channel"',
    "read": '"View Channel" and "Read Message History"',
    "upload": '"Attach Files"',
    "answer": '"Use Application Commands"',
    "direct": "the right to write to people",
}
NOT_IMPLEMENTED = 501


class RouteCooldowns:
    """Routes that must not be called yet. Discord bans an address after 10,000 rejected calls in ten minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.cooldowns = Cooldowns(clock, COOLDOWNS_LIMIT)

    def check(self, route: Route) -> None:
        """Raises RateLimited."""
        until = max(self.cooldowns.until(key) for key in cooldown_keys(route))
        if (wait_s := until - self._clock()) > 0:
            raise discord.RateLimited(wait_s)

    def record_headers(self, route: Route, response: aiohttp.ClientResponse) -> None:
        if response.headers.get("X-RateLimit-Remaining") == "0":
            wait_s = parse_retry_after(response.headers.get("X-RateLimit-Reset-After"), 0.0)
            self.cooldowns.start(route_key(route), wait_s)

    def record_rejection(self, route: Route, response: aiohttp.ClientResponse, data: Any) -> discord.RateLimited:
        """Records a 429. Its body is more exact than its header, which has whole seconds."""
        body = data if isinstance(data, dict) else {}
        header_s = parse_retry_after(response.headers.get("Retry-After"), UNKNOWN_LIMIT_S)
        wait_s = parse_retry_after(body.get("retry_after"), header_s)
        self.cooldowns.start(cooldown_keys(route)[0] if body.get("global") else route_key(route), wait_s)
        return discord.RateLimited(wait_s)


class SingleAttemptClient(HTTPClient):
    """Replaces discord.py's HTTP client. Raises its exceptions, aiohttp's, TimeoutError and ValueError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._route_cooldowns = RouteCooldowns()
        self._http_session: aiohttp.ClientSession | None = None

    async def request(
        self,
        route: Route,
        *,
        files: Sequence[discord.File] | None = None,
        form: Iterable[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> Any:
        self._route_cooldowns.check(route)
        if form is not None:
            kwargs["data"] = build_form(form)
        reason = kwargs.pop("reason", None)
        timeout = aiohttp.ClientTimeout(total=UPLOAD_S if files else CALL_S, connect=CONNECT_S)
        async with self._session().request(
            route.method, route.url, headers=self._headers(reason), timeout=timeout, allow_redirects=False, **kwargs
        ) as response:
            return self._check(route, response, await decode_body(response))

    async def close(self) -> None:
        if self._http_session is not None:
            await self._http_session.close()
        await super().close()

    def _session(self) -> aiohttp.ClientSession:
        if self._http_session is None:
            self._http_session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._http_session

    def _headers(self, reason: str | None) -> dict[str, str]:
        headers = {"User-Agent": self.user_agent}
        if self.token is not None:
            headers["Authorization"] = f"Bot {self.token}"
        return {**headers, "X-Audit-Log-Reason": reason} if reason else headers

    def _check(self, route: Route, response: aiohttp.ClientResponse, data: Any) -> Any:
        self._route_cooldowns.record_headers(route, response)
        if 200 <= response.status < 300:
            return data
        if response.status == 429:
            raise self._route_cooldowns.record_rejection(route, response, data)
        errors = {403: discord.Forbidden, 404: discord.NotFound}
        other = discord.DiscordServerError if response.status >= 500 else discord.HTTPException
        raise errors.get(response.status, other)(response, data)


class DiscordApi:
    """`http` returns the HTTP client that is logged in now. Without `metrics`, calls are not counted."""

    def __init__(self, http: Callable[[], HTTPClient], metrics: BotMetrics | None = None) -> None:
        self._http = http
        self._metrics = metrics

    async def call(self, action: ApiAction, method: str, path: str, ids: Mapping[str, str], **content: Any) -> Any:
        """`path` has the keys of `ids` in braces. Raises DeliveryError."""
        route = Route(method, path, **ids)
        require_lease()
        try:
            answer = await self._http().request(route, **content)
        except Exception as exc:
            error = translate_error(exc, action, ids)
            self._count(type(error).__name__.lower())
            raise error from exc
        self._count("ok")
        return answer

    async def call_for_message(
        self, action: ApiAction, method: str, path: str, ids: Mapping[str, str], **content: Any
    ) -> MessageBody:
        """The same as `call`, for answers that must be an object with an id."""
        answer = await self.call(action, method, path, ids, **content)
        if not isinstance(answer, dict) or "id" not in answer:
            raise Unreachable(f"Discord's API answered a call ({action}) with something else than a message")
        return answer

    def _count(self, outcome: str) -> None:
        if self._metrics is not None:
            self._metrics.calls.labels(outcome).inc()


async def decode_body(response: aiohttp.ClientResponse) -> Any:
    """Raises ValueError if the JSON of a success is malformed. A proxy's error may have any body."""
    text = await response.text(encoding="utf-8", errors="replace")
    try:
        return json.loads(text) if response.content_type == "application/json" and text else text
    except ValueError:
        if response.ok:
            raise
        return text


def cooldown_keys(route: Route) -> tuple[str, ...]:
    """The keys of a route's limits. "" is the bot's global limit, which excludes interactions.

    https://discord.com/developers/docs/topics/rate-limits#global-rate-limit
    """
    own = route_key(route)
    return (own,) if route.path.startswith(("/interactions/", "/webhooks/")) else ("", own)


def route_key(route: Route) -> str:
    """Discord counts by route and by the channel, guild or webhook in it."""
    return f"{route.key} {route.major_parameters}"


def build_form(fields: Iterable[dict[str, Any]]) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)  # Discord does not understand quoted brackets
    for field in fields:
        form.add_field(**field)
    return form


def build_content(body: MessageBody, file: discord.File | None = None) -> dict[str, Any]:
    """The arguments of `HTTPClient.request` for a message, with a file or without."""
    if file is None:
        return {"json": body}
    params: MultipartParameters = discord.http.handle_message_parameters(file=file)
    head, *parts = params.multipart or []
    merged = {**discord.utils._from_json(head["value"]), **body}
    return {"form": [{**head, "value": discord.utils._to_json(merged)}, *parts], "files": [file]}


def translate_error(exc: Exception, action: ApiAction, ids: Mapping[str, str]) -> DeliveryError:
    """Raises `exc` itself if it is our own mistake."""
    target = f"channel {ids['channel_id']}" if "channel_id" in ids else "an interaction"
    match exc:
        case discord.RateLimited():
            return Throttled(f"Discord limits the rate of calls ({action})", retry_after_s=exc.retry_after)
        case discord.HTTPException():
            return translate_http_error(exc, action, target)
        case aiohttp.ClientConnectorError():
            return Unsent(f"Discord's API cannot be reached: {type(exc).__name__}")
        case aiohttp.ClientError() | OSError() | TimeoutError():
            return Unreachable(f"Discord's API cannot be reached: {type(exc).__name__}")
        case ValueError():
            return Unreachable("Discord's API answered with something that is not JSON")
    raise exc


def translate_http_error(exc: discord.HTTPException, action: ApiAction, target: str) -> DeliveryError:
    problem = f"Discord refused to {action} in {target} ({exc.status}, code {exc.code})"
    if exc.status == 429 or exc.code in BUSY:
        return Throttled(problem, retry_after_s=UNKNOWN_LIMIT_S)
    if (exc.status >= 500 and exc.status != NOT_IMPLEMENTED) or (exc.status == 403 and not exc.code):
        return Unreachable(f"Discord's API answered {exc.status}")  # 403 without a code is of a proxy or of Cloudflare
    if exc.status == 404 or exc.code in (*NO_PLACE, *DEAD_TOKEN):
        return Gone(f"{problem}: it no longer exists, or the bot has no access")
    if exc.status == 401:
        return CredentialsRefused(f"{problem}: the bot's token is no longer valid; set DISCORD_BOT_TOKEN to a new one")
    if exc.status == 403 or exc.code == NO_HISTORY:
        return Refused(f"{problem}: give the bot's role {PERMISSIONS[action]} there (channel settings, Permissions)")
    return Refused(problem)
