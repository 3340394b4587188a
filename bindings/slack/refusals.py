"""The meaning of Slack's error codes, by method. Pure.

One code means different things: `channel_not_found` of a post is a place without access, of a stream a recipient who
cannot have one. Each method's page in https://docs.slack.dev/reference/methods lists its codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from bindings.delivery.outlet import (
    CredentialsRefused,
    DeliveryError,
    Gone,
    Refused,
    Throttled,
    Unreachable,
    Unsent,
)
from core.runtime.backoff import parse_retry_after

RETRY_AFTER_S = 30.0  # without a Retry-After header; the SDK's default
RETRY_AFTER_LIMIT_S = 600.0

# Nothing is left to edit, delete or read. Every other refusal leaves an answer that must stand somewhere else.
GONE: Mapping[str, frozenset[str]] = {
    "chat.appendStream": frozenset({"message_not_found"}),
    "chat.stopStream": frozenset({"message_not_found"}),
    "chat.update": frozenset({"message_not_found"}),
    "chat.delete": frozenset({"message_not_found"}),
    "files.info": frozenset({"file_deleted", "file_not_found"}),
    "users.info": frozenset({"user_not_found", "user_not_visible"}),
}
UNAVAILABLE = frozenset(
    {
        "external_channel_migrating",
        "fatal_error",
        "internal_error",
        "messaging_processing_failed",
        "org_login_required",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "update_failed",
    }
)
DEAD_TOKEN = frozenset(
    {"account_inactive", "invalid_auth", "not_authed", "status 401", "token_expired", "token_revoked"}
)
RATE_LIMITED = frozenset({"message_limit_exceeded", "rate_limited", "ratelimited"})
NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
# Statuses of a response without Slack's error code: from a proxy, or from Slack's edge.
REFUSED_STATUSES = frozenset({400, 401, 403, 404, 405, 410, 411, 413, 414, 415, 422, 431, 501})

# The message is refused, not its place: a plainer form of the same content may be accepted.
CONTENT = frozenset(
    {
        "attachment_payload_limit_exceeded",
        "invalid_arguments",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_chunks",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "markdown_text_conflict",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_blocks_too_many",
        "msg_too_long",
        "no_text",
        "status 400",
        "status 413",
    }
)
# The bot may post nothing there, whatever the message looks like.
NO_POSTS = frozenset(
    {
        "access_denied",
        "cannot_reply_to_message",
        "channel_not_found",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "is_archived",
        "is_inactive",
        "messages_tab_disabled",
        "missing_scope",
        "no_permission",
        "not_in_channel",
        "posting_to_channel_denied",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "team_access_not_granted",
        "team_not_found",
        "thread_not_found",
    }
)

APPS = "api.slack.com/apps"
WRONG_TOKEN = f"the token is wrong: copy it from OAuth & Permissions at {APPS} to SLACK_BOT_TOKEN"
NEW_TOKEN = f"install the app again (Install App at {APPS}) and set SLACK_BOT_TOKEN"
ADVICE: Mapping[str, str] = {
    "account_inactive": f"the app or its bot was removed: install it again (Install App at {APPS})",
    "token_revoked": f"the token was revoked: {NEW_TOKEN}",
    "token_expired": f"the token has expired: turn off token rotation for the app, {NEW_TOKEN}",
    "invalid_auth": WRONG_TOKEN,
    "not_authed": WRONG_TOKEN,
    "status 401": WRONG_TOKEN,
    "not_allowed_token_type": f"the token has the wrong type: SLACK_BOT_TOKEN is the xoxb- token at {APPS}",
    "not_in_channel": "the bot is not in the channel: invite it there with /invite",
    "restricted_action": "the workspace restricts who posts in that channel: an administrator can change this",
}


class SlackErrorResponse(DeliveryError):
    """Slack understood the call and declined it. `reason` is Slack's error code, or "status 413" without one."""

    method: str = ""
    reason: str = ""

    @property
    def is_from_proxy(self) -> bool:
        """True for a response without Slack's error code, which may not be Slack's own."""
        return self.reason.startswith("status ") and not isinstance(self, CredentialsRefused)


class SlackCredentialsRefused(CredentialsRefused, SlackErrorResponse):
    pass


class SlackGone(Gone, SlackErrorResponse):
    pass


class SlackRefused(Refused, SlackErrorResponse):
    pass


def translate_error(method: str, exc: Exception) -> DeliveryError:
    """The delivery error for an error of the SDK. It contains Slack's error code, but no argument of the call."""
    response = getattr(exc, "response", None) if isinstance(exc, SlackApiError) else None
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    if response is None or status is None:
        kind = Unsent if isinstance(exc, NOT_CONNECTED) else Unreachable
        return kind(f"Slack cannot be reached ({method}: {type(exc).__name__})")
    data = getattr(response, "data", None)
    answer: Mapping[str, Any] = data if isinstance(data, dict) else {}
    reason = str(answer.get("error") or "")
    if status == 429 or reason in RATE_LIMITED:
        return Throttled(f"Slack's rate limit ({method})", retry_after_s=retry_after_s(response.headers))
    if is_lasting(status, reason):
        return build_refusal(method, reason or f"status {status}", str(answer.get("needed") or ""))
    return Unreachable(f"Slack failed ({method}: status {status}{f', {reason}' if reason else ''})")


def is_lasting(status: int, reason: str) -> bool:
    """True if a retry cannot help. 501 is an answer, unlike other statuses from 500: there is no such method."""
    if reason in UNAVAILABLE:
        return False
    return status in REFUSED_STATUSES or bool(reason and status < 500)


def build_refusal(method: str, reason: str, needed: str = "") -> SlackErrorResponse:
    """The error for Slack's error code `reason`, with advice for the operator. `needed` is a missing scope."""
    advice = ADVICE.get(reason, "")
    if reason == "missing_scope":
        advice = (
            f"the bot token lacks the scope {needed or 'that it needs'}: add it at {APPS} → OAuth & Permissions →"
            " Bot Token Scopes, and reinstall the app"
        )
    message = f"Slack refused {method}: {reason}{f'; {advice}' if advice else ''}"
    error: SlackErrorResponse
    if reason in DEAD_TOKEN:
        error = SlackCredentialsRefused(message)
    else:
        error = SlackGone(message) if reason in GONE.get(method, ()) else SlackRefused(message)
    error.method, error.reason = method, reason
    return error


def retry_after_s(headers: Mapping[str, str]) -> float:
    return parse_retry_after(headers.get("Retry-After"), RETRY_AFTER_S, RETRY_AFTER_LIMIT_S)
