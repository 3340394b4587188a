"""Parts of a measured hop between two Unix sockets, until SIGTERM.

`python -m benchmarks.peers.event_hop source SOCKET` streams events that carry the time at which they were written.
`python -m benchmarks.peers.event_hop proxy SOCKET SOURCE_SOCKET` passes requests and their streams on, as a host does.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

SESSION = web.AppKey("session", aiohttp.ClientSession)
PATH = "/v1/chat/completions"
PADDING = "x" * 160  # an event of chat.completion.chunk has about 250 bytes


async def source(request: web.Request) -> web.StreamResponse:
    """Writes `events` events, one every `interval_s`."""
    asked = await request.json()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for _ in range(asked["events"]):
        await response.write(f'data: {{"at": {time.monotonic_ns()}, "padding": "{PADDING}"}}\n\n'.encode())
        await asyncio.sleep(asked["interval_s"])
    return response


async def proxy(request: web.Request) -> web.StreamResponse:
    session = request.app[SESSION]
    async with session.post(f"http://worker{PATH}", data=await request.read()) as answer:
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
        await response.prepare(request)
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
    return response


def create_app(arguments: list[str]) -> web.Application:
    app = web.Application()
    if arguments[0] == "source":
        app.router.add_post(PATH, source)
        return app

    async def session(app: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.UnixConnector(arguments[2], limit=0)
        async with aiohttp.ClientSession(connector=connector) as app[SESSION]:
            yield

    app.cleanup_ctx.append(session)
    app.router.add_post(PATH, proxy)
    return app


if __name__ == "__main__":
    web.run_app(create_app(sys.argv[1:]), path=sys.argv[2], access_log=None, print=None)
