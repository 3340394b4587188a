"""The HTTP side of an adapter's process: its webhook, and whether it lives, can answer, and what it counts.

Webhooks come from strangers until their signature is checked, so a body has a size and a time to arrive in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bindings.incoming import PlatformName
from bindings.metrics import Metrics
from core.configuration.settings import PlatformSettings
from core.contract import Engine
from core.errors import CspsError
from core.runtime.app_server import serve_app
from core.runtime.http_server import listen_error, listen_url
from core.runtime.metrics import metrics_response

log = structlog.get_logger()

BODY_LIMIT_BYTES = 1 << 20
BODY_DEADLINE_S = 10.0
KEEPALIVE_S = 60.0
RETRY_AFTER_S = 5


class Listener:
    """`routes`: the adapter's own."""

    def __init__(
        self,
        name: PlatformName,
        settings: PlatformSettings,
        routes: Sequence[web.AbstractRouteDef],
        metrics: Metrics,
        engine: Engine,
    ) -> None:
        self._name = name
        self._settings = settings
        self._metrics = metrics
        self._engine = engine
        self._open = False
        self._app = web.Application(client_max_size=BODY_LIMIT_BYTES, middlewares=[self._guarded])
        own = [
            web.get("/healthz", self._healthz),
            web.get("/readyz", self._readyz),
            web.get("/metrics", self._metrics_page),
        ]
        self._app.add_routes([*routes, *own])

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serves while the block runs, webhooks once it is `open`; yields the URL.

        Raises ConfigError if the address cannot be had.
        """
        host, port, prefix = self._settings.host, self._settings.port, self._name.upper()
        async with serve_app(
            self._app,
            lambda runner: web.TCPSite(runner, host, port),
            lambda exc: listen_error(exc, host, port, f"{prefix}_HOST", f"{prefix}_PORT"),
            keepalive_timeout=KEEPALIVE_S,
            shutdown_timeout=1.0,
        ) as site:
            yield listen_url(host, site.port)

    def open(self) -> None:
        self._open = True

    def close(self) -> None:
        """Webhooks are answered 503 from now on, and the platform delivers them again."""
        self._open = False

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "POST":
            if not self._open:
                raise web.HTTPServiceUnavailable(headers={"Retry-After": str(RETRY_AFTER_S)})
            await whole_body(request)
        try:
            return await handler(request)
        except CspsError as exc:
            # Not acknowledged: the platform delivers it again.
            log.warning("event_not_taken", platform=self._name, code=exc.code, problem=exc.message)
            raise web.HTTPServiceUnavailable(headers={"Retry-After": str(RETRY_AFTER_S)}) from exc

    async def _healthz(self, _request: web.Request) -> web.Response:
        """The process lives; `csps-llm up` has to know whether it ever got as far as working."""
        return web.json_response({"status": "ok" if self._open else "waiting"})

    async def _readyz(self, _request: web.Request) -> web.Response:
        try:
            await self._engine.ready()
        except CspsError as exc:
            return web.json_response({"status": "unready", "code": exc.code, "detail": exc.message}, status=503)
        return web.json_response({"status": "ready"})

    async def _metrics_page(self, _request: web.Request) -> web.Response:
        return metrics_response(self._metrics.registry)


async def whole_body(request: web.Request) -> None:
    """aiohttp keeps what was read, so handlers find it. Raises 408 if it does not arrive, 413 if it is too large."""
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            await request.read()
    except TimeoutError as exc:
        raise web.HTTPRequestTimeout from exc
