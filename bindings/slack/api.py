"""Calls to Slack: one connection pool, and a deadline for each call.

Does not retry: only a caller that can look a message up may post it again. The SDK's own client would repeat a post
whose connection broke, and opens a connection for every call.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bindings.delivery.context import require_lease
from bindings.delivery.outlet import CredentialsRefused, DeliveryError, Gone, Refused, Throttled, Unreachable, Unsent
from bindings.metrics import BotMetrics
from bindings.slack.refusals import NOT_CONNECTED, retry_after_s, translate_error
from core.configuration.platform_sections import SlackSettings

log = structlog.get_logger()

DEADLINE_S = 15.0
CONNECT_DEADLINE_S = 5.0
NO_PINGS: Mapping[str, Any] = {"unfurl_links": False, "unfurl_media": False, "parse": "none", "link_names": False}


class SlackApi:
    def __init__(self, settings: SlackSettings, metrics: BotMetrics, deadline_s: float = DEADLINE_S) -> None:
        assert settings.bot_token is not None, "the process checks that secrets are set"
        self._settings = settings
        self._calls = metrics.calls
        self._timeout = aiohttp.ClientTimeout(total=deadline_s, connect=CONNECT_DEADLINE_S)
        self.token = settings.bot_token.get_secret_value()
        self.web = AsyncWebClient(self.token, base_url=settings.api_base_url, retry_handlers=[], logger=quiet_logger())

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connection pool, also for files and sockets."""
        assert self.web.session is not None, "open() comes first"
        return self.web.session

    async def open(self) -> None:
        if self.web.session is None:
            self.web.session = aiohttp.ClientSession(timeout=self._timeout)

    async def close(self) -> None:
        if self.web.session is not None:
            await self.web.session.close()

    async def write(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Calls a method with the arguments that are not None. Raises DeliveryError; SlackErrorResponse if declined."""
        return await self._call(method, json={k: v for k, v in arguments.items() if v is not None})

    async def read(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Calls a method that accepts no JSON. Otherwise like `write`."""
        params = {k: v for k, v in arguments.items() if v is not None}
        return await self._call(method, http_verb="GET", params=params)

    async def post_message(self, channel: str, thread: str | None, **message: Any) -> str:
        """Posts a message, with `text` and `blocks`, that unfurls and pings nothing. Returns its ts."""
        answer = await self.write("chat.postMessage", channel=channel, thread_ts=thread, **message, **NO_PINGS)
        return str(answer["ts"])

    async def show_status(self, method: str, **arguments: str | None) -> None:
        """Calls a method that sets a status. An answer does not need one, so a failure is only logged."""
        try:
            await self.write(method, **arguments)
        except DeliveryError as error:
            log.info("slack_status_failed", problem=error.message)

    async def socket_url(self) -> str:
        """The URL of a new Socket Mode connection, valid for one attempt within seconds."""
        assert self._settings.app_token is not None
        token = self._settings.app_token.get_secret_value()
        return str((await self._call("apps.connections.open", params={"token": token}))["url"])

    @asynccontextmanager
    async def request(self, verb: str, url: str, purpose: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """Requests a file, an upload or a response URL, without redirects. Raises DeliveryError.

        Responses of less than 500, except 429, are the caller's, and those of 501. `purpose` names the request in
        errors: "a file".
        """
        if not self._is_slack_url(url):
            raise Refused(f"the URL of {purpose} is not on Slack's hosts")
        require_lease()
        try:
            async with self.session.request(verb, url, allow_redirects=False, **options) as response:
                if response.status == 429:
                    raise Throttled(f"Slack's rate limit ({purpose})", retry_after_s=retry_after_s(response.headers))
                if response.status >= 500 and response.status != 501:
                    raise Unreachable(f"Slack failed ({purpose}: status {response.status})")
                yield response
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            kind = Unsent if isinstance(exc, NOT_CONNECTED) else Unreachable
            raise kind(f"Slack cannot be reached ({purpose}: {type(exc).__name__})") from exc

    def _is_slack_url(self, url: str) -> bool:
        """Accepts the API's host and hosts below its domain. URLs are stored data, and the token goes with some."""
        base = urlsplit(self.web.base_url)
        try:
            parts = urlsplit(url)
            below = parts.scheme == "https" and f".{parts.hostname}".endswith(f".{base.hostname}") and not parts.port
        except ValueError:
            return False
        return (below or (parts.scheme, parts.netloc) == (base.scheme, base.netloc)) and parts.username is None

    async def _call(self, method: str, **options: Any) -> Mapping[str, Any]:
        require_lease()
        try:
            response = await self.web.api_call(method, **options)
            data = response.data if isinstance(response.data, dict) else {}
            answer = {**data, "scopes": response.headers.get("x-oauth-scopes", "")}
        # The SDK raises Python's own errors for some bodies that are not JSON.
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError, TypeError, AttributeError) as exc:
            error = translate_error(method, exc)
            self._calls.labels(outcome_label(error)).inc()
            raise error from exc
        self._calls.labels("ok").inc()
        return answer


def quiet_logger() -> logging.Logger:
    """A logger for the SDK, which otherwise formats the arguments of every call for a debug line."""
    logger = logging.getLogger("bindings.slack.sdk")
    logger.setLevel(logging.ERROR)
    return logger


def outcome_label(error: DeliveryError) -> str:
    kinds = {
        Throttled: "throttled",
        Unreachable: "unreachable",
        Gone: "gone",
        CredentialsRefused: "credentials_refused",
    }
    return next((name for kind, name in kinds.items() if isinstance(error, kind)), "refused")
