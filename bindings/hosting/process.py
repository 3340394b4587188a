"""The process of one adapter: builds its parts, starts them in order, and stops without losing an answer.

Knows no platform. `python -m bindings.slack` is `main("slack", build)`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import structlog
from aiohttp import web

from bindings.delivery.context import DeliveryContext
from bindings.hosting.webhook_server import WebhookServer
from bindings.incoming import Platform, PlatformName
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.process_lease import ProcessLease
from bindings.store import Store
from core import bootstrap
from core.bootstrap import Core
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.runtime import process
from core.runtime.lock_file import AlreadyLocked, hold_lock
from core.runtime.ready_signal import announce_ready
from core.storage.database import serves_several

log = structlog.get_logger()


class Adapter(Protocol):
    """The part of a process that knows the platform. Keeps nothing that a restart may lose."""

    platform: Platform

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """The adapter's own HTTP routes, besides /healthz, /readyz and /metrics."""
        ...

    async def connect(self, intake: Intake) -> None:
        """Logs in, and retries while the platform is down. Raises ConfigError if no retry can succeed."""
        ...

    async def run(self) -> None:
        """Receives events until cancelled, and reconnects. Raises ConfigError if only the operator can help."""
        ...

    async def stop_taking(self) -> None:
        """Stops receiving events; calls that answers need still work."""
        ...

    async def close(self) -> None: ...


Build = Callable[[Settings, BotMetrics], Adapter]


def main(name: PlatformName, build: Build) -> int:
    """Runs the bot until a signal. Returns the exit code."""

    async def serve(settings: Settings) -> None:
        try:
            with hold_platform(name, settings):
                await BotProcess(name, settings, build).serve()
        except AlreadyLocked as exc:
            where = f"{settings.data_folder} (process {exc.pid})"
            raise ConfigError(f"the bot for {name} is already running on {where}") from exc

    return process.main(name, serve)


def hold_platform(name: PlatformName, settings: Settings) -> AbstractContextManager[None]:
    """Keeps a second process of the platform from starting, unless both can share the work. Raises AlreadyLocked.

    They cannot without PostgreSQL. Discord sends every event to every process.
    """
    if name != "discord" and serves_several(settings.database_url):
        return nullcontext()
    return hold_lock(settings.data_folder / "run" / f"{name}.lock")


class BotProcess:
    """One bot, from start to stop."""

    def __init__(self, name: PlatformName, settings: Settings, build: Build) -> None:
        """Raises ConfigError if a secret is missing."""
        self._name = name
        self._settings = settings
        self._section = settings.platform(name)
        if missing := self._section.missing:
            raise ConfigError(f"{missing} is not set: docs/{name}.md says where to find it")
        self._metrics = BotMetrics()
        self._delivery_context = DeliveryContext()
        self._adapter = build(settings, self._metrics)
        self._stop = process.stop_event()

    async def serve(self) -> None:
        """Serves until SIGTERM or SIGINT."""
        async with bootstrap.run_core(self._settings, warms=False) as core:
            self._metrics.registry.register(core.engine_metrics)
            intake = await self._build_intake(core)
            try:
                await self._serve(intake, core)
            finally:
                await self._adapter.close()

    async def _build_intake(self, core: Core) -> Intake:
        several, lease_s = core.database.serves_several, self._settings.bot.lease_s
        store = Store(core.database, lease=ProcessLease(core.database, self._name, lease_s) if several else None)
        return Intake(
            core.engine,
            self._adapter.platform,
            store,
            core.personalities,
            self._settings,
            self._metrics,
            self._delivery_context,
            editing=core.editing,
            screener=core.screener,
        )

    async def _serve(self, intake: Intake, core: Core) -> None:
        stopping = asyncio.create_task(self._stop.wait())
        health = self._delivery_context.health
        server = WebhookServer(self._name, self._section, self._adapter.routes(), self._metrics, core.engine, health)
        async with server.serving() as url:
            log.info("bot_connecting", platform=self._name, url=url)
            if await self._finishes_before(stopping, self._adapter.connect(intake)):
                await intake.join()
                server.open()
                log.info("bot_serving", platform=self._name)
                announce_ready()
                await self._work(intake, server, stopping)

    async def _finishes_before(self, stopping: asyncio.Task[bool], connecting: Coroutine[None, None, None]) -> bool:
        connected = asyncio.ensure_future(connecting)
        await asyncio.wait({connected, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not connected.done():
            connected.cancel()
            await asyncio.wait({connected})
            return False
        connected.result()
        return True

    async def _work(self, intake: Intake, server: WebhookServer, stopping: asyncio.Task[bool]) -> None:
        running = {asyncio.create_task(self._adapter.run()), asyncio.create_task(intake.run())}
        try:
            await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in running:
                if task.done():
                    task.result()
            drain_s = self._settings.bot.drain_s
            log.info("bot_stopping", platform=self._name, drain_s=drain_s)
            server.close()
            await self._adapter.stop_taking()
            await intake.drain(drain_s)
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
