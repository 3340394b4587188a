"""A web application on a free port of the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def serve_on_loopback(app: web.Application, *, cancel_handlers: bool = False) -> AsyncIterator[str]:
    """Yields the URL, without a slash at its end. `cancel_handlers`: when their client disconnects."""
    runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=cancel_handlers, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()
