"""Runs an aiohttp application on an address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiohttp import web

from core.errors import ConfigError
from core.runtime.http_server import build_protocol_logger

Site = TypeVar("Site", bound=web.BaseSite)


@asynccontextmanager
async def serve_app(
    app: web.Application,
    build_site: Callable[[web.AppRunner], Site],
    translate: Callable[[OSError], ConfigError],
    **options: Any,
) -> AsyncIterator[Site]:
    """Serves `app` while the block runs; yields the site, which has the real port where 0 was asked for.

    `options` are those of aiohttp's AppRunner. No request is logged: a query or a malformed line may be a prompt.
    Raises `translate`'s error if the address cannot be listened on.
    """
    runner = web.AppRunner(app, access_log=None, logger=build_protocol_logger(), **options)
    await runner.setup()
    try:
        site = build_site(runner)
        try:
            await site.start()
        except OSError as exc:
            raise translate(exc) from exc
        yield site
    finally:
        await runner.cleanup()
