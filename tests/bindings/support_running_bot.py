"""Runs a bot in the process of a test or benchmark, and serves its webhook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from bindings.delivery.context import DeliveryContext
from bindings.hosting.process import Adapter
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.selftest.loopback import serve_on_loopback
from bindings.store import Store
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.contract import Engine
from core.storage.database import Database


@asynccontextmanager
async def run_intake(
    adapter: Adapter, engine: Engine, settings: Settings, metrics: BotMetrics, context: DeliveryContext | None = None
) -> AsyncIterator[Intake]:
    """Connects and runs an adapter with a real intake and database, as `bindings.hosting.process` does."""
    personalities = Personalities(settings.config / "personalities")
    personalities.load()
    database = Database(settings.database_url)
    await database.upgrade()
    intake = Intake(engine, adapter.platform, Store(database), personalities, settings, metrics, context)
    await adapter.connect(intake)
    running = [asyncio.create_task(adapter.run()), asyncio.create_task(intake.run())]
    try:
        yield intake
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await adapter.close()
        await database.close()


@asynccontextmanager
async def serve_routes(routes: Sequence[web.AbstractRouteDef]) -> AsyncIterator[str]:
    """Serves routes on a free port of the loopback. Yields the URL, without a slash at its end."""
    app = web.Application()
    app.add_routes(routes)
    async with serve_on_loopback(app) as url:
        yield url
