"""The messages of `up` on whether the service answers, and whether the engine behind LLM_URL does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from core.cli import readiness, startup_checks
from core.cli.readiness import EngineMonitor, ReadyAnnouncer, browser_url
from core.configuration.settings import load
from core.contract import Language
from core.model.client import ModelClient
from core.runtime.hang_guards import HealthProbe, HealthState
from tests.support.fake_model import FakeModel


class FakeLog:
    """A merged log that keeps messages by event, in order."""

    def __init__(self) -> None:
        self.messages: dict[str, str] = {}
        self.queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.waiting = asyncio.Event()

    def write_event(self, event: str, message: str, **_values: object) -> None:
        self.messages[event] = message
        self.queue.put_nowait((event, message))
        if event in ("loading", "starting"):
            self.waiting.set()

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(30):
            return await self.queue.get()


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


async def test_the_ready_message_has_address_and_model() -> None:
    """It names the address, the model and Ctrl+C. It mentions the starter model only if that one answers."""
    ready, log = asyncio.Event(), FakeLog()
    ready.set()
    async with service(ready, starter=False) as port:
        await ReadyAnnouncer("127.0.0.1", port, "whisper", log, "en").run()
    assert list(log.messages) == ["ready"]
    assert f"http://localhost:{port}/" in log.messages["ready"]
    assert "Tiny (Q8_0)" in log.messages["ready"]
    assert "Ctrl+C" in log.messages["ready"]
    assert "starter" not in log.messages["ready"]


class FixedHealth:
    """The health of a model process that stays in one state."""

    def __init__(self, state: HealthState) -> None:
        self._state = state

    async def state(self, deadline_s: float) -> HealthState:
        return self._state

    async def close(self) -> None:
        """Does nothing: no connection is open."""


async def slow_start(monkeypatch: pytest.MonkeyPatch, model: HealthProbe | None) -> FakeLog:
    """The messages of a slow start, in French."""
    monkeypatch.setattr(readiness, "SLOW_START_S", 0.0)
    ready, log = asyncio.Event(), FakeLog()
    async with service(ready, starter=True) as port:
        announcer = ReadyAnnouncer("127.0.0.1", port, "whisper", log, "fr", model)
        announcing = asyncio.create_task(announcer.run())
        async with asyncio.timeout(30):
            await log.waiting.wait()
            assert "ready" not in log.messages
            ready.set()
            await announcing
    return log


async def test_a_slow_start_has_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that the model is loading. The ready message says that the starter model is for demonstration."""
    log = await slow_start(monkeypatch, FixedHealth("answers"))
    assert "Chargement" in log.messages["loading"]
    assert "modèle de démonstration" in log.messages["ready"]


@pytest.mark.parametrize("model", [FixedHealth("silent"), FixedHealth("ready"), None])
async def test_a_slow_start_without_loading(monkeypatch: pytest.MonkeyPatch, model: HealthProbe | None) -> None:
    """The model process failed, is ready, or is on another machine: the message says only that the service starts."""
    log = await slow_start(monkeypatch, model)
    assert list(log.messages) == ["starting", "ready"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://localhost:5000/"),
        ("0.0.0.0", "http://localhost:5000/"),
        ("::1", "http://localhost:5000/"),
        ("10.1.2.3", "http://10.1.2.3:5000/"),
    ],
)
def test_browser_url(host: str, url: str) -> None:
    """A browser on this machine can open the address."""
    assert browser_url(host, 5000) == url


# ---------------------------------------------------------------- the engine behind LLM_URL


@asynccontextmanager
async def monitored(url: str, language: Language = "en", **environ: str) -> AsyncIterator[FakeLog]:
    """The log of a monitor with the real client, which checks the engine every 10 ms."""
    log, client = FakeLog(), ModelClient.from_settings(load({"LLM_URL": url, **environ}))
    [(_, engine)] = client.connections()
    monitor = EngineMonitor(engine, url, log, language, up_interval_s=0.01, down_interval_s=0.01)
    task = asyncio.create_task(monitor.run())
    try:
        yield log
    finally:
        task.cancel()
        await asyncio.wait([task])
        await client.close()


async def test_an_engine_that_comes_and_goes() -> None:
    """Each change is reported once: nothing listens, the engine answers, nothing listens again."""
    model = FakeModel()
    port = startup_checks.find_free_port("127.0.0.1")
    async with monitored(f"http://operator:hush@127.0.0.1:{port}/v1") as log:
        event, message = await log.next()
        assert event == "engine_away"
        assert f"http://127.0.0.1:{port}/v1 (LLM_URL) does not answer: nothing listens there." in message
        async with model.serving(port=port):
            event, message = await log.next()
            assert (event, message.endswith("answers: fake-model.")) == ("engine_back", True)
        assert (await log.next())[0] == "engine_away"


async def test_an_engine_without_the_model_is_reported() -> None:
    """A model that the engine does not serve is a problem, also in French. An engine that works is not reported."""
    async with (
        FakeModel().serving() as model,
        monitored(model.url) as log,
        monitored(model.url, "fr", LLM_MODEL="large") as other,
    ):
        event, message = await other.next()
        assert log.queue.empty()
    assert event == "engine_unusable"
    assert "ne peut pas être utilisé" in message
    assert "'large'" in message
