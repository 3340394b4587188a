"""A model process without a model, until SIGTERM: `python -m benchmarks.peers.stamping_worker SOCKET WORKER_SOCKET`.

At WORKER_SOCKET it answers as a worker does, at once, with the times at which the request arrived and the answer left.
At SOCKET it passes requests on as the host does, by the host's own proxy.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, cast

import aiohttp
from aiohttp import web

from core.contract import Usage
from core.model.host import proxy
from core.model.host.tickets import Ticket
from core.model.http_service import json_body, read_body, send
from core.model.worker.sequence import FinishedOutput, TextOutput
from core.model.worker.server import encode_output
from core.openai import sse
from core.openai.response_objects import Completion, list_object, model_object

PATH = "/v1/chat/completions"
MODEL = "stamps"
WINDOW_TOKENS = 32_768


class GrantedTicket:
    """A ticket for a worker that is always loaded."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http

    async def wait(self, timeout_s: float | None) -> GrantedTicket:
        return self

    def release(self) -> None:
        """Nothing was taken."""


async def answer(request: web.Request) -> web.StreamResponse:
    arrived_ns = time.monotonic_ns()
    await json_body(request)
    response = web.StreamResponse(headers={"Content-Type": sse.CONTENT_TYPE, "Cache-Control": "no-store"})
    await response.prepare(request)
    completion = Completion(MODEL)
    text = TextOutput(f"{arrived_ns} {time.monotonic_ns()} ")
    await send(request, response, encode_output(text, completion, include_usage=True))
    end = FinishedOutput("stop", Usage(10, 2, 0))
    await send(request, response, encode_output(end, completion, include_usage=True))
    await response.write_eof()
    return response


async def models(_request: web.Request) -> web.Response:
    fields: dict[str, Any] = {"max_model_len": WINDOW_TOKENS, "state": "ready", "title": MODEL, "starter": False}
    return web.json_response(list_object([{**model_object(MODEL), **fields}]))


async def health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def tokenize(_request: web.Request) -> web.Response:
    return web.json_response({"count": 100, "max_model_len": WINDOW_TOKENS, "tokens": []})


async def main(socket: str, worker_socket: str) -> None:
    worker, host = web.Application(), web.Application()
    worker.router.add_post(PATH, answer)
    async with aiohttp.ClientSession("http://worker", connector=aiohttp.UnixConnector(worker_socket, limit=0)) as http:

        async def forward(request: web.Request) -> web.StreamResponse:
            ticket = cast(Ticket, GrantedTicket(http))
            return await proxy.answer(request, await read_body(request), ticket, streams=True)

        host.router.add_post(PATH, forward)
        host.router.add_get("/v1/models", models)
        host.router.add_get("/health", health)
        host.router.add_post("/tokenize", tokenize)
        for app, path in ((worker, worker_socket), (host, socket)):
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.UnixSite(runner, path).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
