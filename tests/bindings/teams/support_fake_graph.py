"""Microsoft Graph on a local port: messages of channels and chats, and files in SharePoint."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bindings.selftest.loopback import serve_on_loopback

GROUP = "fbe2bf47-16c8-47cf-b4a5-4b9b187c508b"
Message = dict[str, Any]


@dataclass
class FakeGraph:
    """`messages` by the path of their collection, newest first as Graph returns them. `page`: messages per page."""

    url: str = ""
    messages: dict[str, list[Message]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # the uploader by a file's address
    files: dict[str, bytes] = field(default_factory=dict)  # contents by name
    download_host: str = ""  # of the addresses that need no token; "": this server
    next_host: str = ""  # of links to the next page
    status: int = 200
    page: int = 50
    calls: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeGraph]:
        app = web.Application()
        app.add_routes(
            [
                web.get("/v1.0/shares/{share}/driveItem", self._item),
                web.get("/v1.0/{path:.+}", self._messages),
                web.get("/amer/v3/teams/{team}", self._team),
                web.get("/download/{name}", self._download),
            ]
        )
        async with serve_on_loopback(app) as self.url:
            yield self

    def share(self, name: str, owner: str, content: bytes) -> Message:
        """Stores a file, and returns the attachment by which a message refers to it."""
        url = f"{self.url}/sites/team/{name}"
        self.owners[url], self.files[name] = owner, content
        return {"id": f"id-of-{name}", "contentType": "reference", "contentUrl": url, "name": name}

    def _record(self, request: web.Request) -> None:
        self.calls.append(request.path)
        self.tokens.append(request.headers.get("Authorization"))

    async def _messages(self, request: web.Request) -> web.Response:
        self._record(request)
        path = request.match_info["path"]
        if self.status != 200:
            return web.json_response({"error": {"code": "Forbidden"}}, status=self.status)
        if path in self.messages:
            skip = int(request.query.get("$skip", 0))
            rest = self.messages[path][skip : skip + self.page]
            more = len(self.messages[path]) > skip + self.page
            link = f"{self.next_host or self.url}/v1.0/{path}?$skip={skip + self.page}"
            return web.json_response({"value": rest, **({"@odata.nextLink": link} if more else {})})
        collection, _, name = path.rpartition("/")
        found = [each for each in self.messages.get(collection, []) if each["id"] == name]
        return web.json_response(found[0]) if found else web.json_response({}, status=404)

    async def _item(self, request: web.Request) -> web.Response:
        self._record(request)
        share = request.match_info["share"].removeprefix("u!")
        url = base64.urlsafe_b64decode(share + "=" * (-len(share) % 4)).decode()
        if url not in self.owners:
            return web.json_response({}, status=404)
        download = f"{self.download_host or self.url}/download/{url.rpartition('/')[2]}"
        user = {"id": self.owners[url], "displayName": "Somebody"}
        return web.json_response({"createdBy": {"user": user}, "@microsoft.graph.downloadUrl": download})

    async def _team(self, request: web.Request) -> web.Response:
        self._record(request)
        return web.json_response({"id": request.match_info["team"], "aadGroupId": GROUP})

    async def _download(self, request: web.Request) -> web.Response:
        self._record(request)
        return web.Response(body=self.files[request.match_info["name"]])


def message(number: int, text: str, author: str = "Adele Vance", *attachments: Message, **more: Any) -> Message:
    """A message in the form of Graph's reference. Its author's id is the name in lower case."""
    user = {"id": author.casefold(), "displayName": author, "userIdentityType": "aadUser"}
    return {
        "id": str(number),
        "messageType": "message",
        "deletedDateTime": None,
        "subject": None,
        "importance": "normal",
        "from": {"application": None, "device": None, "user": user},
        "body": {"contentType": "html", "content": text},
        "attachments": list(attachments),
        "mentions": [],
        **more,
    }


def bot_message(number: int, app_id: str) -> Message:
    application = {"id": app_id, "displayName": "Whisper", "applicationIdentityType": "bot"}
    return message(number, "<p>An answer</p>", **{"from": {"application": application, "user": None}})
