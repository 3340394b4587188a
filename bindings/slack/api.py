"""Calls to Slack: one connection pool, a deadline on each call, and Slack's errors as delivery errors.

Nothing is tried again here: whether a message may be posted twice is for those to decide who can look it up. (The SDK's
own client would repeat a post whose connection broke, and opens a connection of its own for every call.)
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bindings.delivery.outlet import DeliveryError, Gone, Refused, Throttled, Unreachable
from bindings.metrics import BotMetrics
from core.configuration.setting_sections import SlackSettings
from core.runtime.backoff import parse_retry_after

DEADLINE_S = 15.0
CONNECT_DEADLINE_S = 5.0
RETRY_AFTER_S = 30.0  # if Slack does not say; what its SDK assumes
RETRY_AFTER_LIMIT_S = 600.0

GONE = frozenset(
    {
        "account_inactive",
        "channel_not_found",
        "file_deleted",
        "is_archived",
        "message_not_found",
        "team_access_not_granted",
        "thread_not_found",
        "token_revoked",
        "user_not_found",
    }
)
AWAY = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"})
THROTTLING = frozenset({"message_limit_exceeded", "rate_limited", "ratelimited"})
APPS = "api.slack.com/apps"
ADVICE: Mapping[str, str] = {
    "account_inactive": f"the app or its bot was removed: install it again (Install App at {APPS})",
    "token_revoked": f"the token was revoked: install the app again (Install App at {APPS}) and set SLACK_BOT_TOKEN",
    "invalid_auth": f"the token is wrong: copy it from OAuth & Permissions at {APPS} to SLACK_BOT_TOKEN",
    "not_authed": f"the token is wrong: copy it from OAuth & Permissions at {APPS} to SLACK_BOT_TOKEN",
    "not_allowed_token_type": f"the token is of the wrong kind: SLACK_BOT_TOKEN is the xoxb- one at {APPS}",
    "not_in_channel": "the bot is not in the channel: invite it there with /invite",
    "restricted_action": "the workspace lets only some people write in that channel: an administrator can change it",
}


class Answered(DeliveryError):
    """Mixed into Gone and Refused: Slack understood, and said no. `reason` is its word for it."""

    reason: str = ""


class Vanished(Gone, Answered):
    pass


class Declined(Refused, Answered):
    pass


class Api:
    def __init__(self, settings: SlackSettings, metrics: BotMetrics, deadline_s: float = DEADLINE_S) -> None:
        assert settings.bot_token is not None, "the process checks that secrets are set"
        self._settings = settings
        self._calls = metrics.calls
        self._timeout = aiohttp.ClientTimeout(total=deadline_s, connect=CONNECT_DEADLINE_S)
        self.token = settings.bot_token.get_secret_value()
        self.web = AsyncWebClient(self.token, base_url=settings.api_base_url, retry_handlers=[], logger=quiet_logger())

    @property
    def session(self) -> aiohttp.ClientSession:
        """The pool that files and sockets use too."""
        assert self.web.session is not None, "open() comes first"
        return self.web.session

    async def open(self) -> None:
        if self.web.session is None:
            self.web.session = aiohttp.ClientSession(timeout=self._timeout)

    async def close(self) -> None:
        if self.web.session is not None:
            await self.web.session.close()

    async def write(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Arguments that are None are left out. Raises DeliveryError; what Slack declines is also an `Answered`."""
        return await self._call(method, json={k: v for k, v in arguments.items() if v is not None})

    async def read(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """As `write`, for methods that take no JSON."""
        params = {k: v for k, v in arguments.items() if v is not None}
        return await self._call(method, http_verb="GET", params=params)

    async def socket_url(self) -> str:
        """Of a new Socket Mode connection, good for one attempt within seconds."""
        assert self._settings.app_token is not None
        token = self._settings.app_token.get_secret_value()
        return str((await self._call("apps.connections.open", params={"token": token}))["url"])

    async def _call(self, method: str, **how: Any) -> Mapping[str, Any]:
        try:
            response = await self.web.api_call(method, **how)
            told = response.data if isinstance(response.data, dict) else {}
            answer = {**told, "scopes": response.headers.get("x-oauth-scopes", "")}
        # The SDK trips over some bodies that are no JSON with errors of Python's own.
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError, TypeError, AttributeError) as exc:
            error = of_slack(method, exc)
            self._calls.labels(outcome(error)).inc()
            raise error from exc
        self._calls.labels("ok").inc()
        return answer


def quiet_logger() -> logging.Logger:
    """For the SDK: at its logger's own level, it puts every call's arguments together for a line that nobody reads."""
    logger = logging.getLogger("bindings.slack.sdk")
    logger.setLevel(logging.ERROR)
    return logger


def outcome(error: DeliveryError) -> str:
    kinds = {Throttled: "throttled", Unreachable: "unreachable", Gone: "gone"}
    return next((name for kind, name in kinds.items() if isinstance(error, kind)), "refused")


def of_slack(method: str, exc: Exception) -> DeliveryError:
    """What an SDK's error means. Slack's words are in it, the arguments of the call are not."""
    response = getattr(exc, "response", None) if isinstance(exc, SlackApiError) else None
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    if response is None or status is None:
        return Unreachable(f"Slack cannot be reached ({method}: {type(exc).__name__})")
    data = getattr(response, "data", None)
    answer: Mapping[str, Any] = data if isinstance(data, dict) else {}
    reason = str(answer.get("error") or "")
    if status == 429 or reason in THROTTLING:
        return Throttled(f"Slack asks to slow down ({method})", retry_after_s=retry_after_s(response.headers))
    if status >= 500 or reason in AWAY or not reason:
        return Unreachable(f"Slack failed ({method}: status {status}{f', {reason}' if reason else ''})")
    return declined(method, reason, str(answer.get("needed") or ""))


def declined(method: str, reason: str, needed: str = "") -> Declined | Vanished:
    advice = ADVICE.get(reason, "")
    if reason == "missing_scope":
        advice = (
            f"the bot token lacks the scope {needed or 'that it needs'}: add it at {APPS} → OAuth & Permissions →"
            " Bot Token Scopes, and reinstall the app"
        )
    message = f"Slack refused {method}: {reason}{f'; {advice}' if advice else ''}"
    error = Vanished(message) if reason in GONE else Declined(message)
    error.reason = reason
    return error


def retry_after_s(headers: Mapping[str, str]) -> float:
    return parse_retry_after(headers.get("Retry-After"), RETRY_AFTER_S, RETRY_AFTER_LIMIT_S)
