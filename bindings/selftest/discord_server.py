"""A stand-in for Discord on loopback: the parts of its REST API and gateway that the bot uses.

It refuses long and empty messages and long nonces, as Discord does. It remembers nonces, replays missed events to a
client that resumes, and injects faults.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from bindings.selftest.discord_faults import ApiFault, build_failure
from bindings.selftest.discord_gateway import FakeGateway
from bindings.selftest.discord_payloads import ALICE, CHANNEL, ME, RawPayload, payload
from bindings.selftest.loopback import serve_on_loopback

EPOCH_MS = 1_420_070_400_000
TOKEN = "a-token-of-the-bot"  # noqa: S105
EPHEMERAL, LOADING = 1 << 6, 1 << 7
BODY: web.RequestKey[Any] = web.RequestKey("body", object)


class FakeDiscord(FakeGateway):
    def __init__(self) -> None:
        super().__init__()
        self.me = str(ME["id"])
        self.messages: dict[str, RawPayload] = {}
        self.commands: list[RawPayload] = []
        self.channels: dict[str, RawPayload] = {}  # besides threads of CHANNEL, which other ids name
        self.users: dict[str, RawPayload] = {}
        self.install_types = ["0"]
        self.interactions: dict[str, RawPayload] = {}  # by token
        self.faults: list[ApiFault] = []
        self.calls: list[tuple[str, str, Any]] = []
        self.typing: list[str] = []
        self.files: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}  # added to each answer
        self.application_flags = int(payload("ready")["application"]["flags"])
        self.sessions_left = 1000
        self.middlewares: list[Middleware] = []
        self.url = ""
        self.base = ""
        self._ids = 0

    # ---------------------------------------------------------------- server

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[FakeDiscord]:
        app = web.Application(middlewares=[*self.middlewares, self._inject_faults], client_max_size=2**24)
        api = "/api/v10"
        app.add_routes(
            [
                web.get(f"{api}/users/@me", self._me),
                web.get(f"{api}/oauth2/applications/@me", self._application),
                web.get(f"{api}/gateway/bot", self._gateway_bot),
                web.post(f"{api}/users/@me/channels", self._open_direct),
                web.get(f"{api}/applications/{{app}}/commands", self._commands),
                web.put(f"{api}/applications/{{app}}/commands", self._put_commands),
                web.get(f"{api}/guilds/{{guild}}/roles", self._roles),
                web.get(f"{api}/channels/{{channel}}", self._channel),
                web.get(f"{api}/users/{{user}}", self._user),
                web.get(f"{api}/channels/{{channel}}/messages/{{message}}", self._message),
                web.post(f"{api}/channels/{{channel}}/typing", self._type),
                web.get(f"{api}/channels/{{channel}}/messages", self._history),
                web.post(f"{api}/channels/{{channel}}/messages", self._post),
                web.patch(f"{api}/channels/{{channel}}/messages/{{message}}", self._patch),
                web.delete(f"{api}/channels/{{channel}}/messages/{{message}}", self._delete),
                web.post(f"{api}/interactions/{{interaction}}/{{token}}/callback", self._callback),
                web.post(f"{api}/webhooks/{{app}}/{{token}}", self._follow_up),
                web.get(f"{api}/webhooks/{{app}}/{{token}}/messages/{{message}}", self._reply_get),
                web.patch(f"{api}/webhooks/{{app}}/{{token}}/messages/{{message}}", self._reply_patch),
                web.delete(f"{api}/webhooks/{{app}}/{{token}}/messages/{{message}}", self._reply_delete),
                web.get("/cdn/{name}", self._cdn),
                web.get("/gateway/", self.serve_gateway),
            ]
        )
        async with serve_on_loopback(app) as self.url:
            self.base = f"{self.url}{api}"
            yield self

    @property
    def gateway_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/gateway/"

    # ------------------------------------------------ for tests: events and calls

    async def send(self, name: str = "message_mention", **changes: Any) -> RawPayload:
        """Sends a recorded message."""
        message = self.record(name, **changes)
        await self.emit("MESSAGE_CREATE", message)
        return message

    def record(self, name: str, **changes: Any) -> RawPayload:
        """Adds a recorded message to its channel. Returns its event."""
        message = payload(name, **changes)
        in_event = ("guild_id", "member")  # and not in the message itself
        self.messages[message["id"]] = {key: value for key, value in message.items() if key not in in_event}
        return message

    async def interact(self, name: str, **changes: Any) -> RawPayload:
        """Sends a recorded slash command or button press with the current time."""
        now = {"id": self.snowflake(), "token": f"token-{self.snowflake()}"}
        interaction = payload(name, **{**now, **changes})
        self.interactions[interaction["token"]] = {"interaction": interaction, "callback": None, "original": None}
        await self.emit("INTERACTION_CREATE", interaction)
        return interaction

    def reply_to(self, interaction: RawPayload) -> RawPayload:
        """The reply to an interaction; {}: none yet."""
        original = self.interactions[interaction["token"]]["original"]
        return self.messages[original] if original else {}

    def posts(self) -> list[RawPayload]:
        return [each for each in self.messages.values() if each["author"]["id"] == ME["id"]]

    def snowflake(self) -> str:
        self._ids += 1
        return str((int(time.time() * 1000) - EPOCH_MS << 22) + self._ids)

    def calls_to(self, part: str) -> list[Any]:
        """The bodies of calls whose "METHOD /path" contains `part`."""
        return [body for method, path, body in self.calls if part in f"{method} {path}"]

    # ------------------------------------------------------------------ REST

    @web.middleware
    async def _inject_faults(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/gateway"):
            response: web.StreamResponse = await handler(request)
            return response
        target = f"{request.method} {request.path}"
        fault = next((each for each in self.faults if each.part in target and each.times > 0), None)
        if not request.path.startswith("/cdn") and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return web.json_response({"code": 0, "message": "401: Unauthorized"}, status=401)
        if fault is None or fault.takes_effect:
            body = await self._body(request)
            self.calls.append((request.method, request.path, body))
            response = await handler(request)
            self.notify()
        if fault is not None:
            fault.times -= 1
            response = build_failure(fault)
            if fault.status == 0 and request.transport is not None:
                request.transport.close()
        response.headers.update(self.headers)
        return response

    async def _body(self, request: web.Request) -> Any:
        if request.content_type == "application/json":
            request[BODY] = await request.json()
        elif request.content_type == "multipart/form-data":
            form = await request.post()
            request[BODY] = json.loads(str(form["payload_json"]))
            file: Any = form["files[0]"]
            self.uploads[file.filename] = file.file.read()
            request[BODY]["attachments"] = [{"id": "1", "filename": file.filename, "url": "", "size": 1}]
        else:
            request[BODY] = dict(request.query)
        return request[BODY]

    async def _me(self, _: web.Request) -> web.Response:
        return web.json_response(ME)

    async def _application(self, _: web.Request) -> web.Response:
        app = {
            "id": ME["id"],
            "name": "Whisper",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0",
            "flags": self.application_flags,
            "owner": ALICE,
            "team": None,
            "rpc_origins": [],
            "integration_types_config": {each: {} for each in self.install_types},
        }
        return web.json_response(app)

    async def _gateway_bot(self, _: web.Request) -> web.Response:
        left = {"total": 1000, "remaining": self.sessions_left, "reset_after": 0, "max_concurrency": 1}
        self.sessions_left = max(self.sessions_left, 1)
        return web.json_response(
            {"url": self.gateway_url, "shards": self.recommended_shards, "session_start_limit": left}
        )

    async def _commands(self, request: web.Request) -> web.Response:
        assert request.query["with_localizations"] == "true"
        return web.json_response(self.commands)

    async def _put_commands(self, request: web.Request) -> web.Response:
        """Adds ids and defaults, as Discord does."""
        self.commands = [
            {**each, "id": self.snowflake(), "dm_permission": True, "nsfw": False} for each in request[BODY]
        ]
        return web.json_response(self.commands)

    async def _roles(self, _: web.Request) -> web.Response:
        return web.json_response(payload("guild_create")["roles"])

    async def _channel(self, request: web.Request) -> web.Response:
        channel = request.match_info["channel"]
        thread = {"id": channel, "type": 11, "parent_id": CHANNEL}
        return web.json_response(self.channels.get(channel, thread))

    async def _open_direct(self, request: web.Request) -> web.Response:
        return web.json_response({"id": f"9{request[BODY]['recipient_id']}"[:20], "type": 1})

    async def _user(self, request: web.Request) -> web.Response:
        user = self.users.get(request.match_info["user"])
        return web.json_response(user or {"code": 10013, "message": "Unknown User"}, status=200 if user else 404)

    async def _message(self, request: web.Request) -> web.Response:
        message = self.messages.get(request.match_info["message"])
        if message is None or message["channel_id"] != request.match_info["channel"]:
            return unknown_message()
        return web.json_response(message)

    async def _type(self, request: web.Request) -> web.Response:
        self.typing.append(request.match_info["channel"])
        return web.Response(status=204)

    async def _history(self, request: web.Request) -> web.Response:
        after, before = int(request.query.get("after", 0)), int(request.query.get("before", 2**63))
        channel, limit = request.match_info["channel"], int(request.query["limit"])
        messages = [
            each
            for each in self.messages.values()
            if each["channel_id"] == channel and after < int(each["id"]) < before
        ]
        newest_first = sorted(messages, key=lambda each: -int(each["id"]))[:limit]
        return web.json_response(
            [{key: value for key, value in each.items() if key != "nonce"} for each in newest_first]
        )

    async def _post(self, request: web.Request) -> web.Response:
        body = request[BODY]
        if refused := refusal(body):
            return refused
        existing = [each for each in self.posts() if body.get("nonce") and each.get("nonce") == body["nonce"]]
        if existing and body.get("enforce_nonce"):
            return web.json_response(existing[0])
        reference = body.get("message_reference")
        if reference and reference["message_id"] not in self.messages and reference.get("fail_if_not_exists", True):
            return web.json_response({"code": 50035, "message": "Invalid Form Body"}, status=400)
        return web.json_response(self.add_post(request.match_info["channel"], body))

    def add_post(self, channel: str, body: RawPayload, **more: Any) -> RawPayload:
        post = {
            "id": self.snowflake(),
            "channel_id": channel,
            "author": ME,
            "attachments": [],
            "components": [],
            **body,
        }
        self.messages[post["id"]] = {"content": "", "type": 0, **post, **more}
        return self.messages[post["id"]]

    async def _patch(self, request: web.Request) -> web.Response:
        return self._change(request.match_info["message"], request[BODY])

    def _change(self, message: str, body: RawPayload) -> web.Response:
        if message not in self.messages:
            return unknown_message()
        if refused := refusal({**self.messages[message], **body}):
            return refused
        flags = self.messages[message].get("flags", 0) & EPHEMERAL | body.get("flags", 0) & ~LOADING
        self.messages[message].update({**body, "flags": flags})
        return web.json_response(self.messages[message])

    async def _delete(self, request: web.Request) -> web.Response:
        if self.messages.pop(request.match_info["message"], None) is None:
            return unknown_message()
        return web.Response(status=204)

    # ---------------------------------------------------------- interactions

    async def _callback(self, request: web.Request) -> web.Response:
        record = self.interactions.get(request.match_info["token"])
        if record is None:
            return web.json_response({"code": 10062, "message": "Unknown interaction"}, status=404)
        if record["callback"]:
            return web.json_response({"code": 40060, "message": "Already acknowledged"}, status=400)
        record["callback"] = request[BODY]
        if request[BODY]["type"] == 5:
            by = {"id": record["interaction"]["id"], "user": ALICE}
            flags = request[BODY].get("data", {}).get("flags", 0) | LOADING
            post = self.add_post(record["interaction"]["channel_id"], {"flags": flags}, interaction_metadata=by)
            record["original"] = post["id"]
        return web.Response(status=204)

    async def _follow_up(self, request: web.Request) -> web.Response:
        record = self.interactions[request.match_info["token"]]
        if refused := refusal(request[BODY]):
            return refused
        by = {"id": record["interaction"]["id"], "original_response_message_id": record["original"]}
        post = self.add_post(record["interaction"]["channel_id"], request[BODY], interaction_metadata=by)
        return web.json_response(post)

    def _reply(self, request: web.Request) -> str:
        message = request.match_info["message"]
        return str(self.interactions[request.match_info["token"]]["original"] if message == "@original" else message)

    async def _reply_get(self, request: web.Request) -> web.Response:
        message = self.messages.get(self._reply(request))
        return unknown_message() if message is None else web.json_response(message)

    async def _reply_patch(self, request: web.Request) -> web.Response:
        return self._change(self._reply(request), request[BODY])

    async def _reply_delete(self, request: web.Request) -> web.Response:
        message = self.messages.pop(self._reply(request), None)
        return unknown_message() if message is None else web.Response(status=204)

    async def _cdn(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name.startswith("elsewhere"):
            raise web.HTTPFound("http://127.0.0.1:9/secret")
        if name not in self.files:
            raise web.HTTPNotFound
        return web.Response(body=self.files[name])


def unknown_message() -> web.Response:
    return web.json_response({"code": 10008, "message": "Unknown Message"}, status=404)


def refusal(body: RawPayload) -> web.Response | None:
    """The error for a body that Discord refuses."""
    code = 0
    if len(body.get("content") or "") > 2000 or len(str(body.get("nonce") or "")) > 25:
        code = 50035
    elif not (body.get("content") or "").strip() and not body.get("attachments"):
        code = 50006
    elif body.get("allowed_mentions") != {"parse": [], "replied_user": False}:
        code = 50035  # Discord takes it; here a text that could ping is a defect of the bot
    return web.json_response({"code": code, "message": "refused"}, status=400) if code else None
