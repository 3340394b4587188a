"""Serves the application on an address, and takes it down without dropping anybody who can still be served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from core.configuration.settings import WebSettings
from core.runtime.http_server import build_protocol_logger, listen_url
from web.service import SERVICE

log = structlog.get_logger()

LINGER_S = 1.0  # for the rest of a body that nobody wants
CUT_S = 0.5  # for handlers that are cancelled after the drain


@asynccontextmanager
async def serving(app: web.Application, settings: WebSettings) -> AsyncIterator[str]:
    """Serves while the block runs; yields the URL, with the real port where 0 was asked for.

    On leaving, new work is refused, what runs may finish within `settings.drain_s`, and then everything is closed.
    Raises OSError if the address cannot be listened on.
    """
    service = app[SERVICE]
    runner = web.AppRunner(
        app,
        handler_cancellation=True,  # a client that left frees its slot
        access_log=None,  # a GET's query is a prompt
        logger=build_protocol_logger(),
        keepalive_timeout=settings.read_timeout_s,  # also the time that a request's head has to arrive
        lingering_time=LINGER_S,
        max_line_size=service.limits.line_bytes,
        shutdown_timeout=CUT_S,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        try:
            yield listen_url(settings.host, site.port)
        finally:
            await drain(app)
    finally:
        await runner.cleanup()


async def drain(app: web.Application) -> None:
    service = app[SERVICE]
    service.life.stop()
    try:
        async with asyncio.timeout(service.life.drain_s + service.limits.grace_s):
            await service.life.idle()
    except TimeoutError:
        log.warning("drain_cut_short", in_hand=service.life.in_hand)
