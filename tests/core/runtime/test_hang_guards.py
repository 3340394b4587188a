"""The guards against hanging processes, with a real HTTP server and a real stopped process."""

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

from core.runtime.hang_guards import (
    GuardTiming,
    HangDetector,
    HealthGuard,
    HttpHealthProbe,
    StopSignalGuard,
    is_stopped,
)


def ignore_ready() -> None:
    """Does nothing: the test is not about readiness."""


QUICK = GuardTiming(interval_s=0.01, deadline_s=1.0, silent_s=0.05, start_s=30.0, stopped_interval_s=0.01)


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
    health = HttpHealthProbe("http://model/health", path)
    try:
        return await health.state(deadline_s)
    finally:
        await health.close()


async def test_health_states(tmp_path: Path) -> None:
    """A process may be ready, merely answer while it loads, report that it is stalled, or be silent."""
    body = {"status": "ok"}
    hang = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        if body["status"] == "hang":
            await hang.wait()
        return web.json_response(body, status=200 if body["status"] == "ok" else 503)

    path = tmp_path / "model.sock"
    assert await state(path) == "silent"
    async with health_server(answer, path):
        assert await state(path) == "ready"
        body["status"] = "loading"
        assert await state(path) == "answers"
        body["status"] = "stalled"
        assert await state(path) == "stalled"
        body["status"] = "hang"
        assert await state(path, deadline_s=0.1) == "silent"
        hang.set()


async def test_the_probe_sends_the_key(tmp_path: Path) -> None:
    """A model process may require a key even for its health check."""
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(text="fine")

    async with health_server(answer, tmp_path / "s") as path:
        health = HttpHealthProbe("http://model/health", path, {"Authorization": "Bearer k"})
        assert await health.state(30.0) == "answers"
        await health.close()
    assert seen == ["Bearer k"]


async def test_one_connection_and_no_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check runs every second, so it must not open a connection or build a TLS context each time."""
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
        health = HttpHealthProbe("http://model/health", path)
        assert [await health.state(30.0) for _ in range(5)] == ["ready"] * 5
        await health.close()
    assert len(ports) == 1


async def test_a_restarted_server_is_reached_again(tmp_path: Path) -> None:
    """The kept connection ended with the old server."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    health = HttpHealthProbe("http://model/health", tmp_path / "s")
    for _ in range(2):
        async with health_server(answer, tmp_path / "s"):
            assert await health.state(30.0) == "ready"
        assert await health.state(30.0) == "silent"
    await health.close()


async def test_the_guard_reports_a_ready_process(tmp_path: Path) -> None:
    """A process that loads is not ready."""
    statuses = iter(["loading", "ok"])
    ready = asyncio.Event()
    sent: list[str] = []

    async def answer(_: web.Request) -> web.Response:
        sent.append(next(statuses, "ok"))
        return web.json_response({"status": sent[-1]}, status=200 if sent[-1] == "ok" else 503)

    async with health_server(answer, tmp_path / "s") as path:
        guarding = asyncio.create_task(
            HealthGuard(HttpHealthProbe("http://model/health", path), QUICK)(os.getpid(), ready.set)
        )
        async with asyncio.timeout(30):
            await ready.wait()
        guarding.cancel()
        await asyncio.wait([guarding])
    assert sent[:2] == ["loading", "ok"]


def test_loading_has_a_longer_limit_than_silence() -> None:
    """300 s until the first answer, then 15 s after each answer, also after "loading"."""
    now = 0.0
    detector = HangDetector(GuardTiming(silent_s=15, start_s=300), clock=lambda: now)
    now = 299.0
    assert detector.check("silent") is None
    now = 301.0
    assert "301 s" in (detector.check("silent") or "")
    assert detector.check("answers") is None
    now = 315.0
    assert detector.check("silent") is None
    now = 317.0
    assert "16 s" in (detector.check("silent") or "")
    assert detector.check("stalled") is not None


async def test_a_server_that_stops_answering_is_reported(tmp_path: Path) -> None:
    """It answers once, then its event loop hangs."""
    answered = asyncio.Event()
    never = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        if answered.is_set():
            await never.wait()
        answered.set()
        return web.json_response({"status": "ok"})

    async with health_server(answer, tmp_path / "s") as path:
        async with asyncio.timeout(30):
            reason = await HealthGuard(HttpHealthProbe("http://model/health", path), QUICK)(os.getpid(), ignore_ready)
        assert answered.is_set()
        assert "did not answer" in reason
        never.set()


async def test_a_stopped_process_is_reported() -> None:
    """The kernel shows SIGSTOP in /proc. A running process is left alone."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    try:
        guarding = asyncio.create_task(StopSignalGuard(QUICK)(child.pid, ignore_ready))
        assert not is_stopped(child.pid)
        child.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(30):
            assert "SIGSTOP" in await guarding
    finally:
        child.kill()
        await child.wait()
    assert not is_stopped(child.pid)
