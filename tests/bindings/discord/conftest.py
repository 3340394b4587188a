"""A Discord on loopback, and the adapter that is logged in to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from discord.http import Route

from bindings.discord.adapter import DiscordAdapter
from bindings.metrics import BotMetrics
from core.configuration import settings
from tests.bindings.discord.support_fake_discord import TOKEN, FakeDiscord
from tests.bindings.discord.support_fake_intake import FakeIntake

Adapting = Callable[..., AbstractAsyncContextManager[DiscordAdapter]]


@pytest.fixture
async def discord_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    monkeypatch.setattr(Route, "BASE", Route.BASE)  # the adapter sets it: each test gives it back
    async with FakeDiscord().serving() as fake:
        yield fake


@pytest.fixture
def intake() -> FakeIntake:
    return FakeIntake()


def settings_for(fake: FakeDiscord, tmp_path: Path, **environ: str) -> settings.Settings:
    own = {"CSPS_LLM_DATA": str(tmp_path / "var"), "DISCORD_BOT_TOKEN": TOKEN, "DISCORD_API_BASE_URL": fake.base}
    return settings.load({**own, "DISCORD_GATEWAY_URL": fake.gateway_url, **environ})


@pytest.fixture
def built(discord_server: FakeDiscord, tmp_path: Path) -> Callable[..., DiscordAdapter]:
    """An adapter that was not started."""

    def build(**environ: str) -> DiscordAdapter:
        adapter = DiscordAdapter(settings_for(discord_server, tmp_path, **environ), BotMetrics())
        adapter.client.identify_s = 0.0
        return adapter

    return build


@pytest.fixture
def adapting(built: Callable[..., DiscordAdapter], intake: FakeIntake) -> Adapting:
    """An adapter that is logged in and runs while the block does."""

    @asynccontextmanager
    async def run(**environ: str) -> AsyncIterator[DiscordAdapter]:
        adapter = built(**environ)
        await adapter.connect(as_intake(intake))
        running = asyncio.create_task(adapter.run())
        try:
            yield adapter
        finally:
            running.cancel()
            await asyncio.wait({running})
            await adapter.close()

    return run


def as_intake(fake: Any) -> Any:
    """Where a `Intake` is asked for."""
    return fake
