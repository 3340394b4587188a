"""The Bot Connector: botbuilder's client over our transport. Errors are those of delivery.

botbuilder supplies the paths and the serialisation. Its own sender uses `requests` in threads without a deadline, sends
the token along with redirects, and does not distinguish a 429.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import httpx
from botbuilder.schema import Activity
from botframework.connector import BotFrameworkConnectorConfiguration
from botframework.connector.aio import ConnectorClient
from cachetools import LRUCache
from msrest.pipeline import Request, Response
from msrest.pipeline.async_abc import AsyncHTTPSender, AsyncPipeline
from msrest.pipeline.universal import RawDeserializer
from msrest.universal_http import ClientRequest, HTTPClientResponse

from bindings.delivery.outlet import Gone, Refused
from bindings.incoming import Place
from bindings.teams import transport
from bindings.teams.credentials import Credentials
from bindings.teams.transport import HttpResponse, TrustedHosts

CLIENTS_LIMIT = 32  # one per service URL; Teams has one service URL per region
StreamEndReason = Literal["stopped", "late", "completed", "forbidden", "other"]

# Codes of a 403 or 404 that mean that the conversation or message no longer exists for the bot.
GONE_CODES = frozenset(
    {
        "ActivityNotFoundInConversation",
        "BotDisabledByAdmin",
        "BotNotInConversationRoster",
        "ConversationBlockedByUser",
        "ConversationNotFound",
        "MessageWritesBlocked",
        "NotEnoughPermissions",
    }
)
STREAM_CODE = "ContentStreamNotAllowed"


class StreamEnded(Refused):
    """The stream of a message has ended. The message may still be updated.

    stopped     the person pressed stop
    late        two minutes have passed
    completed   the final part was sent before
    forbidden   this person or bot may not stream
    other       any other reason, such as a text that does not continue the streamed text
    """

    code: ClassVar[str] = "stream_ended"

    def __init__(self, message: str, reason: StreamEndReason) -> None:
        super().__init__(message)
        self.reason: StreamEndReason = reason


class Connector:
    """Sends, updates and deletes activities.

    Methods raise DeliveryError and its subclass StreamEnded. They do not retry, except once with a new token.
    """

    def __init__(self, http: httpx.AsyncClient, credentials: Credentials | None, hosts: TrustedHosts) -> None:
        self._sender = ConnectorSender(http, credentials, hosts)
        self._hosts = hosts
        self._clients: LRUCache[str, Any] = LRUCache(CLIENTS_LIMIT)

    async def send(self, place: Place, activity: Activity) -> str:
        """Returns the id of the new activity; "" if Teams gives none, as within a stream."""
        resource = await self._operations(place).send_to_conversation(place.route["conversation"], activity)
        return str(getattr(resource, "id", None) or "")

    async def update(self, place: Place, activity_id: str, activity: Activity) -> None:
        await self._operations(place).update_activity(place.route["conversation"], activity_id, activity)

    async def delete(self, place: Place, activity_id: str) -> None:
        await self._operations(place).delete_activity(place.route["conversation"], activity_id)

    def _operations(self, place: Place) -> Any:
        """Returns botbuilder's operations. Keeps a client per URL, because building one is slow. Raises Refused."""
        service_url = place.route["service_url"]
        # For an empty URL, botbuilder would call a default address.
        check_connector(service_url, self._hosts)
        if service_url not in self._clients:
            settings = BotFrameworkConnectorConfiguration(False, service_url)
            settings.custom_pipeline = AsyncPipeline([], self._sender)
            self._clients[service_url] = ConnectorClient(None, custom_configuration=settings)
        return self._clients[service_url].conversations


