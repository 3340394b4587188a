"""The Bot Connector's calls, over our transport. Errors are those of delivery. Activities are botbuilder's.

Source: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import httpx
from botbuilder.schema import Activity

from bindings.delivery.outlet import CredentialsRefused, Gone, Refused
from bindings.incoming import Place
from bindings.teams import transport
from bindings.teams.credentials import Credentials
from bindings.teams.transport import HttpResponse, TrustedHosts

JSON = "application/json; charset=utf-8"
StreamEndReason = Literal["stopped", "late", "completed", "forbidden", "mismatch"]

# Codes of a 403 or 404 that mean that the message no longer exists, or the conversation for the bot.
MESSAGE_GONE_CODE = "ActivityNotFoundInConversation"
PLACE_GONE_CODES = frozenset(
    {
        "BotDisabledByAdmin",
        "BotNotInConversationRoster",
        "ConversationBlockedByUser",
        "ConversationNotFound",
        "MessageWritesBlocked",
        "NotEnoughPermissions",
    }
)
STREAM_CODE = "ContentStreamNotAllowed"
# Of a 403 within a stream, and of a 413: https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux and
# https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
TOO_LARGE_CODE = "MessageSizeTooBig"
TOO_LARGE_MESSAGE = "message size too large"


class StreamEnded(Refused):
    """The stream of a message has ended. The message may still be updated.

    stopped     the person pressed stop
    late        two minutes have passed
    completed   the final part was sent before
    forbidden   this person or bot may not stream
    mismatch    the text does not continue the streamed text; the stream itself goes on
    """

    code: ClassVar[str] = "stream_ended"

    def __init__(self, message: str, reason: StreamEndReason) -> None:
        super().__init__(message)
        self.reason: StreamEndReason = reason


class PlaceGone(Gone):
    """The bot can no longer write in the conversation; the person may be reached elsewhere."""


class TooLarge(Refused):
    """The message exceeds Teams' limit of about 100 KB: a shorter one may be accepted."""

    code: ClassVar[str] = "message_too_large"


class Dropped(Refused):
    """Teams answered 202 with an error: it has dropped a part of a stream that came out of order."""

    code: ClassVar[str] = "stream_part_dropped"


