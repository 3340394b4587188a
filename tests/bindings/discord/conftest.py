"""Fixtures: a Discord on loopback, and adapters that log in to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from discord.http import Route

from bindings.discord.adapter import DiscordAdapter
from bindings.discord.api import DiscordApi, SingleAttemptClient
from bindings.discord.outlet import DiscordOutlet
from bindings.discord.places import build_places
from bindings.incoming import IncomingMessage
from bindings.metrics import BotMetrics
from bindings.selftest.discord_payloads import ME
from bindings.selftest.discord_server import TOKEN, FakeDiscord
from core.configuration import settings
from tests.bindings.discord.support_fake_intake import IntakeSpy

BuildBot = Callable[..., DiscordAdapter]
RunBot = Callable[..., AbstractAsyncContextManager[DiscordAdapter]]

BuildOutlet = Callable[[IncomingMessage], DiscordOutlet]


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    monkeypatch.setattr(Route, "BASE", Route.BASE)  # the adapter sets it, so each test restores it
    async with FakeDiscord().serve() as fake:
        yield fake


@pytest.fixture
def intake() -> IntakeSpy:
    return IntakeSpy()


def load_settings(fake: FakeDiscord, tmp_path: Path, **environ: str) -> settings.Settings:
    own = {"CSPS_LLM_DATA": str(tmp_path / "var"), "DISCORD_BOT_TOKEN": TOKEN, "DISCORD_API_BASE_URL": fake.base}
    return settings.load({**own, "DISCORD_GATEWAY_URL": fake.gateway_url, **environ})


@pytest.fixture
def build_bot(fake: FakeDiscord, tmp_path: Path) -> BuildBot:
    """Builds adapters that are not started."""

    def build(**environ: str) -> DiscordAdapter:
        adapter = DiscordAdapter(load_settings(fake, tmp_path, **environ), BotMetrics())
        adapter.connections.pacer.interval_s = 0.0
        return adapter

    return build


@pytest.fixture
def run_bot(build_bot: BuildBot, fake: FakeDiscord, intake: IntakeSpy) -> RunBot:
    """Runs adapters that are logged in and connected, until their block ends."""

    @asynccontextmanager
    async def run(**environ: str) -> AsyncIterator[DiscordAdapter]:
        adapter = build_bot(**environ)
        await adapter.connect(as_intake(intake))
        running = asyncio.create_task(adapter.run())
        try:
            await fake.until(lambda: fake.identify_frames)
            yield adapter
        finally:
            running.cancel()
            await asyncio.wait({running})
            await adapter.close()

    return run


def as_intake(fake: Any) -> Any:
    """Passes for an `Intake`."""
    return fake


@pytest.fixture
async def build(fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BuildOutlet]:
    """Builds outlets that share no state, as separate processes would."""
    monkeypatch.setattr(Route, "BASE", fake.base)
    http = SingleAttemptClient(None)
    http.token = TOKEN
    api = DiscordApi(lambda: http)
    yield lambda incoming: DiscordOutlet(build_places(incoming, api, ME["id"]), lambda: None)
    await http.close()
