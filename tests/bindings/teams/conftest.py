"""The adapter over HTTP, with Microsoft's side and a intake that are fakes."""

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
from bindings.teams.adapter import TeamsAdapter, build
from core.configuration import settings
from tests.bindings.teams import support_answering as answering
from tests.bindings.teams.support_fake_intake import FakeIntake
from tests.bindings.teams.support_fake_microsoft import TENANT, FakeMicrosoft
from tests.support.fakes import FakeEngine

PAYLOADS = Path(__file__).parents[2] / "payloads" / "teams"


def payload(name: str, /, **changes: Any) -> dict[str, Any]:
    return {**json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8")), **changes}


@dataclass(frozen=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Served:
    """The adapter as Teams sees it."""

    url: str
    microsoft: FakeMicrosoft
    intake: FakeIntake
    adapter: TeamsAdapter
    http: aiohttp.ClientSession
    metrics: BotMetrics = field(default_factory=BotMetrics)

    def activity(self, name: str, /, **changes: Any) -> dict[str, Any]:
        """A recorded one, as if sent from this service URL and tenant."""
        told = payload(name, serviceUrl=self.microsoft.service_url)
        told["channelData"] = {**told.get("channelData", {}), "tenant": {"id": TENANT}}
        return {**told, **changes}

    async def send(self, body: Any, token: str | None = "", **headers: str) -> Answered:
        """`token`: "" is a good one, None is none."""
        token = self.microsoft.token() if token == "" else token
        told = {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
            **headers,
        }
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        async with self.http.post(f"{self.url}api/messages", data=data, headers=told) as response:
            return Answered(response.status, response.headers, await response.read())


@asynccontextmanager
async def serving(microsoft: FakeMicrosoft, folder: Path, **environ: str) -> AsyncIterator[Served]:
    loaded = settings.load({"CSPS_LLM_DATA": str(folder), **microsoft.environ, **environ})
    metrics, intake = BotMetrics(), FakeIntake()
    adapter = build(loaded, metrics)
    await adapter.connect(cast(Intake, intake))
    listener = WebhookServer("teams", loaded.teams, adapter.routes(), metrics, FakeEngine())
    running = asyncio.create_task(adapter.run())
    try:
        async with listener.serving() as url, aiohttp.ClientSession() as http:
            listener.open()
            yield Served(url, microsoft, intake, adapter, http, metrics)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await adapter.close()


@pytest.fixture
async def microsoft() -> AsyncIterator[FakeMicrosoft]:
    async with FakeMicrosoft().serving() as fake:
        yield fake


@pytest.fixture
async def served(microsoft: FakeMicrosoft, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(microsoft, tmp_path / "var") as up:
        yield up


@pytest.fixture
async def intake(microsoft: FakeMicrosoft, tmp_path: Path) -> AsyncIterator[answering.Intake]:
    made = answering.Intake(microsoft, tmp_path / "parcels")
    yield made
    await made.http.aclose()