class Connector:
    """Sends, updates and deletes activities, and begins chats.

    Methods raise DeliveryError and its subclasses here. They do not retry, except once with a new token.
    """

    def __init__(self, http: httpx.AsyncClient, credentials: Credentials | None, hosts: TrustedHosts) -> None:
        self._http = http
        self._credentials = credentials
        self._hosts = hosts

    async def send(self, place: Place, activity: Activity) -> str:
        """Returns the id of the new activity; "" if Teams gives none, as within a stream."""
        return get_id(await self._call("POST", activities_url(place), activity.serialize()))

    async def update(self, place: Place, activity_id: str, activity: Activity) -> None:
        await self._call("PUT", activities_url(place, activity_id), activity.serialize())

    async def delete(self, place: Place, activity_id: str) -> None:
        await self._call("DELETE", activities_url(place, activity_id))

    async def begin_chat(self, place: Place) -> str:
        """Returns the conversation id of the personal chat with the person who wrote in `place`.

        Teams returns the same chat each time. Without the app, a person cannot be written to: 403.
        Source: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
        """
        route = place.route
        parameters = {
            "bot": {"id": route["bot"]},
            "members": [{"id": route["person"]}],
            "isGroup": False,
            "tenantId": place.tenant,
            "channelData": {"tenant": {"id": place.tenant}},
        }
        chat = get_id(await self._call("POST", conversations_url(place), parameters))
        if not chat:
            raise Refused("Teams began a chat without returning its id")
        return chat

    async def find_member(self, place: Place) -> None:
        """Asks for the person in the conversation. Shows nothing."""
        member = quote_id(place.route["person"])
        await self._call("GET", f"{conversations_url(place)}/{quote_id(place.route['conversation'])}/members/{member}")

    async def _call(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> HttpResponse:
        if not self._hosts.is_connector(url):
            raise Refused(f"{transport.url_host(url)} is not a host of Teams: nothing is sent to it")
        content = None if body is None else json.dumps(body).encode()
        response = await self._send_authorized(method, url, content)
        raise_for_status(response)
        return response

    async def _send_authorized(self, method: str, url: str, content: bytes | None) -> HttpResponse:
        """Replaces a rejected token once: Microsoft rotates keys, and the operator may replace the credential."""
        headers = {"Accept": "application/json", **({"Content-Type": JSON} if content is not None else {})}
        if self._credentials is None:
            return await transport.call(self._http, method, url, headers=headers, content=content)
        token = await self._credentials.token()
        headers["Authorization"] = f"Bearer {token}"
        response = await transport.call(self._http, method, url, headers=headers, content=content)
        if response.status != 401:
            return response
        self._credentials.forget(token)
        headers["Authorization"] = f"Bearer {await self._credentials.token()}"
        return await transport.call(self._http, method, url, headers=headers, content=content)


def conversations_url(place: Place) -> str:
    return f"{place.route['service_url'].rstrip('/')}/v3/conversations"


def activities_url(place: Place, activity_id: str = "") -> str:
    """Builds the URL of a conversation's activities, or of one of them. Ids come from webhook calls."""
    url = f"{conversations_url(place)}/{quote_id(place.route['conversation'])}/activities"
    return f"{url}/{quote_id(activity_id)}" if activity_id else url


def quote_id(text: str) -> str:
    """Quotes an id as one segment of a path. Clients resolve "." and "..", also if they are quoted."""
    if text.strip(".") == "":
        raise Refused("the id is not one of Teams")
    return quote(text, safe="")


def get_id(response: HttpResponse) -> str:
    value = response.json().get("id")
    return value if isinstance(value, str) else ""


def raise_for_status(response: HttpResponse) -> None:
    """Raises the DeliveryError for a failed response. Source: Microsoft's pages on bots' error codes and streaming."""
    code, message = parse_error(response)
    if 200 <= response.status < 300:
        if code:
            raise Dropped(f"Teams dropped a part of a stream ({explain(response.status, code)})")
        return
    response.raise_if_transient("Teams")
    if response.status == 413 or code == TOO_LARGE_CODE or TOO_LARGE_MESSAGE in message.lower():
        raise TooLarge("Teams refused a message as too large")
    if code == STREAM_CODE and (reason := parse_end_reason(response.status, message)):
        raise StreamEnded("Teams ended the stream", reason)
    if code in PLACE_GONE_CODES:
        raise PlaceGone(f"the bot can no longer write in this conversation in Teams ({explain(response.status, code)})")
    if response.status in (404, 410) or code == MESSAGE_GONE_CODE:
        raise Gone(f"the message no longer exists in Teams ({explain(response.status, code)})")
    if response.status == 401:
        raise CredentialsRefused(explain_refused_token(explain(response.status, code)))
    raise Refused(explain_refusal(response.status, code))


def parse_error(response: HttpResponse) -> tuple[str, str]:
    """Returns the error's code and message, or empty texts."""
    error = response.json().get("error")
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code", "")), str(error.get("message", ""))


def parse_end_reason(status: int, message: str) -> StreamEndReason | None:
    """Teams has one code for all reasons; only the message differs. None: an unknown one."""
    lowered = message.lower()
    if status == 403 and ("canceled by user" in lowered or "cancelled by user" in lowered):
        return "stopped"  # nothing else means that a person pressed stop
    if "exceeded streaming time" in lowered:
        return "late"
    if "completed streamed message" in lowered:
        return "completed"
    if "previously streamed" in lowered:
        return "mismatch"
    return "forbidden" if "stream is not allowed" in lowered else None


def explain(status: int, code: str) -> str:
    return f"{status} {code}" if code.isidentifier() else str(status)


def explain_refusal(status: int, code: str) -> str:
    """Returns instructions for the operator."""
    if status == 403:
        return (
            f"Teams does not let this bot write here ({explain(status, code)}): check that the app is allowed in the "
            "Teams admin center under Manage apps, and that the Teams channel is on in the Azure Bot resource"
        )
    return f"Teams refused a message ({explain(status, code)})"


def explain_refused_token(reason: str) -> str:
    return (
        f"Teams does not accept this bot's token ({reason}): TEAMS_APP_ID must be the app that the Azure Bot resource "
        "names under Configuration, in the tenant of TEAMS_TENANT_ID and the cloud of TEAMS_CLOUD"
    )
