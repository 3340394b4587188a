"""The HTTP server of an adapter's process: the webhook, /healthz, /readyz and /metrics.

Anyone can call a webhook until its signature is checked, so its body has a size limit and a deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bindings.delivery.context import PlatformHealth
from bindings.delivery.outlet import CredentialsRefused
from bindings.incoming import PlatformName
from bindings.metrics import BotMetrics
from core.configuration.platform_sections import PlatformSettings
from core.contract import Engine
from core.errors import CspsError
from core.model_report import report_models
from core.runtime.addresses import listen_url
from core.runtime.http_server import listen_error, metrics_response, serve_app

log = structlog.get_logger()

BODY_LIMIT_BYTES = 1 << 20
BODY_DEADLINE_S = 10.0
KEEPALIVE_S = 60.0
RETRY_AFTER_S = 5


class WebhookServer:
    """Serves the adapter's own `routes` beside health, readiness and metrics."""

    def __init__(
        self,
        name: PlatformName,
        settings: PlatformSettings,
        routes: Sequence[web.AbstractRouteDef],
        metrics: BotMetrics,
        engine: Engine,
        health: PlatformHealth | None = None,
    ) -> None:
        self._name = name
        self._settings = settings
        self._metrics = metrics
        self._engine = engine
        self._health = health or PlatformHealth()
        self._open = False
        self._app = web.Application(client_max_size=BODY_LIMIT_BYTES, middlewares=[self._guard_request])
        own = [
            web.get("/healthz", self._healthz),
            web.get("/readyz", self._readyz),
            web.get("/metrics", self._metrics_page),
        ]
        self._app.add_routes([*routes, *own])

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serves while the block runs and yields the URL. Webhooks get 503 until `open` is called.

        Raises ConfigError if the address is not available.
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
        """Answers webhooks with 503 from now on; the platform delivers them again later."""
        self._open = False

    @web.middleware
    async def _guard_request(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "POST":
            if not self._open:
                raise web.HTTPServiceUnavailable(headers={"Retry-After": str(RETRY_AFTER_S)})
            await read_body(request)
        try:
            return await handler(request)
        except CspsError as exc:
            # 503 instead of an acknowledgement: the platform delivers the event again.
            log.warning("event_take_failed", platform=self._name, code=exc.code, problem=exc.message)
            raise web.HTTPServiceUnavailable(headers={"Retry-After": str(RETRY_AFTER_S)}) from exc

    async def _healthz(self, _request: web.Request) -> web.Response:
        """Reports "ok" once the bot works: `csps-llm up` has to know whether it ever got that far."""
        return web.json_response({"status": "ok" if self._open else "waiting"})

    async def _readyz(self, _request: web.Request) -> web.Response:
        """Answers 503 with the reason while the engine is away, or while the platform refuses the bot's token."""
        try:
            if problem := self._health.credentials_problem:
                raise CredentialsRefused(problem)
            await self._engine.ready()
        except CspsError as exc:
            return web.json_response({"status": "unready", "code": exc.code, "detail": exc.message}, status=503)
        return web.json_response({"status": "ready", **await report_models(self._engine)})

    async def _metrics_page(self, _request: web.Request) -> web.Response:
        return metrics_response(self._metrics.registry)


async def read_body(request: web.Request) -> None:
    """Reads the body once; aiohttp keeps it for the handlers.

    Raises 408 after the deadline, 413 if it is too large, 400 if it breaks off.
    """
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            await request.read()
    except TimeoutError as exc:
        raise web.HTTPRequestTimeout from exc
    except web.RequestPayloadError as exc:
        raise web.HTTPBadRequest from exc
