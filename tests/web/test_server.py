"""Serving, draining and the web_process `python -m web`."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from core import PROJECT_ROOT
from core.configuration.settings import Settings
from core.contract import Done, Text, Usage
from core.errors import ConfigError
from tests.support.fake_engine import FakeEngine
from tests.support.fake_model import FakeModel
from tests.web.support_site import receive_answer, site
from web.app import create_app, serve
from web.service import SERVICE, WebLimits

DONE = Done("stop", "fake-model", Usage(7, 3, 2))


async def test_port_0_takes_a_free_port(own_settings: Settings) -> None:
    """The URL holds the real port, and the page's origin with that port is accepted."""
    async with site(own_settings) as running:
        assert running.port > 0
        async with running.http.get("/describe", headers={"Origin": running.url.rstrip("/")}) as response:
            assert response.status == 200


async def test_configured_origins_are_accepted(own_settings: Settings) -> None:
    """WEB_ORIGINS allows another host name, and requests from another site's page."""
    async with site(own_settings, origins=("https://chat.example.gc.ca",)) as running:
        headers = {"Origin": "https://chat.example.gc.ca", "Host": "chat.example.gc.ca", "Sec-Fetch-Site": "cross-site"}
        async with running.http.get("/describe", headers=headers) as response:
            assert response.status == 200
        async with running.plain(headers=headers) as socket_:
            await socket_.send_str("Hi")
            await receive_answer(socket_)


def test_invalid_origin_stops_the_start(own_settings: Settings) -> None:
    """The error names it."""
    changed = own_settings.web.model_copy(update={"origins": ("chat.example.gc.ca",)})
    with pytest.raises(ConfigError, match=r"WEB_ORIGINS.*chat\.example\.gc\.ca"):
        create_app(FakeEngine(), own_settings.model_copy(update={"web": changed}))


async def test_drain_finishes_answers_and_refuses_new_ones(own_settings: Settings) -> None:
    """New requests get 503 with Retry-After in the form of their route; the running answer ends complete."""
    gate = asyncio.Event()
    web = own_settings.web.model_copy(update={"port": 0, "drain_s": 60.0})
    engine = FakeEngine([Text("a"), gate, Text("b"), DONE])
    app = create_app(engine, own_settings)
    left = asyncio.Event()

    async def run(url: asyncio.Future[str]) -> None:
        async with serve(app, web) as address:
            url.set_result(address)
            await left.wait()

    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as tasks:
        server = tasks.create_task(run(url))
        async with ClientSession(base_url=await url) as http, http.get("/gpt/whisper?prompt=Hi") as running:
            assert await running.content.readany() == b"a"
            left.set()
            await app[SERVICE].gate.stopping.wait()
            async with http.get("/gpt/whisper?prompt=Hi") as refused:
                assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
            async with http.post("/toil/whisper", json={"prompt": "Hi"}) as refused:
                assert (await refused.json(content_type=None))["code"] == "stopping"
            assert not server.done()
            gate.set()
            assert await running.content.read() == b"b"


async def test_readiness_ends_before_requests_are_refused(own_settings: Settings) -> None:
    """In the notice /readyz is 503, so that a balancer looks elsewhere, and what still comes is answered."""
    web = own_settings.web.model_copy(update={"port": 0, "drain_s": 0.0, "notice_s": 600.0})
    app = create_app(FakeEngine(), own_settings)
    gate = app[SERVICE].gate

    async def statuses(http: ClientSession) -> list[int]:
        responses = [await http.get(path) for path in ("/readyz", "/healthz", "/gpt/whisper?prompt=Hi")]
        return [response.status for response in responses]

    async def run(url: asyncio.Future[str]) -> None:
        async with serve(app, web) as address:
            url.set_result(address)
            await left.wait()

    left, url = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run(url))
        async with ClientSession(base_url=await url) as http, http.ws_connect("/gpt-socket/whisper") as socket_:
            assert await statuses(http) == [200, 200, 200]
            left.set()
            await gate.ending.wait()
            assert await statuses(http) == [503, 200, 200]
            await socket_.send_str("Hi")
            assert await receive_answer(socket_)
            gate.stop()  # as at the end of the notice


async def test_drain_aborts_answers_that_take_too_long(own_settings: Settings) -> None:
    """HTTP answers are aborted, their slots are freed, and the server is down."""
    engine = FakeEngine([Text("a"), asyncio.Event(), DONE])
    async with site(own_settings, engine, WebLimits(grace_s=0.0)) as running:
        response = await running.http.get("/gpt/whisper?prompt=Hi")
        await response.content.readany()
    response.close()
    assert engine.cancelled.is_set()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", running.port)


# ---------------------------------------------------------------- python -m web


@asynccontextmanager
async def web_process(folder: Path, **environ: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m web` with these variables only."""
    inherited = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")}
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "web",
        cwd=PROJECT_ROOT,
        env={**inherited, "CSPS_LLM_DATA": str(folder), "LOG_FORMAT": "json", **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def read_output(started: asyncio.subprocess.Process) -> str:
    printed, _ = await started.communicate()
    return printed.decode()


async def test_port_in_use_is_one_line(tmp_path: Path) -> None:
    """Exit code 2 and the remedy, without a traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with web_process(tmp_path, PORT=str(port), LLM_URL="http://127.0.0.1:9/v1") as web:
            printed = await read_output(web)

    assert web.returncode == 2
    assert f"csps-llm web: port {port} on 127.0.0.1 is in use" in printed
    assert "Traceback" not in printed


async def test_wrong_setting_is_one_line(tmp_path: Path) -> None:
    """Exit code 2 and the variable."""
    async with web_process(tmp_path, PORT="many") as web:
        printed = await read_output(web)

    assert web.returncode == 2
    assert printed.startswith("csps-llm web: PORT: ")
    assert len(printed.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_stops_the_process_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """With the real engine: it logs its URL, answers, and exits with 0 on the signal."""
    async with (
        FakeModel().serving() as model,
        web_process(tmp_path, PORT="0", LLM_URL=f"{model.url}/v1", LLM_MODEL="fake-model") as web,
    ):
        assert web.stdout is not None
        line = b""
        while b"web_serving" not in line:
            line = await web.stdout.readline()
            assert line, "the web_process ended"
        url = next(word for word in line.decode().split('"') if word.startswith("http://"))
        async with ClientSession(base_url=url) as http, http.ws_connect("/gpt-socket/whisper") as socket_:
            await socket_.send_str("Hi")
            assert "".join(await receive_answer(socket_)) == "Hello there."
            web.send_signal(number)
            await socket_.receive()
            assert socket_.close_code == 1001
        printed = await read_output(web)

    assert web.returncode == 0
    assert "Traceback" not in printed
