"""What the stand-ins of engines have in common: an HTTP server on a free port, and OpenAI's stream of an answer."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.support.toy_model import Body, ToyAnswer


class StandIn(ABC):
    """`cancels`: False goes on computing after the client left. `window`: the tokens of prompt and answer."""

    model = "toy"

    def __init__(self, *, cancels: bool = True, window: int = 512) -> None:
        self.cancels = cancels
        self.window = window
        self.url = ""
        self.running = 0
        self.requests: list[Body] = []
        self.left = asyncio.Event()  # a client left before the end of its answer

    @abstractmethod
    def routes(self) -> list[web.RouteDef]: ...

    @abstractmethod
    def frame(self, **fields: Any) -> Body:
        """A chunk of the stream with the engine's own fields."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[StandIn]:
        app = web.Application(client_max_size=2**26)
        app.add_routes(self.routes())
        runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def stream(self, request: web.Request, answer: ToyAnswer, usage: Body | None) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.running += 1
        ended = False
        try:
            for piece in answer.pieces:
                delta = {"role": "assistant", "content": piece}
                await send(response, self.frame(choices=[{"index": 0, "delta": delta, "finish_reason": None}]))
            if answer.endless:
                await asyncio.Event().wait()
            delta = {"role": "assistant", "content": ""}
            await send(response, self.frame(choices=[{"index": 0, "delta": delta, "finish_reason": answer.reason}]))
            if usage is not None:
                await send(response, self.frame(choices=[], usage=usage))
            await response.write(b"data: [DONE]\n\n")
            ended = True
        finally:
            if ended or self.cancels:
                self.running -= 1
            if not ended:
                self.left.set()
        return response


async def send(response: web.StreamResponse, data: Body) -> None:
    await response.write(f"data: {json.dumps(data)}\n\n".encode())
