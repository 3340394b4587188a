"""When a process counts as hanging, with a real HTTP server and a real stopped process."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from core.cli.guards import Answers, HttpHealth, Limits, Runs, Silence, stopped


def unheard() -> None:
    """Who does not ask whether the process is ready."""


QUICK = Limits(interval_s=0.01, deadline_s=1.0, silent_s=0.05, start_s=30.0, stopped_interval_s=0.01)


@asynccontextmanager
async def health_server(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]], path: Path
) -> AsyncIterator[Path]:
    app = web.Application()
    app.router.add_get("/health", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    try:
        yield path
    finally:
        await runner.cleanup()


async def state(path: Path, deadline_s: float = 30.0) -> str:
    health = HttpHealth("http://model/health", path)
    try:
        return await health.state(deadline_s)
    finally:
        await health.close()


async def test_health_states(tmp_path: Path) -> None:
    """Ready is told from merely answering (loading, busy with a login); "stalled" is believed; no server, and one that
    hangs, are silent."""
    said = {"status": "ok"}
    hang = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        if said["status"] == "hang":
            await hang.wait()
        return web.json_response(said, status=200 if said["status"] == "ok" else 503)

    path = tmp_path / "model.sock"
    assert await state(path) == "silent"
    async with health_server(answer, path):
        assert await state(path) == "ready"
        said["status"] = "loading"
        assert await state(path) == "answers"
        said["status"] = "stalled"
        assert await state(path) == "stalled"
        said["status"] = "hang"
        assert await state(path, deadline_s=0.1) == "silent"
        hang.set()


async def test_a_key_is_shown_to_a_process_on_tcp(tmp_path: Path) -> None:
    """The health of a process that asks for a key is asked with it."""
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(text="fine")

    async with health_server(answer, tmp_path / "s") as path:
        health = HttpHealth("http://model/health", path, {"Authorization": "Bearer k"})
        assert await health.state(30.0) == "answers"
        await health.close()
    assert seen == ["Bearer k"]


async def test_one_connection_and_no_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Health is asked every second of a service's life: that costs neither a connection nor a TLS context each time."""
    ports: set[int] = set()

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("nothing here speaks TLS")

    async def answer(request: web.Request) -> web.Response:
        assert request.transport
        ports.add(id(request.transport))
        return web.json_response({"status": "ok"})

    monkeypatch.setattr(ssl, "SSLContext", refused)
    monkeypatch.setattr(ssl, "create_default_context", refused)
    async with health_server(answer, tmp_path / "s") as path:
        health = HttpHealth("http://model/health", path)
        assert [await health.state(30.0) for _ in range(5)] == ["ready"] * 5
        await health.close()
    assert len(ports) == 1


async def test_a_server_that_comes_back_is_reached_again(tmp_path: Path) -> None:
    """The connection that was kept died with it."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    health = HttpHealth("http://model/health", tmp_path / "s")
    for _ in range(2):
        async with health_server(answer, tmp_path / "s"):
            assert await health.state(30.0) == "ready"
        assert await health.state(30.0) == "silent"
    await health.close()


async def test_it_is_told_when_a_process_is_ready(tmp_path: Path) -> None:
    """Not while it loads."""
    statuses = iter(["loading", "ok"])
    told = asyncio.Event()
    asked: list[str] = []

    async def answer(_: web.Request) -> web.Response:
        asked.append(next(statuses, "ok"))
        return web.json_response({"status": asked[-1]}, status=200 if asked[-1] == "ok" else 503)

    async with health_server(answer, tmp_path / "s") as path:
        guarding = asyncio.create_task(Answers(HttpHealth("http://model/health", path), QUICK)(os.getpid(), told.set))
        async with asyncio.timeout(30):
            await told.wait()
        guarding.cancel()
        await asyncio.wait([guarding])
    assert asked[:2] == ["loading", "ok"]


def test_loading_may_take_its_time_and_silence_may_not() -> None:
    """Generous until the first answer; then the limit; every answer, also "loading", begins it anew."""
    now = 0.0
    silence = Silence(Limits(silent_s=15, start_s=300), clock=lambda: now)
    now = 299.0
    assert silence.see("silent") is None
    now = 301.0
    assert "301 s" in (silence.see("silent") or "")
    assert silence.see("answers") is None
    now = 315.0
    assert silence.see("silent") is None
    now = 317.0
    assert "16 s" in (silence.see("silent") or "")
    assert silence.see("stalled") is not None


async def test_a_server_that_stops_answering_is_found(tmp_path: Path) -> None:
    """It answered once, and then its loop hangs."""
    answered = asyncio.Event()
    never = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        if answered.is_set():
            await never.wait()
        answered.set()
        return web.json_response({"status": "ok"})

    async with health_server(answer, tmp_path / "s") as path:
        async with asyncio.timeout(30):
            reason = await Answers(HttpHealth("http://model/health", path), QUICK)(os.getpid(), unheard)
        assert answered.is_set()
        assert "did not answer" in reason
        never.set()


async def test_a_stopped_process_is_found() -> None:
    """SIGSTOP is seen where the kernel tells it; a running process is left alone."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    try:
        guarding = asyncio.create_task(Runs(QUICK)(child.pid, unheard))
        assert not stopped(child.pid)
        child.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(30):
            assert "SIGSTOP" in await guarding
    finally:
        child.kill()
        await child.wait()
    assert not stopped(child.pid)
