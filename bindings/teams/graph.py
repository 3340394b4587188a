"""Reads a channel's thread or a group chat, and shared files, from Microsoft Graph, where the app is permitted to.

Bots receive neither earlier messages nor files of channels and group chats. The permissions are those of one team or
chat (`ChannelMessage.Read.Group`, `ChatMessage.Read.Chat`) and of its site. Without them, Graph answers 403 and nothing
is read. Sources: https://learn.microsoft.com/graph/api/chatmessage-list-replies,
https://learn.microsoft.com/graph/api/chat-list-messages, https://learn.microsoft.com/graph/api/shares-get
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import httpx
import structlog
from cachetools import LRUCache

from bindings.delivery.outlet import Gone, Refused
from bindings.incoming import IncomingMessage, Place, ThreadMessages
from bindings.teams import transport
from bindings.teams.activities import get_text
from bindings.teams.credentials import Credentials
from bindings.teams.graph_messages import build_thread
from bindings.teams.transport import TrustedHosts

log = structlog.get_logger()

PAGE_MESSAGES = 50  # Graph's limit
PAGES_LIMIT = 5
RESPONSE_LIMIT_BYTES = 8 << 20  # a page of messages of 100 KB, and their cards
TEAMS_KEPT = 1000
DEADLINE_S = 8.0


class GraphReader:
    """Methods raise DeliveryError. `credentials` get tokens for Graph, `connector_credentials` for the connector."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        credentials: Credentials | None,
        connector_credentials: Credentials | None,
        hosts: TrustedHosts,
        app_id: str,
    ) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}/v1.0"
        self._credentials = credentials
        self._connector_credentials = connector_credentials
        self._hosts = hosts
        self._app_id = app_id
        self._groups: LRUCache[str, str] = LRUCache(TEAMS_KEPT)  # ids in the directory by the team's id in Teams

    def file_address(self, url: str, author: str) -> str:
        """The address in Graph of a file that `author` shared; "" outside SharePoint, where it is a link."""
        is_shared = bool(author) and self._hosts.has_files(url)
        return f"{self._url}/shares/{encode_share(url)}/driveItem#{quote(author, safe='')}" if is_shared else ""

    def is_graph(self, url: str) -> bool:
        return url.startswith(f"{self._url}/shares/")

    async def find_download(self, address: str) -> str:
        """Returns the URL at which a file can be downloaded without a token.

        Raises Refused unless the author of the message uploaded the file: otherwise people could have the bot read
        files that they may not read themselves. A message may refer to any file.
        """
        url, _, author = address.partition("#")
        item = await self._get(url)
        if quote(get_text(item, "createdBy", "user", "id"), safe="").casefold() != author.casefold() or not author:
            raise Refused("the author of the message did not upload the file")
        return get_text(item, "@microsoft.graph.downloadUrl")

    async def thread_messages(self, incoming: IncomingMessage) -> ThreadMessages:
        """The messages since the bot's last one, and what the question's activity lacks. Empty if forbidden."""
        place = incoming.place
        if place.kind == "personal":
            return ThreadMessages()  # all messages there are to the bot, with their files
        try:
            messages = await self._read_channel(place) if place.kind == "channel" else await self._read_chat(place)
        except (Gone, Refused) as exc:
            log.info("graph_thread_refused", kind=place.kind, problem=exc.message)
            return ThreadMessages()
        return build_thread(messages, incoming, self._app_id, self.file_address)

    async def _read_channel(self, place: Place) -> list[dict[str, Any]]:
        group = place.route.get("team_group") or await self._find_group(place)
        thread = f"teams/{quote_id(group)}/channels/{quote_id(place.channel)}/messages/{quote_id(place.thread or '')}"
        root = await self._get(f"{self._url}/{thread}")
        return [root, *await self._read_pages(f"{self._url}/{thread}/replies?$top={PAGE_MESSAGES}", PAGES_LIMIT)]

    async def _read_chat(self, place: Place) -> list[dict[str, Any]]:
        order = f"$top={PAGE_MESSAGES}&$orderby=createdDateTime%20desc"
        return await self._read_pages(f"{self._url}/chats/{quote_id(place.channel)}/messages?{order}", 1)

    async def _read_pages(self, url: str, pages: int) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        for _ in range(pages):
            page = await self._get(url)
            values = page.get("value")
            messages.extend(each for each in values if isinstance(each, dict)) if isinstance(values, list) else None
            url = get_text(page, "@odata.nextLink")
            if not url.startswith(f"{self._url}/"):  # the token goes to no other host
                break
        return messages

    async def _get(self, url: str) -> dict[str, Any]:
        return await self._call(url, await build_headers(self._credentials), "Microsoft Graph")

    async def _find_group(self, place: Place) -> str:
        """Asks the connector for the team's id in the directory, which not all activities have.

        Source: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context
        """
        team = place.route.get("team", "")
        if team not in self._groups:
            url = f"{place.route['service_url'].rstrip('/')}/v3/teams/{quote_id(team)}"
            if not self._hosts.is_connector(url):
                raise Refused(f"{transport.url_host(url)} is not a host of Teams")
            details = await self._call(url, await build_headers(self._connector_credentials), "Teams")
            self._groups[team] = get_text(details, "aadGroupId")
        return self._groups[team]

    async def _call(self, url: str, headers: dict[str, str], sender: str) -> dict[str, Any]:
        response = await transport.call(
            self._http, "GET", url, headers=headers, limit_bytes=RESPONSE_LIMIT_BYTES, deadline_s=DEADLINE_S
        )
        response.raise_if_transient(sender)
        if response.status == 404:
            raise Gone(f"{sender} does not know it")
        if response.status != 200:
            raise Refused(f"{sender} answered {response.status}")
        return response.json()


async def build_headers(credentials: Credentials | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {await credentials.token()}"} if credentials else {}


def encode_share(url: str) -> str:
    """Encodes a sharing URL as Graph's reference of `shares` describes."""
    return "u!" + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def quote_id(text: str) -> str:
    """Quotes an id as one segment of a path. Clients resolve "." and "..", also if they are quoted. Raises Refused."""
    if not text.strip("."):
        raise Refused("the id is not one of Teams")
    return quote(text, safe=":@")
