"""What is said when the service answers, and while it does not yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from core.cli import announcement
from core.cli.announcement import Announcement, shown_url
from core.cli.guards import Health, State
from core.cli.words import Words


class Told:
    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.waiting = asyncio.Event()

    def tell(self, event: str, text: str, **_values: object) -> None:
        self.texts[event] = text
        if event in ("loading", "starting"):
            self.waiting.set()


@asynccontextmanager
async def service(ready: asyncio.Event, *, starter: bool) -> AsyncIterator[int]:
    async def readyz(_: web.Request) -> web.Response:
        return web.Response(status=200 if ready.is_set() else 503)

    async def describe(_: web.Request) -> web.Response:
        return web.json_response({"model": "Tiny (Q8_0)", "starter": starter})

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/describe/whisper", describe)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site.port
    finally:
        await runner.cleanup()


async def test_ready_says_where_and_which_model() -> None:
    """An address to open, the model's name, how to stop; nothing of a starter where it is none."""
    ready, told = asyncio.Event(), Told()
    ready.set()
    async with service(ready, starter=False) as port:
        await Announcement("127.0.0.1", port, "whisper", told, Words(announcement.WORDS, "en")).make()
    assert list(told.texts) == ["ready"]
    assert f"http://localhost:{port}/" in told.texts["ready"]
    assert "Tiny (Q8_0)" in told.texts["ready"]
    assert "Ctrl-C" in told.texts["ready"]
    assert "starter" not in told.texts["ready"]


class ModelIs:
    """The health of a model process that is in one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def state(self, deadline_s: float) -> State:
        return self._state

    async def close(self) -> None:
        """Nothing was opened."""


async def waited(monkeypatch: pytest.MonkeyPatch, model: Health | None) -> Told:
    """What was told of a start that takes longer, in French."""
    monkeypatch.setattr(announcement, "SOON_S", 0.0)
    ready, told = asyncio.Event(), Told()
    async with service(ready, starter=True) as port:
        made = Announcement("127.0.0.1", port, "whisper", told, Words(announcement.WORDS, "fr"), model).make()
        making = asyncio.create_task(made)
        async with asyncio.timeout(30):
            await told.waiting.wait()
            assert "ready" not in told.texts
            ready.set()
            await making
    return told


async def test_loading_is_explained_and_the_starter_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that takes longer is explained; the starter is called what it is, in French too."""
    told = await waited(monkeypatch, ModelIs("answers"))
    assert "Chargement" in told.texts["loading"]
    assert "modèle de départ" in told.texts["ready"]


@pytest.mark.parametrize("model", [ModelIs("silent"), ModelIs("ready"), None])
async def test_no_model_is_said_to_be_loaded_that_is_not(monkeypatch: pytest.MonkeyPatch, model: Health | None) -> None:
    """It failed, or is waited for no longer, or another machine has it: then the service is merely starting."""
    told = await waited(monkeypatch, model)
    assert list(told.texts) == ["starting", "ready"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://localhost:5000/"),
        ("0.0.0.0", "http://localhost:5000/"),
        ("::1", "http://localhost:5000/"),
        ("10.1.2.3", "http://10.1.2.3:5000/"),
    ],
)
def test_where_a_person_goes(host: str, url: str) -> None:
    """A name that a browser on this machine understands."""
    assert shown_url(host, 5000) == url
