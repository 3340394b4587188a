"""A model server that speaks OpenAI's protocol. It follows a test's script and records its requests.

It never sleeps: a script that must wait contains an `asyncio.Event`, which the test sets.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes to write unchanged, in one write."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Comment:
    """An SSE comment, such as `queued position=3 wait_s=2.5`."""

    text: str


@dataclass(frozen=True, slots=True)
class Die:
    """Aborts the connection, as when the process is killed. As the first step: before any answer."""


@dataclass(frozen=True, slots=True)
class Fail:
    """An error response if it comes first; after other steps, an error event in the stream."""

    status: int
    code: str = "server_error"
    message: str = "it failed"
    retry_after_s: int | None = None
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The finish reason of the answer; without this step it is "stop"."""

    reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Thought:
    """A part of the model's thinking, in the field `field` of the delta."""

    text: str
    field: str = "reasoning_content"


Step = str | asyncio.Event | Raw | Comment | Die | Fail | Finish | Thought
Body = dict[str, Any]
Answers = Callable[[Body], Sequence[Step]]
DEFAULT_ANSWER: tuple[Step, ...] = ("Hello", " there.")


class FakeModel:
    """An OpenAI-compatible model. Each chat request gets the next of `answers`; later ones get "Hello there."

    `answer` chooses by the request's body instead. A token is a word, in `/tokenize` and in the usage.
    """

    def __init__(
        self, *answers: Sequence[Step], answer: Answers | None = None, window: int = 4096, tokenizes: bool = True
    ) -> None:
        self.answers = list(answers)
        self.answer = answer
        self.window = window
        self.tokenizes = tokenizes
        self.healthy = True
        self.health_status: int | None = None  # the status of /health, if something in front of the model answers it
        self.tokenize_status = 200
        self.starter = True
        self.lists = True  # it has /v1/models
        self.listed: list[Body] = []  # the entries of /v1/models, if they are not the one model's
        self.answers_as = "fake-model"  # the model that an answer names
        self.api_key: str | None = None
        self.redirect_to: str | None = None  # the URL that every request is sent on to
        self.authorizations: set[str | None] = set()  # the Authorization headers of all requests
        self.requests: list[Body] = []
        self.owner = "somebody"  # "csps-llm": it is one of ours
        self.forgotten: list[str] = []  # the keys of all requests to /forget
        self.forget_status = 200
        self.forget_called = asyncio.Event()
        self.tokenize_calls: list[Body] = []
        self.model_list_calls = 0  # calls of /v1/models
        self.chat_started = asyncio.Event()  # a chat request arrived
        self.health_checked = asyncio.Event()  # a request for /health arrived
        self.closed = asyncio.Event()  # a client left before its answer was complete
        self.running: list[web.Request] = []
        self.connections: set[int] = set()  # the connections of chat requests
        self.url = ""
        self.runner: web.AppRunner | None = None

    @asynccontextmanager
    async def serving(self, socket: Path | None = None, port: int = 0) -> AsyncIterator[FakeModel]:
        """Listens on the Unix socket, or on a port of 127.0.0.1 (0: a free one), which sets `url`."""
        await self.start(socket, port)
        try:
            yield self
        finally:
            await self.stop()

    async def start(self, socket: Path | None = None, port: int = 0) -> None:
        app = web.Application(client_max_size=2**26, middlewares=[self.redirect])
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/forget", self.forget)
        app.router.add_get("/health", self.health)
        if self.tokenizes:
            app.router.add_post("/tokenize", self.tokenize)
        self.runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True, access_log=None)
        await self.runner.setup()
        await self.listen(self.runner, socket, port)

    async def listen(self, runner: web.AppRunner, socket: Path | None, port_or_zero: int) -> None:
        if socket is not None:
            socket.parent.mkdir(parents=True, exist_ok=True)
            await web.UnixSite(runner, str(socket)).start()
            return
        await web.TCPSite(runner, "127.0.0.1", port_or_zero).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Abort running answers, as `kill -9` does."""
        for request in tuple(self.running):
            abort(request)
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None

    def tokens(self, messages: list[Body]) -> int:
        return sum(len(str(message["content"]).split()) for message in messages)

    def next_answer(self, body: Body) -> Sequence[Step]:
        if self.answer is not None:
            return self.answer(body)
        return self.answers.pop(0) if self.answers else DEFAULT_ANSWER

    @web.middleware
    async def redirect(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.authorizations.add(request.headers.get("Authorization"))
        if self.redirect_to is not None:
            raise web.HTTPTemporaryRedirect(self.redirect_to + request.path_qs)
        return await handler(request)

    async def health(self, _request: web.Request) -> web.Response:
        self.health_checked.set()
        if self.health_status is not None:
            return web.Response(status=self.health_status, text="no such thing here")
        return web.json_response({"status": "ok" if self.healthy else "loading"}, status=200 if self.healthy else 503)

    async def models(self, request: web.Request) -> web.Response:
        if refusal := self.refuse_key(request):
            return refusal
        self.model_list_calls += 1
        if not self.lists:
            return web.Response(status=404)
        model = {"id": "fake-model", "object": "model", "max_model_len": self.window, "starter": self.starter}
        model["owned_by"] = self.owner
        return web.json_response({"object": "list", "data": self.listed or [model]})

    async def forget(self, request: web.Request) -> web.Response:
        self.forget_called.set()
        if self.forget_status != 200:
            return error_response(Fail(self.forget_status, "model_unavailable"))
        self.forgotten += (await request.json())["prompt_cache_key"]
        return web.json_response({})

    async def tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.tokenize_calls.append(body)
        if self.tokenize_status != 200:
            return error_response(Fail(self.tokenize_status, "no", "`inputs` is missing"))
        return web.json_response({"count": self.tokens(body["messages"]), "max_model_len": self.window, "tokens": []})

    def refuse_key(self, request: web.Request) -> web.Response | None:
        if self.api_key is None or request.headers.get("Authorization") == f"Bearer {self.api_key}":
            return None
        return error_response(Fail(401, "invalid_api_key", "wrong key"))

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if refusal := self.refuse_key(request):
            return refusal
        self.requests.append(body)
        self.connections.add(id(request.transport))
        self.chat_started.set()
        steps = self.next_answer(body)
        if steps and isinstance(steps[0], Fail):
            return error_response(steps[0])
        if steps and isinstance(steps[0], Die):
            abort(request)
            return web.Response()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.running.append(request)
        try:
            await self.play(request, response, body, steps)
        except (asyncio.CancelledError, ConnectionError):
            self.closed.set()
            raise
        finally:
            self.running.remove(request)
        return response

    async def play(self, request: web.Request, response: web.StreamResponse, body: Body, steps: Sequence[Step]) -> None:
        reason, answer = "stop", ""
        for step in steps:
            match step:
                case str():
                    answer += step
                    await response.write(sse({"model": self.answers_as, "choices": [choice(step)]}))
                case asyncio.Event():
                    await step.wait()
                case Raw(data):
                    await response.write(data)
                case Thought(text, name):
                    delta = {"content": "", name: text}
                    await response.write(sse({"model": self.answers_as, "choices": [choice(None) | {"delta": delta}]}))
                case Comment(text):
                    await response.write(f": {text}\n\n".encode())
                case Finish():
                    reason = step.reason
                case Fail():
                    await response.write(
                        sse({"model": self.answers_as, "error": {"message": step.message, "code": step.code}})
                    )
                    return
                case Die():
                    abort(request)
                    return
        await response.write(sse({"model": self.answers_as, "choices": [choice(None, reason)]}))
        await response.write(sse({"model": self.answers_as, "choices": [], "usage": self.usage(body, answer)}))
        await response.write(b"data: [DONE]\n\n")

    def usage(self, body: Body, answer: str) -> Body:
        return {
            "prompt_tokens": self.tokens(body["messages"]),
            "completion_tokens": len(answer.split()),
            "prompt_tokens_details": {"cached_tokens": 0},
        }


def sse(data: Body) -> bytes:
    return f"data: {json.dumps({'object': 'chat.completion.chunk', **data})}\n\n".encode()


def choice(text: str | None, reason: str | None = None) -> Body:
    return {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": reason}


def error_response(fail: Fail) -> web.Response:
    headers = {} if fail.retry_after_s is None else {"Retry-After": str(fail.retry_after_s)}
    body = {"error": {"message": fail.message, "type": "error", "code": fail.code, "param": fail.param}}
    return web.json_response(body, status=fail.status, headers=headers)


def abort(request: web.Request) -> None:
    if isinstance(request.transport, asyncio.Transport):  # None: the connection is closed already
        request.transport.abort()
