"""A stand-in for a Slack workspace on loopback: Web API, files, response URLs and Socket Mode, as strict as documented.

It refuses text beside Markdown, long blocks and an append to a closed stream, as Slack does. It fails as a test scripts
it, and keeps the visible messages.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Middleware

from bindings.selftest.loopback import serve_on_loopback
from bindings.selftest.slack_directory import FakeSlackDirectory, error_body
from bindings.selftest.slack_faults import Trouble, trouble_response
from bindings.selftest.slack_rules import (
    MARKDOWN_LIMIT,
    SESSION_STATUSES,
    filter_by_time,
    find_block_error,
    find_session_error,
    find_stream_error,
    find_update_error,
)

TEAM, BOT_USER, BOT, PERSON = "T0001", "U0BOT", "B0BOT", "U0ANN"
BOT_TOKEN, APP_TOKEN = "xoxb-1-good", "xapp-1-good"
RESPONSES_LIMIT = 5
SCOPES = "app_mentions:read,chat:write,channels:history,groups:history,im:history,mpim:history"


class FakeSlack(FakeSlackDirectory):
    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)  # by channel and ts, in order
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.trouble: dict[str, deque[Trouble | None]] = defaultdict(deque)  # by method; None: the call succeeds
        self.choose_trouble: Callable[[str], Trouble | None] = lambda _method: None
        self.choose_error: Callable[[str, dict[str, Any]], str | None] = lambda _method, _arguments: None
        self.permanent_errors: dict[str, str] = {}  # method → the error of each call
        self.scopes = SCOPES
        self.files: dict[str, dict[str, Any]] = {}
        self.downloads: dict[str, web.Response] = {}  # by name, at /files/<name>
        self.ephemeral_messages: list[dict[str, Any]] = []
        self.response_status = 200
        self.response_error = ""  # such as "expired_url"
        self.response_uses: Counter[str] = Counter()
        self.deletions: list[dict[str, Any]] = []  # of ephemeral messages
        self.absent: set[str] = set()  # channels that the person has left
        self.statuses: list[dict[str, Any]] = []
        self.prompts: list[dict[str, Any]] = []
        self.experience: Literal["agent", "assistant", "none"] = "agent"
        self.sessions: dict[tuple[str, str], dict[str, str]] = {}  # of an agent, by channel and thread
        self.file_requests: list[tuple[str, str]] = []  # path, authorization
        self.bot_is_member = True
        self.sockets: list[web.WebSocketResponse] = []
        self.socket_tickets: set[str] = set()
        self.connected = asyncio.Event()
        self.acks: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.sends_hello = True
        self.ignores_pings = False
        self.counter = itertools.count(1)
        self.url = ""
        self.middlewares: list[Middleware] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeSlack]:
        app = web.Application(middlewares=self.middlewares)
        app.router.add_route("*", "/api/{method}", self.handle_call)
        app.router.add_post("/upload/{id}", self.receive_upload)
        app.router.add_get("/files/{name}", self.serve_file)
        app.router.add_post("/response/{id}", self.receive_response)
        app.router.add_get("/socket", self.serve_socket)
        async with serve_on_loopback(app) as self.url:
            try:
                yield self
            finally:
                for socket in self.sockets:
                    await socket.close()

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    # ------------------------------------------------------------ the Web API

    async def handle_call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await read_arguments(request)
        self.calls.append((method, arguments))
        try:
            return await self.answer(request, method, arguments)
        finally:
            self.notify()

    async def answer(self, request: web.Request, method: str, arguments: dict[str, Any]) -> web.StreamResponse:
        trouble = self.trouble[method].popleft() if self.trouble[method] else self.choose_trouble(method)
        if trouble and not trouble.done:
            return trouble_response(request, trouble)
        if error := self.choose_error(method, arguments):
            return web.json_response(error_body(error))
        handler = getattr(self, method.replace(".", "_"), lambda _: error_body("unknown_method"))
        result = self.refusal(request, method) or handler(arguments)
        if trouble:
            return trouble_response(request, trouble)
        return web.json_response(result, headers={"x-oauth-scopes": self.scopes})

    def refusal(self, request: web.Request, method: str) -> dict[str, Any] | None:
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if request.headers.get("Authorization") != f"Bearer {wanted}":
            return error_body("invalid_auth")
        return error_body(self.permanent_errors[method]) if method in self.permanent_errors else None

    def new_ts(self) -> str:
        return f"{1_760_000_000 + next(self.counter)}.000100"

    def add_message(
        self, channel: str, text: str, *, thread: str | None = None, user: str = PERSON, **more: Any
    ) -> str:
        """Adds a person's message. Returns its ts."""
        ts = self.new_ts()
        self.messages[channel][ts] = {"type": "message", "user": user, "text": text, "ts": ts, **more}
        if thread:
            self.messages[channel][ts]["thread_ts"] = thread
        return ts

    def auth_test(self, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"ok": True, "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT, "user": "whisper"}

    def chat_postMessage(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if error := self.find_error(arguments):
            return error_body(error)
        return self.store_post(arguments, blocks=arguments.get("blocks") or [], text=arguments.get("text", ""))

    def chat_update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        message = self.find_message(arguments)
        missing = "message_not_found" if message is None else None
        if error := self.find_error(arguments) or missing or find_update_error(arguments.get("text") or ""):
            return error_body(error)
        assert message is not None
        if message.get("streaming"):
            return error_body("streaming_state_conflict")
        message.update(blocks=arguments.get("blocks") or [], text=arguments.get("text", ""), streamed="", edited=True)
        if arguments.get("metadata"):
            message["metadata"] = arguments["metadata"]
        return {"ok": True, "ts": arguments["ts"], "channel": arguments["channel"]}

    def chat_postEphemeral(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Shows a message to one person, who must be in the channel."""
        if error := self.find_error(arguments):
            return error_body(error)
        if arguments["user"] not in self.people_in(arguments["channel"]):
            return error_body("user_not_in_channel")
        self.ephemeral_messages.append(arguments)
        return {"ok": True, "message_ts": self.new_ts()}

    def conversations_open(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Opens a direct conversation, whose id contains the person's."""
        user = arguments.get("users") or ""
        return {"ok": True, "channel": {"id": f"D{user}"}} if user.startswith("U") else error_body("user_not_found")

    def people_in(self, channel: str) -> set[str]:
        return {PERSON} if channel not in self.absent else set()

    def chat_startStream(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if not arguments.get("thread_ts"):
            return error_body("invalid_thread_ts")
        if not arguments["channel"].startswith("D"):
            for key in ("recipient_user_id", "recipient_team_id"):
                if not arguments.get(key):
                    return error_body(f"missing_{key}")
        if len(arguments.get("markdown_text", "")) > MARKDOWN_LIMIT:
            return error_body("msg_too_long")
        return self.store_post(arguments, streaming=True, streamed=arguments.get("markdown_text", ""), blocks=[])

    def chat_appendStream(self, arguments: dict[str, Any]) -> dict[str, Any]:
        message = self.find_message(arguments)
        if error := find_stream_error(message):
            return error_body(error)
        if not arguments.get("markdown_text") or len(arguments["markdown_text"]) > MARKDOWN_LIMIT:
            return error_body("invalid_arguments")
        assert message is not None
        message["streamed"] += arguments["markdown_text"]
        return {"ok": True, "ts": arguments["ts"], "channel": arguments["channel"]}

    def chat_stopStream(self, arguments: dict[str, Any]) -> dict[str, Any]:
        message = self.find_message(arguments)
        if error := find_stream_error(message) or find_block_error(arguments.get("blocks") or []):
            return error_body(error)
        assert message is not None
        message["streamed"] += arguments.get("markdown_text", "")
        message.update(streaming=False, blocks=arguments.get("blocks") or [])
        if arguments.get("metadata"):
            message["metadata"] = arguments["metadata"]
        return {"ok": True, "ts": arguments["ts"], "channel": arguments["channel"], "message": message}

    def chat_delete(self, arguments: dict[str, Any]) -> dict[str, Any]:
        deleted = self.messages[arguments["channel"]].pop(arguments["ts"], None)
        return {"ok": True} if deleted else error_body("message_not_found")

    def find_error(self, arguments: dict[str, Any]) -> str | None:
        if arguments.get("markdown_text"):
            return "markdown_text_conflict"
        if arguments.get("unfurl_links") is not False or arguments.get("unfurl_media") is not False:
            return "unfurls_must_be_off"
        if not self.bot_is_member and not arguments["channel"].startswith("D"):
            return "not_in_channel"
        if not (arguments.get("text") or arguments.get("blocks")):
            return "no_text"
        return find_block_error(arguments.get("blocks") or [])

    def store_post(self, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
        ts = self.new_ts()
        message = {"type": "message", "user": BOT_USER, "bot_id": BOT, "text": "", "ts": ts, "streamed": "", **more}
        for key in ("thread_ts", "metadata"):
            if arguments.get(key):
                message[key] = arguments[key]
        self.messages[arguments["channel"]][ts] = message
        return {"ok": True, "channel": arguments["channel"], "ts": ts}

    def find_message(self, arguments: dict[str, Any]) -> dict[str, Any] | None:
        return self.messages[arguments["channel"]].get(arguments["ts"])

    def expire(self, channel: str, ts: str, *, by_user: bool = False) -> None:
        """Ends a stream, as Slack does after some minutes, or the person does by the stop button."""
        self.messages[channel][ts].update(streaming=False, stopped=by_user)

    def conversations_replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        thread = [
            message
            for ts, message in self.messages[arguments["channel"]].items()
            if arguments["ts"] in (ts, message.get("thread_ts"))
        ]
        if not thread:
            return error_body("thread_not_found")
        root, rest = thread[0], filter_by_time(thread[1:], arguments)
        return self.paginate([root, *rest], arguments)

    def conversations_history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        top = [m for m in self.messages[arguments["channel"]].values() if m.get("thread_ts") in (None, m["ts"])]
        return self.paginate(filter_by_time(top, arguments)[::-1], arguments)

    def paginate(self, messages: list[dict[str, Any]], arguments: dict[str, Any]) -> dict[str, Any]:
        start, size = int(arguments.get("cursor") or 0), int(arguments.get("limit") or 100)
        page = [dict(message) for message in messages[start : start + size]]
        if str(arguments.get("include_all_metadata")).lower() != "true":
            for message in page:
                message.pop("metadata", None)
        more = start + size < len(messages)
        cursor = {"response_metadata": {"next_cursor": str(start + size)}} if more else {}
        return {"ok": True, "messages": page, "has_more": more, **cursor}

    def files_getUploadURLExternal(self, arguments: dict[str, Any]) -> dict[str, Any]:
        file = f"F{next(self.counter)}"
        self.files[file] = {"id": file, "name": arguments["filename"], "length": int(arguments["length"]), "shares": {}}
        return {"ok": True, "file_id": file, "upload_url": f"{self.url}/upload/{file}"}

    def files_completeUploadExternal(self, arguments: dict[str, Any]) -> dict[str, Any]:
        for each in arguments["files"]:
            file = self.files[each["id"]]
            if len(file.get("body", b"")) != file["length"]:
                return error_body("file_not_uploaded")
            file["shares"] = {"public": {arguments["channel_id"]: [{"ts": self.new_ts()}]}}
            file["thread"] = arguments.get("thread_ts")
            listing = {"id": each["id"], "name": file["name"], "title": each["title"]}
            self.store_post(arguments | {"channel": arguments["channel_id"]}, files=[listing])
        return {"ok": True, "files": arguments["files"]}

    def files_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        file = self.files.get(arguments["file"])
        listing = {key: value for key, value in (file or {}).items() if key != "body"}
        return {"ok": True, "file": listing} if file else error_body("file_not_found")

    def assistant_threads_setStatus(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.statuses.append(arguments)
        return {"ok": True}

    def agents_sessions_setStatus(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if error := find_session_error(arguments, self.experience):
            return error_body(error)
        if arguments["status"] not in SESSION_STATUSES:
            return error_body("invalid_status")
        session = self.sessions.setdefault((arguments["channel_id"], arguments["thread_ts"]), {"title": ""})
        session["status"] = arguments["status"]
        self.statuses.append(arguments)
        return {"ok": True, "status": arguments["status"]}

    def agents_sessions_rename(self, arguments: dict[str, Any]) -> dict[str, Any]:
        session = self.sessions.get((arguments["channel_id"], arguments["thread_ts"]))
        if session is None or not 0 < len(arguments["title"]) <= 200:
            return error_body("invalid_arguments")
        session["title"] = arguments["title"]
        return {"ok": True, "title": arguments["title"]}

    def assistant_threads_setSuggestedPrompts(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if not arguments.get("thread_ts") and self.experience != "agent":
            return error_body("invalid_thread_ts")
        self.prompts.append(arguments)
        return {"ok": True}

    def assistant_threads_setTitle(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True}

    def apps_connections_open(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        ticket = f"t{next(self.counter)}"
        self.socket_tickets.add(ticket)
        return {"ok": True, "url": f"{self.url.replace('http', 'ws')}/socket?ticket={ticket}"}

    # ------------------------------------------------------------ files and response URLs

    async def receive_upload(self, request: web.Request) -> web.Response:
        self.files[request.match_info["id"]]["body"] = await request.read()
        return web.Response(text="OK - 3")

    async def serve_file(self, request: web.Request) -> web.StreamResponse:
        self.file_requests.append((request.path, request.headers.get("Authorization", "")))
        served = self.downloads[request.match_info["name"]]
        return web.Response(body=served.body, status=served.status, headers=served.headers)

    async def receive_response(self, request: web.Request) -> web.Response:
        """A response URL takes five messages. The deletion of the message with a pressed button is one."""
        message = await request.json()
        self.response_uses[request.path] += 1
        used_up = "used_url" if self.response_uses[request.path] > RESPONSES_LIMIT else ""
        if error := used_up or self.response_error or find_block_error(message.get("blocks") or []):
            return web.json_response(error_body(error), status=404 if error.endswith("_url") else 400)
        if self.response_status == 200:
            (self.deletions if message.get("delete_original") else self.ephemeral_messages).append(message)
        self.notify()
        return web.Response(status=self.response_status, text="ok")

    # ------------------------------------------------------------ Socket Mode

    async def serve_socket(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query["ticket"]
        if ticket not in self.socket_tickets:
            return web.Response(status=403)
        self.socket_tickets.remove(ticket)
        socket = web.WebSocketResponse(autoping=not self.ignores_pings)
        await socket.prepare(request)
        self.sockets.append(socket)
        if self.sends_hello:
            await socket.send_json({"type": "hello", "num_connections": 1, "debug_info": {}})
            self.connected.set()
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue  # a ping, which is not answered without autoping
            ack = json.loads(message.data)
            if (waiting := self.acks.get(ack["envelope_id"])) and not waiting.done():
                waiting.set_result(ack)
        return socket

    async def push(
        self,
        payload: Mapping[str, Any],
        kind: str = "events_api",
        *,
        over: web.WebSocketResponse | None = None,
        **more: Any,
    ) -> str:
        """Sends an envelope, over the newest connection if none is named. Returns its id, for `acknowledgement`."""
        envelope_id = f"e{next(self.counter)}"
        self.acks[envelope_id] = asyncio.get_running_loop().create_future()
        envelope = {"envelope_id": envelope_id, "type": kind, "accepts_response_payload": kind != "events_api"}
        await (over or self.sockets[-1]).send_json({**envelope, "payload": payload, **more})
        return envelope_id

    async def acknowledgement(self, envelope_id: str) -> dict[str, Any]:
        return await asyncio.wait_for(asyncio.shield(self.acks[envelope_id]), 60)

    # ------------------------------------------------------------ for tests

    def calls_to(self, *methods: str) -> list[dict[str, Any]]:
        return [arguments for method, arguments in self.calls if method in methods]

    def answers(self, channel: str) -> list[dict[str, Any]]:
        """Returns the bot's messages in order."""
        return [message for message in self.messages[channel].values() if message.get("bot_id") == BOT]


async def read_arguments(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        return dict(await request.json())
    return {**request.query, **(await request.post())}