class ConnectorSender(AsyncHTTPSender):  # type: ignore[type-arg]
    """Sends the requests of msrest's pipeline. Only trusted hosts receive the token."""

    def __init__(self, http: httpx.AsyncClient, credentials: Credentials | None, hosts: TrustedHosts) -> None:
        self._http = http
        self._credentials = credentials
        self._hosts = hosts

    async def send(self, request: Request[Any], **config: Any) -> Response[Any, Any]:
        http_request: ClientRequest = request.http_request
        check_connector(http_request.url, self._hosts)
        response = await self._send_authorized(http_request)
        raise_for_status(response)
        context = {RawDeserializer.CONTEXT_NAME: response.json()}
        return Response(request, ConnectorResponse(http_request, response), context)

    async def __aexit__(self, *exc_details: object) -> None:
        """Leaves the HTTP client open: the adapter closes it."""

    async def _send_authorized(self, request: ClientRequest) -> HttpResponse:
        """Replaces a rejected token once: Microsoft rotates keys, and the operator may replace the secret."""
        if self._credentials is None:
            return await self._call(request, {})
        token = await self._credentials.token()
        response = await self._call(request, {"Authorization": f"Bearer {token}"})
        if response.status != 401:
            return response
        self._credentials.forget(token)
        token = await self._credentials.token()
        return await self._call(request, {"Authorization": f"Bearer {token}"})

    async def _call(self, request: ClientRequest, authorization: dict[str, str]) -> HttpResponse:
        content = request.data.encode() if isinstance(request.data, str) else request.data
        headers = {**request.headers, **authorization}
        headers.pop("Content-Length", None)
        return await transport.call(self._http, request.method, request.url, headers=headers, content=content)


class ConnectorResponse(HTTPClientResponse):
    """A successful response for botbuilder's operations, which accept only three status codes."""

    def __init__(self, request: ClientRequest, response: HttpResponse) -> None:
        super().__init__(request, response)
        self.status_code = 200
        self.headers = dict(response.headers)
        self._body = response.body

    def body(self) -> bytes:
        return self._body


def check_connector(url: str, hosts: TrustedHosts) -> None:
    """Raises Refused for a host that may not receive the token."""
    if not hosts.is_connector(url):
        raise Refused(f"{transport.url_host(url)} is not a host of Teams: nothing is sent to it")


def raise_for_status(response: HttpResponse) -> None:
    """Raises the DeliveryError for a failed response. Source: Microsoft's pages on bots' error codes and streaming."""
    if 200 <= response.status < 300:
        return
    response.raise_if_transient("Teams")
    code, message = parse_error(response)
    if code == STREAM_CODE:
        raise StreamEnded("Teams ended the stream", parse_end_reason(message))
    if response.status in (404, 410) or code in GONE_CODES:
        raise Gone(f"the conversation or message no longer exists in Teams ({response.status})")
    raise Refused(explain_refusal(response.status, code))


def parse_error(response: HttpResponse) -> tuple[str, str]:
    """Returns the error's code and message, or empty texts."""
    error = response.json().get("error")
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code", "")), str(error.get("message", ""))


def parse_end_reason(message: str) -> StreamEndReason:
    """Teams has one code for all reasons; only the message differs."""
    lowered = message.lower()
    if "cancel" in lowered:
        return "stopped"
    if "exceeded streaming time" in lowered:
        return "late"
    if "completed streamed message" in lowered:
        return "completed"
    return "forbidden" if "stream is not allowed" in lowered else "other"


def explain_refusal(status: int, code: str) -> str:
    """Returns instructions for the operator."""
    reason = f"{status} {code}".strip() if code.isidentifier() else str(status)
    if status == 401:
        return (
            f"Teams does not accept this bot's token ({reason}): TEAMS_APP_ID must be the app that the Azure Bot "
            "resource names under Configuration, in the tenant of TEAMS_TENANT_ID"
        )
    if status == 403:
        return (
            f"Teams does not let this bot write here ({reason}): check that the app is allowed in the Teams admin "
            "center under Manage apps, and that the Teams channel is on in the Azure Bot resource"
        )
    return f"Teams refused a message ({reason})"
