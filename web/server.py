"""Serves the application on an address, and takes it down without dropping anybody who can still be served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from core.configuration.settings import WebSettings
from core.runtime.app_server import serve_app
from core.runtime.http_server import listen_error, listen_url
from web.service import SERVICE

log = structlog.get_logger()

LINGER_S = 1.0  # for the rest of a body that nobody wants
CUT_S = 0.5  # for handlers that are cancelled after the drain


@asynccontextmanager
async def serving(app: web.Application, settings: WebSettings) -> AsyncIterator[str]:
    """Serves while the block runs; yields the URL, with the real port where 0 was asked for.

    On leaving, new work is refused, what runs may finish within `settings.drain_s`, and then everything is closed.
    Raises ConfigError if the address cannot be listened on.
    """
    host, port = settings.host, settings.port
    async with serve_app(
        app,
        lambda runner: web.TCPSite(runner, host, port),
        lambda exc: listen_error(exc, host, port, "HOST", "PORT"),
        handler_cancellation=True,  # a client that left frees its slot
        keepalive_timeout=settings.read_timeout_s,  # also the time that a request's head has to arrive
        lingering_time=LINGER_S,
        max_line_size=app[SERVICE].limits.line_bytes,
        shutdown_timeout=CUT_S,
    ) as site:
        try:
            yield listen_url(host, site.port)
        finally:
            await drain(app)


async def drain(app: web.Application) -> None:
    service = app[SERVICE]
    service.life.stop()
    try:
        async with asyncio.timeout(service.life.drain_s + service.limits.grace_s):
            await service.life.idle()
    except TimeoutError:
        log.warning("drain_cut_short", in_hand=service.life.in_hand)
