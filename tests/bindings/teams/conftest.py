"""Serves the adapter over HTTP, between FakeMicrosoft and FakeIntake."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from bindings.hosting.webhook_server import WebhookServer
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.selftest.microsoft_server import TENANT, FakeMicrosoft
from bindings.teams.adapter import TeamsAdapter, build
from core import PROJECT_ROOT
from core.configuration import settings
from tests.bindings.teams.support_fake_intake import FakeIntake
from tests.bindings.teams.support_outlets import OutletFactory
from tests.support.fake_engine import FakeEngine

PAYLOADS = PROJECT_ROOT / "bindings" / "selftest" / "payloads" / "teams"


def payload(name: str, /, **changes: Any) -> dict[str, Any]:
    return {**json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8")), **changes}


@dataclass(frozen=True)
class WebhookResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class TeamsBot:
    """A running adapter, and its fakes."""

    url: str
    microsoft: FakeMicrosoft
    intake: FakeIntake
    adapter: TeamsAdapter
    http: aiohttp.ClientSession
    metrics: BotMetrics = field(default_factory=BotMetrics)

    def activity(self, name: str, /, **changes: Any) -> dict[str, Any]:
        """Returns a recorded activity with the service URL and tenant of FakeMicrosoft."""
        recorded = payload(name, serviceUrl=self.microsoft.service_url)
        channel_data = {**recorded.get("channelData", {}), "tenant": {"id": TENANT}}
        return {**recorded, "channelData": channel_data, **changes}

    async def send(self, body: Any, token: str | None = "", **headers: str) -> WebhookResponse:
        """Calls the webhook. `token`: "" stands for a valid token, None for no token."""
        token = self.microsoft.token() if token == "" else token
        sent_headers = {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
            **headers,
        }
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        async with self.http.post(f"{self.url}api/messages", data=data, headers=sent_headers) as response:
            return WebhookResponse(response.status, response.headers, await response.read())


@asynccontextmanager
async def serve_adapter(microsoft: FakeMicrosoft, folder: Path, **environ: str) -> AsyncIterator[TeamsBot]:
    loaded = settings.load({"CSPS_LLM_DATA": str(folder), **microsoft.environ, **environ})
    metrics, intake = BotMetrics(), FakeIntake()
    adapter = build(loaded, metrics)
    await adapter.connect(cast(Intake, intake))
    server = WebhookServer("teams", loaded.teams, adapter.routes(), metrics, FakeEngine())
    running = asyncio.create_task(adapter.run())
    try:
        async with server.serving() as url, aiohttp.ClientSession() as http:
            server.open()
            yield TeamsBot(url, microsoft, intake, adapter, http, metrics)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await adapter.close()


@pytest.fixture
async def microsoft() -> AsyncIterator[FakeMicrosoft]:
    async with FakeMicrosoft().serving() as fake:
        yield fake


@pytest.fixture
async def bot(microsoft: FakeMicrosoft, tmp_path: Path) -> AsyncIterator[TeamsBot]:
    async with serve_adapter(microsoft, tmp_path / "var") as bot:
        yield bot


@pytest.fixture
async def outlets(microsoft: FakeMicrosoft, tmp_path: Path) -> AsyncIterator[OutletFactory]:
    factory = OutletFactory(microsoft, tmp_path / "parcels")
    yield factory
    await factory.http.aclose()
