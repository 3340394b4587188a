"""A workspace of Slack on loopback: its Web API, files, response URLs and Socket Mode, as strict as the documented one.

It refuses what Slack refuses (text beside Markdown, too long blocks, an append to a stream that is over), has trouble
as a test's script says, and keeps what people would see.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from bindings.slack.webhook import sign
from tests.bindings.slack.support_slack_rules import MARKDOWN_LIMIT, within, wrong_blocks, wrong_update

TEAM, BOT_USER, BOT, PERSON = "T0001", "U0BOT", "B0BOT", "U0ANN"
BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-1-good", "xapp-1-good", "8f742231b10e8888abcd99yyyzzz85a5"
SCOPES = "app_mentions:read,chat:write,channels:history,groups:history,im:history,mpim:history"


@dataclass
class Trouble:
    """What a method answers instead of, or (`done`) after, doing what is asked."""

    status: int = 200
    error: str = "internal_error"
    retry_after_s: str | None = None
    done: bool = False
    needed: str | None = None
    cut: bool = False  # the connection breaks
    raw: str | None = None  # a body that is no JSON


class FakeSlack:
    def __init__(self) -> None:
        self.messages: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)  # by channel and ts, in order
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.trouble: dict[str, deque[Trouble | None]] = defaultdict(deque)  # by method; None: a call without
        self.trouble_of: Callable[[str], Trouble | None] = lambda _method: None
        self.refusing: dict[str, str] = {}  # method → the error that it always answers
        self.users: dict[str, dict[str, Any]] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.served: dict[str, web.Response] = {}  # by name, at /files/<name>
        self.responses: list[dict[str, Any]] = []
        self.response_status = 200
        self.statuses: list[dict[str, Any]] = []
        self.prompts: list[dict[str, Any]] = []
        self.fetched: list[tuple[str, str]] = []  # path, authorization
        self.members = True
        self.changed = asyncio.Event()
        self.sockets: list[web.WebSocketResponse] = []
        self.socket_tickets: set[str] = set()
        self.connected = asyncio.Event()
        self.acks: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.greets = True
        self.deaf = False
        self.counter = itertools.count(1)
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeSlack]:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self.call)
        app.router.add_post("/upload/{id}", self.uploaded)
        app.router.add_get("/files/{name}", self.file)
        app.router.add_post("/response/{id}", self.responded)
        app.router.add_get("/socket", self.socket)
        runner = web.AppRunner(app, shutdown_timeout=0, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}"
            yield self
        finally:
            for socket in self.sockets:
                await socket.close()
            await runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    # ------------------------------------------------------------ the Web API

    async def call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await arguments_of(request)
        self.calls.append((method, arguments))
        try:
            return await self.answer(request, method, arguments)
        finally:
            self.changed.set()

    async def answer(self, request: web.Request, method: str, arguments: dict[str, Any]) -> web.StreamResponse:
        trouble = self.trouble[method].popleft() if self.trouble[method] else self.trouble_of(method)
        if trouble and not trouble.done:
            return troubled(request, trouble)
        result = self.refusal(request, method) or getattr(self, method.replace(".", "_"), unknown_method)(arguments)
        if trouble:
            return troubled(request, trouble)
        return web.json_response(result, headers={"x-oauth-scopes": SCOPES})

    def refusal(self, request: web.Request, method: str) -> dict[str, Any] | None:
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if request.headers.get("Authorization") != f"Bearer {wanted}":
            return no("invalid_auth")
        return no(self.refusing[method]) if method in self.refusing else None

    def new_ts(self) -> str:
        return f"{1_760_000_000 + next(self.counter)}.000100"

    def said(self, channel: str, text: str, *, thread: str | None = None, user: str = PERSON, **more: Any) -> str:
        """Somebody says something; its ts."""
        ts = self.new_ts()
        self.messages[channel][ts] = {"type": "message", "user": user, "text": text, "ts": ts, **more}
        if thread:
            self.messages[channel][ts]["thread_ts"] = thread
        return ts

    def auth_test(self, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"ok": True, "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT, "user": "whisper"}

    def chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any]:
        if error := self.wrong(given):
            return no(error)
        return self.posted(given, blocks=given["blocks"], text=given["text"])

    def chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self.own(given)
        missing = "message_not_found" if message is None else None
        if error := self.wrong(given) or missing or wrong_update(given["text"]):
            return no(error)
        assert message is not None
        if message.get("streaming"):
            return no("streaming_state_conflict")
        message.update(blocks=given["blocks"], text=given["text"], streamed="", edited=True)
        if given.get("metadata"):
            message["metadata"] = given["metadata"]
        return {"ok": True, "ts": given["ts"], "channel": given["channel"]}

    def chat_startStream(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given.get("thread_ts"):
            return no("invalid_thread_ts")
        if not given["channel"].startswith("D"):
            for key in ("recipient_user_id", "recipient_team_id"):
                if not given.get(key):
                    return no(f"missing_{key}")
        if len(given.get("markdown_text", "")) > MARKDOWN_LIMIT:
            return no("msg_too_long")
        return self.posted(given, streaming=True, streamed=given.get("markdown_text", ""), blocks=[])

    def chat_appendStream(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self.own(given)
        if message is None:
            return no("message_not_found")
        if not message.get("streaming"):
            return no("stopped_by_user" if message.get("stopped") else "message_not_in_streaming_state")
        if not given.get("markdown_text") or len(given["markdown_text"]) > MARKDOWN_LIMIT:
            return no("invalid_arguments")
        message["streamed"] += given["markdown_text"]
        return {"ok": True, "ts": given["ts"], "channel": given["channel"]}

    def chat_stopStream(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self.own(given)
        if message is None:
            return no("message_not_found")
        if not message.get("streaming"):
            return no("stopped_by_user" if message.get("stopped") else "message_not_in_streaming_state")
        if error := wrong_blocks(given.get("blocks") or []):
            return no(error)
        message["streamed"] += given.get("markdown_text", "")
        message.update(streaming=False, blocks=given.get("blocks") or [])
        if given.get("metadata"):
            message["metadata"] = given["metadata"]
        return {"ok": True, "ts": given["ts"], "channel": given["channel"], "message": message}

    def chat_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True} if self.messages[given["channel"]].pop(given["ts"], None) else no("message_not_found")

    def wrong(self, given: dict[str, Any]) -> str | None:
        if given.get("markdown_text"):
            return "markdown_text_conflict"
        if given.get("unfurl_links") is not False or given.get("unfurl_media") is not False:
            return "a_test_would_see_an_unfurl"
        if not self.members:
            return "not_in_channel"
        return wrong_blocks(given.get("blocks") or [])

    def posted(self, given: dict[str, Any], **more: Any) -> dict[str, Any]:
        ts = self.new_ts()
        message = {"type": "message", "user": BOT_USER, "bot_id": BOT, "text": "", "ts": ts, "streamed": "", **more}
        for key in ("thread_ts", "metadata"):
            if given.get(key):
                message[key] = given[key]
        self.messages[given["channel"]][ts] = message
        return {"ok": True, "channel": given["channel"], "ts": ts}

    def own(self, given: dict[str, Any]) -> dict[str, Any] | None:
        return self.messages[given["channel"]].get(given["ts"])

    def expire(self, channel: str, ts: str, *, by_user: bool = False) -> None:
        """Slack ends a stream by itself after some minutes; or a person does."""
        self.messages[channel][ts].update(streaming=False, stopped=by_user)

    def conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        thread = [
            message
            for ts, message in self.messages[given["channel"]].items()
            if given["ts"] in (ts, message.get("thread_ts"))
        ]
        if not thread:
            return no("thread_not_found")
        root, rest = thread[0], within(thread[1:], given)
        return self.paged([root, *rest], given)

    def conversations_history(self, given: dict[str, Any]) -> dict[str, Any]:
        top = [m for m in self.messages[given["channel"]].values() if m.get("thread_ts") in (None, m["ts"])]
        return self.paged(within(top, given)[::-1], given)

    def paged(self, messages: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
        start, size = int(given.get("cursor") or 0), int(given.get("limit") or 100)
        shown = [dict(message) for message in messages[start : start + size]]
        if str(given.get("include_all_metadata")).lower() != "true":
            for message in shown:
                message.pop("metadata", None)
        more = start + size < len(messages)
        cursor = {"response_metadata": {"next_cursor": str(start + size)}} if more else {}
        return {"ok": True, "messages": shown, "has_more": more, **cursor}

    def users_info(self, given: dict[str, Any]) -> dict[str, Any]:
        user = self.users.get(given["user"])
        return {"ok": True, "user": user} if user else no("user_not_found")

    def files_getUploadURLExternal(self, given: dict[str, Any]) -> dict[str, Any]:
        file = f"F{next(self.counter)}"
        self.files[file] = {"id": file, "name": given["filename"], "length": int(given["length"]), "shares": {}}
        return {"ok": True, "file_id": file, "upload_url": f"{self.url}/upload/{file}"}

    def files_completeUploadExternal(self, given: dict[str, Any]) -> dict[str, Any]:
        for each in given["files"]:
            file = self.files[each["id"]]
            if len(file.get("body", b"")) != file["length"]:
                return no("file_not_uploaded")
            file["shares"] = {"public": {given["channel_id"]: [{"ts": self.new_ts()}]}}
            file["thread"] = given.get("thread_ts")
            shown = {"id": each["id"], "name": file["name"], "title": each["title"]}
            self.posted(given | {"channel": given["channel_id"]}, files=[shown])
        return {"ok": True, "files": given["files"]}

    def files_info(self, given: dict[str, Any]) -> dict[str, Any]:
        file = self.files.get(given["file"])
        shown = {key: value for key, value in (file or {}).items() if key != "body"}
        return {"ok": True, "file": shown} if file else no("file_not_found")

    def assistant_threads_setStatus(self, given: dict[str, Any]) -> dict[str, Any]:
        self.statuses.append(given)
        return {"ok": True}

    def assistant_threads_setSuggestedPrompts(self, given: dict[str, Any]) -> dict[str, Any]:
        self.prompts.append(given)
        return {"ok": True}

    def assistant_threads_setTitle(self, _given: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True}

    def agents_sessions_setStatus(self, given: dict[str, Any]) -> dict[str, Any]:
        self.statuses.append(given)
        return {"ok": True}

    def apps_connections_open(self, _given: dict[str, Any]) -> dict[str, Any]:
        ticket = f"t{next(self.counter)}"
        self.socket_tickets.add(ticket)
        return {"ok": True, "url": f"{self.url.replace('http', 'ws')}/socket?ticket={ticket}"}

    # ------------------------------------------------------------ files and response URLs

    async def uploaded(self, request: web.Request) -> web.Response:
        self.files[request.match_info["id"]]["body"] = await request.read()
        return web.Response(text="OK - 3")

    async def file(self, request: web.Request) -> web.StreamResponse:
        self.fetched.append((request.path, request.headers.get("Authorization", "")))
        served = self.served[request.match_info["name"]]
        return web.Response(body=served.body, status=served.status, headers=served.headers)

    async def responded(self, request: web.Request) -> web.Response:
        self.responses.append(await request.json())
        self.changed.set()
        return web.Response(status=self.response_status, text="ok")

    # ------------------------------------------------------------ Socket Mode

    async def socket(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query["ticket"]
        if ticket not in self.socket_tickets:
            return web.Response(status=403)
        self.socket_tickets.remove(ticket)
        socket = web.WebSocketResponse(autoping=not self.deaf)
        await socket.prepare(request)
        self.sockets.append(socket)
        if self.greets:
            await socket.send_json({"type": "hello", "num_connections": 1, "debug_info": {}})
            self.connected.set()
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue  # without autoping: a ping that nobody answers
            ack = json.loads(message.data)
            if (waiting := self.acks.get(ack["envelope_id"])) and not waiting.done():
                waiting.set_result(ack)
        return socket

    async def push(self, payload: Mapping[str, Any], kind: str = "events_api", **more: Any) -> str:
        """Sends an envelope to the newest connection; its id, by which `acknowledged` waits."""
        envelope_id = f"e{next(self.counter)}"
        self.acks[envelope_id] = asyncio.get_running_loop().create_future()
        envelope = {"envelope_id": envelope_id, "type": kind, "accepts_response_payload": kind != "events_api"}
        await self.sockets[-1].send_json({**envelope, "payload": payload, **more})
        return envelope_id

    async def acknowledged(self, envelope_id: str) -> dict[str, Any]:
        return await asyncio.wait_for(asyncio.shield(self.acks[envelope_id]), 60)

    # ------------------------------------------------------------ what a test asks

    def made(self, *methods: str) -> list[dict[str, Any]]:
        return [arguments for method, arguments in self.calls if method in methods]

    def answers(self, channel: str) -> list[dict[str, Any]]:
        """What the bot said, in order."""
        return [message for message in self.messages[channel].values() if message.get("bot_id") == BOT]

    async def until(self, what: Any, timeout_s: float = 15.0) -> Any:
        """Until `what()` is true; asked again after each call."""
        async with asyncio.timeout(timeout_s):
            while not (found := what()):
                self.changed.clear()
                await self.changed.wait()
        return found


def no(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}


def unknown_method(_arguments: Mapping[str, Any]) -> dict[str, Any]:
    return no("unknown_method")


def troubled(request: web.Request, trouble: Trouble) -> web.StreamResponse:
    if trouble.cut:
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.abort()
        return web.Response()
    headers = {} if trouble.retry_after_s is None else {"Retry-After": trouble.retry_after_s}
    if trouble.raw is not None:
        return web.Response(status=trouble.status, text=trouble.raw, content_type="text/html", headers=headers)
    answer = {"ok": False, "error": trouble.error, **({"needed": trouble.needed} if trouble.needed else {})}
    return web.json_response(answer, status=trouble.status, headers=headers)


async def arguments_of(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        return dict(await request.json())
    return {**request.query, **(await request.post())}


def text_of(message: Mapping[str, Any]) -> str:
    """What people read of a message's own text."""
    blocks = [each["text"] for each in message.get("blocks") or [] if each["type"] == "markdown"]
    return "\n".join(part for part in (message.get("streamed", ""), *blocks) if part)


def small_print(message: Mapping[str, Any]) -> list[str]:
    return [each["elements"][0]["text"] for each in message.get("blocks") or [] if each["type"] == "context"]


def headers_for(body: bytes, content_type: str = "application/json", at: float | None = None) -> dict[str, str]:
    """Those of Slack's own requests."""
    stamp = str(int(time.time() if at is None else at))
    return {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": sign(SECRET, stamp, body),
    }


def form_body(payload: Mapping[str, Any]) -> bytes:
    """Of a press on a button (`payload`), or of a slash command."""
    fields = payload if "command" in payload else {"payload": json.dumps(payload)}
    return urlencode(fields).encode()
