"""The process of one adapter: what it is given, in which order it starts, and how it stops without losing an answer.

Knows no platform. `python -m bindings.slack` is `main("slack", build)`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Protocol

import structlog
from aiohttp import web

from bindings.incoming import PlatformName
from bindings.intake.intake import Intake
from bindings.listener import Listener
from bindings.metrics import Metrics
from bindings.platform import Platform
from bindings.store import Store
from core import bootstrap
from core.bootstrap import Core
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.runtime import process
from core.runtime.lock_file import AlreadyLocked, hold_lock

log = structlog.get_logger()


class Adapter(Protocol):
    """One platform's side of things. Holds nothing that a restart may lose."""

    platform: Platform

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """What it serves on its address, besides /healthz, /readyz and /metrics."""
        ...

    async def connect(self, intake: Intake) -> None:
        """Log in. Goes on trying while the platform is away; raises ConfigError if it will never be let in."""
        ...

    async def run(self) -> None:
        """Take events until cancelled. Reconnects by itself; raises ConfigError where only the operator can help."""
        ...

    async def stop_taking(self) -> None:
        """No new events; what answers need goes on."""
        ...

    async def close(self) -> None: ...


Build = Callable[[Settings, Metrics], Adapter]


def main(name: PlatformName, build: Build) -> int:
    """The exit code."""

    async def serve(settings: Settings) -> None:
        # Two would take up each other's unfinished answers.
        try:
            with hold_lock(settings.data_folder / "run" / f"{name}.lock"):
                await Process(name, settings, build).serve()
        except AlreadyLocked as exc:
            raise ConfigError(f"the bot for {name} runs already on {settings.data_folder} (process {exc.pid})") from exc

    return process.main(name, serve)


class Process:
    def __init__(self, name: PlatformName, settings: Settings, build: Build) -> None:
        """Raises ConfigError if a secret is missing."""
        self._name = name
        self._settings = settings
        self._section = settings.platform(name)
        if missing := self._section.missing:
            raise ConfigError(f"{missing} is not set: docs/{name}.md says where to find it")
        self._metrics = Metrics()
        self._adapter = build(settings, self._metrics)
        self._stop = process.stop_event()

    async def serve(self) -> None:
        """Until SIGTERM or SIGINT."""
        async with bootstrap.core(self._settings, warms=False) as core:
            intake = await self._intake(core)
            try:
                await self._serve(intake, core)
            finally:
                await self._adapter.close()

    async def _intake(self, core: Core) -> Intake:
        store = Store(core.database)
        return Intake(core.engine, self._adapter.platform, store, core.personalities, self._settings, self._metrics)

    async def _serve(self, intake: Intake, core: Core) -> None:
        stopped = asyncio.create_task(self._stop.wait())
        listener = Listener(self._name, self._section, self._adapter.routes(), self._metrics, core.engine)
        async with listener.serving() as url:
            log.info("bot_connecting", platform=self._name, url=url)
            if await self._before(stopped, self._adapter.connect(intake)):
                listener.open()
                log.info("bot_serving", platform=self._name)
                await self._work(intake, listener, stopped)

    async def _before(self, stopped: asyncio.Task[bool], connecting: Coroutine[None, None, None]) -> bool:
        """False: stopped first."""
        connected = asyncio.ensure_future(connecting)
        await asyncio.wait({connected, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not connected.done():
            connected.cancel()
            await asyncio.wait({connected})
            return False
        connected.result()
        return True

    async def _work(self, intake: Intake, listener: Listener, stopped: asyncio.Task[bool]) -> None:
        running = {asyncio.create_task(self._adapter.run()), asyncio.create_task(intake.run())}
        try:
            await asyncio.wait({*running, stopped}, return_when=asyncio.FIRST_COMPLETED)
            for task in running:
                if task.done():
                    task.result()
            drain_s = self._settings.bot.drain_s
            log.info("bot_stopping", platform=self._name, drain_s=drain_s)
            listener.close()
            await self._adapter.stop_taking()
            await intake.drain(drain_s)
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
