"""/readyz tells of the engines behind URLs."""

from __future__ import annotations

from dataclasses import asdict

from core.configuration.settings import Settings
from core.contract import EngineHealth
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import site

AWAY = EngineHealth("large", "gpu1.example.gc.ca", "away", 0, 7, 2, "nothing listens there")


async def test_readyz_lists_the_engines(own_settings: Settings) -> None:
    """Each with its state and last problem. Without engines there is no such field."""
    engine = FakeEngine()
    async with site(own_settings, engine) as running:
        async with running.http.get("/readyz") as response:
            assert "engines" not in await response.json()
        engine.remote_engines = (AWAY,)
        async with running.http.get("/readyz") as response:
            assert (await response.json())["engines"] == [asdict(AWAY)]
