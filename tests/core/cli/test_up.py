"""`csps-llm up` as a person runs it: the real web process, with a fake engine behind LLM_URL."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from core import PROJECT_ROOT
from core.cli import startup_checks
from tests.support.fake_model import FakeModel

COMMAND = (sys.executable, "-c", "from core.cli import main; main()", "up")


class Running:
    """A running `up` and its output."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self.child = child
        self.printed = ""

    async def prints(self, pattern: str) -> re.Match[str]:
        """Waits until the output matches; returns the first match."""
        assert self.child.stdout
        async with asyncio.timeout(60):
            while not (found := re.search(pattern, self.printed)):
                line = await self.child.stdout.readline()
                assert line, f"{pattern!r} never came; it printed:\n{self.printed}"
                self.printed += line.decode()
        return found

    async def ends(self) -> int:
        assert self.child.stdout
        async with asyncio.timeout(60):
            self.printed += (await self.child.stdout.read()).decode()
            return await self.child.wait()


@asynccontextmanager
async def up(folder: Path, **environ: str) -> AsyncIterator[Running]:
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "LC_", "LANG"))}
    own = {"CSPS_LLM_DATA": str(folder), "PORT": "0", "LC_ALL": "C.UTF-8", "WEB_DRAIN_S": "5", "LLM_AUTO": "off"}
    child = await asyncio.create_subprocess_exec(
        *COMMAND, stdout=PIPE, stderr=STDOUT, cwd=PROJECT_ROOT, env={**quiet, **own, **environ}
    )
    running = Running(child)
    try:
        yield running
    finally:
        if child.returncode is None:
            child.kill()
        await running.ends()


async def healthy(url: str) -> bool:
    async with aiohttp.ClientSession() as http:
        try:
            async with http.get(f"{url}healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_from_start_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """It announces the address and the model, and serves there. One signal ends it with status 0."""
    async with FakeModel().serving() as model, up(tmp_path, LLM_URL=model.url) as running:
        url = (await running.prints(r"http://localhost:\d+/"))[0]
        await running.prints(r"Ctrl\+C")
        assert "model is not started: LLM_URL is set" in running.printed
        assert "fake-model (the starter model)" in running.printed
        assert await healthy(url)
        running.child.send_signal(number)
        assert await running.ends() == 0
        assert running.printed.rstrip().endswith("up  │ Stopped.")
        assert not await healthy(url)


async def test_a_killed_web_process_is_restarted(tmp_path: Path) -> None:
    """It serves again at the same address. A second `up` on the same data is refused."""
    async with FakeModel().serving() as model, up(tmp_path, LLM_URL=model.url) as running:
        url = (await running.prints(r"http://localhost:\d+/"))[0]
        async with up(tmp_path, LLM_URL=model.url) as second:
            assert await second.ends() == 2
            assert f"already running with the data in {tmp_path} (process {running.child.pid})" in second.printed
        os.kill(int((await running.prints(r"web started \(process (\d+)\)"))[1]), signal.SIGKILL)
        await running.prints(r"web ended: SIGKILL\. It is started again\.")
        await running.prints(r"(?s)web ended.*web_serving")
        assert await healthy(url)


async def test_json_logs_are_json_in_every_line(tmp_path: Path) -> None:
    """With LOG_FORMAT=json the events of `up` are JSON too."""
    async with FakeModel().serving() as model, up(tmp_path, LLM_URL=model.url, LOG_FORMAT="json") as running:
        await running.prints('"event": "ready"')
        running.child.send_signal(signal.SIGTERM)
        assert await running.ends() == 0
    events = [json.loads(line) for line in running.printed.splitlines()]
    assert {"up", "web"} == {event["process"] for event in events}
    ready = next(event for event in events if event["event"] == "ready")
    assert ready["model"] == "fake-model"
    assert ready["url"].startswith("http://localhost:")


BROKEN_FILE = "this is = = no TOML"


def own_config(folder: Path, **files: str) -> str:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({"WEB_ORIGINS": "foo"}, "WEB_ORIGINS: 'foo' is no origin"),
        ({"DATABASE_URL": "nosuch://foo"}, "DATABASE_URL: not a database URL"),
        ({"glossary": BROKEN_FILE}, "glossary.toml: not valid TOML"),
        ({"sources": BROKEN_FILE}, "sources.toml: not valid TOML"),
    ],
)
async def test_an_error_of_a_process_ends_all(tmp_path: Path, environ: dict[str, str], error: str) -> None:
    """Exit status 2; the error appears once, in the last line: no restart would help."""
    files = {name: environ.pop(name) for name in ("glossary", "sources") if name in environ}
    config = {"CSPS_LLM_CONFIG": own_config(tmp_path / "config", **files)} if files else {}
    async with FakeModel().serving() as model, up(tmp_path / "var", LLM_URL=model.url, **environ, **config) as running:
        assert await running.ends() == 2
    assert error in running.printed.rstrip().splitlines()[-1]
    assert running.printed.count(error) == 1
    assert "Starting it again" not in running.printed
    assert "Loading the model" not in running.printed


async def test_a_model_that_can_never_be_loaded_ends_all(tmp_path: Path) -> None:
    """The model process listens and loads before it finds that its file is damaged."""
    file = tmp_path / "cut.gguf"
    file.write_bytes(b"GGUF" + bytes(64))
    async with up(tmp_path / "var", LLM_MODEL_FILE=str(file)) as running:
        assert await running.ends() == 2
    assert "cut.gguf" in running.printed.rstrip().splitlines()[-1]
    assert "Starting it again" not in running.printed


async def test_an_unreachable_engine_is_reported(tmp_path: Path) -> None:
    """The message has its address and the problem. Another one follows when it answers."""
    port = startup_checks.find_free_port("127.0.0.1")
    async with up(tmp_path, LLM_URL=f"http://127.0.0.1:{port}/v1") as running:
        await running.prints(rf"http://127\.0\.0\.1:{port}/v1 \(LLM_URL\) does not answer: nothing listens there")
        async with FakeModel().serving(port=port):
            await running.prints(r"answers: fake-model")
            await running.prints(r"Chat at")
    assert "Loading the model" not in running.printed


async def test_a_file_that_breaks_while_the_service_runs(tmp_path: Path) -> None:
    """The killed process cannot start until the file is corrected: a message says so, and the rest goes on."""
    config = own_config(tmp_path / "config", glossary="meanings = []")
    glossary = tmp_path / "config" / "glossary.toml"
    async with FakeModel().serving() as model, up(tmp_path, LLM_URL=model.url, CSPS_LLM_CONFIG=config) as running:
        await running.prints(r"Chat at")
        glossary.write_text(BROKEN_FILE, encoding="utf-8")
        os.kill(int((await running.prints(r"web started \(process (\d+)\)"))[1]), signal.SIGKILL)
        await running.prints(
            r"web cannot start until somebody corrects the error below.*\n.*glossary\.toml: not valid TOML"
        )
        glossary.write_text("meanings = []", encoding="utf-8")
        await running.prints(r"(?s)cannot start until.*web_serving")
