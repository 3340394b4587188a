"""The Bot Connector: botbuilder's client for it, over our transport.

botbuilder knows the paths and how an activity is written. Its own sender runs `requests` in threads without a deadline,
follows redirects with the token in hand, and leaves a 429 to the caller as any other error; ours does none of that.
Every failure comes out in the family of delivery.
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
from bindings.teams import transport
from bindings.teams.credentials import Credentials
from bindings.teams.hosts import Hosts
from bindings.teams.transport import Answer

WHO = "Teams"
CLIENTS_LIMIT = 32  # service URLs: one a region
Ended = Literal["stopped", "late", "completed", "forbidden", "other"]

# What a 403 or 404 says when there is nobody to talk to any more.
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
    """Nothing more can be streamed to this message; it may still be updated.

    stopped     the person pressed stop
    late        the two minutes are over
    completed   it was finished before
    forbidden   this person or bot may not stream at all
    other       also: the text is no continuation of what was streamed
    """

    code: ClassVar[str] = "stream_ended"

    def __init__(self, message: str, why: Ended) -> None:
        super().__init__(message)
        self.why: Ended = why


class Connector:
    """Writes, updates and deletes activities.

    Methods raise DeliveryError: StreamEnded and what the family has. None retries, but for a token that was refused.
    """

    def __init__(self, http: httpx.AsyncClient, credentials: Credentials | None, hosts: Hosts) -> None:
        self._sender = Sender(http, credentials, hosts)
        self._hosts = hosts
        self._clients: LRUCache[str, Any] = LRUCache(CLIENTS_LIMIT)

    async def send(self, service_url: str, conversation: str, activity: Activity) -> str:
        """The id of the new activity; "" where Teams gives none, as within a stream."""
        made = await self._at(service_url).send_to_conversation(conversation, activity)
        return str(getattr(made, "id", None) or "")

    async def update(self, service_url: str, conversation: str, activity_id: str, activity: Activity) -> None:
        await self._at(service_url).update_activity(conversation, activity_id, activity)

    async def delete(self, service_url: str, conversation: str, activity_id: str) -> None:
        await self._at(service_url).delete_activity(conversation, activity_id)

    def client(self, service_url: str) -> Any:
        """botbuilder's; one for all calls to that address, as each takes a while to make. Raises Refused."""
        if not self._hosts.is_connector(service_url):  # botbuilder would call an address of its own for an empty one
            raise foreign(service_url)
        if service_url not in self._clients:
            pipeline = AsyncPipeline([], self._sender)
            settings = BotFrameworkConnectorConfiguration(False, service_url)
            settings.custom_pipeline = pipeline
            self._clients[service_url] = ConnectorClient(None, custom_configuration=settings)
        return self._clients[service_url]

    def _at(self, service_url: str) -> Any:
        return self.client(service_url).conversations


class Sender(AsyncHTTPSender):  # type: ignore[type-arg]
    """What msrest's pipeline sends with. Only the token's owner is ever sent the token."""

    def __init__(self, http: httpx.AsyncClient, credentials: Credentials | None, hosts: Hosts) -> None:
        self._http = http
        self._credentials = credentials
        self._hosts = hosts

    async def send(self, request: Request[Any], **config: Any) -> Response[Any, Any]:
        asked: ClientRequest = request.http_request
        if not self._hosts.is_connector(asked.url):
            raise foreign(asked.url)
        answer = await self._authorized(asked)
        raise_for(answer)
        return Response(request, Received(asked, answer), {RawDeserializer.CONTEXT_NAME: answer.json()})

    async def __aexit__(self, *exc_details: object) -> None:
        """The HTTP client belongs to whoever made it."""

    async def _authorized(self, asked: ClientRequest) -> Answer:
        """A token that is refused is fetched anew, once: its keys can be rotated, its secret replaced."""
        if self._credentials is None:
            return await self._exchange(asked, {})
        token = await self._credentials.token()
        answer = await self._exchange(asked, {"Authorization": f"Bearer {token}"})
        if answer.status != 401:
            return answer
        self._credentials.forget(token)
        token = await self._credentials.token()
        return await self._exchange(asked, {"Authorization": f"Bearer {token}"})

    async def _exchange(self, asked: ClientRequest, authorization: dict[str, str]) -> Answer:
        content = asked.data.encode() if isinstance(asked.data, str) else asked.data
        headers = {**asked.headers, **authorization}
        headers.pop("Content-Length", None)
        return await transport.call(self._http, asked.method, asked.url, headers=headers, content=content)


class Received(HTTPClientResponse):
    """An answer as botbuilder's operations look at it: they know three kinds of success."""

    def __init__(self, request: ClientRequest, answer: Answer) -> None:
        super().__init__(request, answer)
        self.status_code = 200
        self.headers = dict(answer.headers)
        self._body = answer.body

    def body(self) -> bytes:
        return self._body


def foreign(url: str) -> Refused:
    return Refused(f"{transport.host_of(url)} is no address of Teams: nothing is sent there")


def raise_for(answer: Answer) -> None:
    """What an answer that is no success means. Source: the error codes of Teams' pages on bots and streaming."""
    if 200 <= answer.status < 300:
        return
    transport.raise_if_passing(answer, WHO)
    code, text = error_of(answer)
    if code == STREAM_CODE:
        raise StreamEnded(f"{WHO} ended the stream", ended(text))
    if answer.status in (404, 410) or code in GONE_CODES:
        raise Gone(f"{WHO} knows no such conversation or message any more ({answer.status})")
    raise Refused(refusal(answer.status, code))


def error_of(answer: Answer) -> tuple[str, str]:
    error = answer.json().get("error")
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code", "")), str(error.get("message", ""))


def ended(text: str) -> Ended:
    """Teams has one code for all of these, and tells them apart in words."""
    words = text.lower()
    if "cancel" in words:
        return "stopped"
    if "exceeded streaming time" in words:
        return "late"
    if "completed streamed message" in words:
        return "completed"
    return "forbidden" if "stream is not allowed" in words else "other"


def refusal(status: int, code: str) -> str:
    named = f"{status} {code}".strip() if code.isidentifier() else str(status)
    if status == 401:
        return (
            f"{WHO} does not accept this bot's token ({named}): the app of TEAMS_APP_ID must be the one that the Azure "
            "Bot resource names under Configuration, in the tenant of TEAMS_TENANT_ID"
        )
    if status == 403:
        return (
            f"{WHO} does not let this bot write here ({named}): check that the app is allowed in the Teams admin "
            "center under Manage apps, and that the Teams channel is on in the Azure Bot resource"
        )
    return f"{WHO} refused a message ({named})"
