"""`kill -9` of the model process during ten streams, with `csps-llm up`, real sockets and the starter model."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core import PROJECT_ROOT

CLIENTS = 10
START_LIMIT_S = 90
ANSWER_TOKENS = 96


class Service:
    """A running `csps-llm up` and its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.url = ""
        self.lines: list[str] = []
        self._process = process
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def seen(self, pattern: str, times: int = 1) -> re.Match[str]:
        """The `times`-th line of the log that matches."""
        async with asyncio.timeout(START_LIMIT_S), self._news:
            while len(found := [m for line in self.lines if (m := re.search(pattern, line))]) < times:
                await self._news.wait()
        return found[times - 1]

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            async with self._news:
                self.lines.append(line.decode())
                self._news.notify_all()

    async def end(self) -> int:
        self._process.terminate()
        code = await self._process.wait()
        await self._reading
        return code


@pytest.fixture
def short_answers(tmp_path: Path) -> Path:
    """The shipped configuration with short answers of Whisper, because the test is about their ends."""
    config = tmp_path / "config"
    (config / "personalities").mkdir(parents=True)
    (config / "settings.toml").write_text((PROJECT_ROOT / "config" / "settings.toml").read_text())
    whisper = (PROJECT_ROOT / "config" / "personalities" / "whisper.toml").read_text()
    shortened = re.sub(r"max_tokens = \d+", f"max_tokens = {ANSWER_TOKENS}", whisper)
    assert tomllib.loads(shortened)["sampling"]["max_tokens"] == ANSWER_TOKENS
    (config / "personalities" / "whisper.toml").write_text(shortened)
    return config


@asynccontextmanager
async def running(config: Path, data: Path) -> AsyncIterator[Service]:
    environment = {**os.environ, "CSPS_LLM_CONFIG": str(config), "CSPS_LLM_DATA": str(data), "PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from core.cli import main; main()", "up"),
        env={**environment, "LC_ALL": "C.UTF-8"},
        cwd=PROJECT_ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    service = Service(process)
    try:
        service.url = (await service.seen(r"Chat at +(http://\S+)/"))[1]
        yield service
    finally:
        assert await service.end() == 0, "".join(service.lines[-20:])


class Client:
    """One conversation over the v1 socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.session = ""
        self.states: list[str] = []

    async def ask(self, text: str, begun: asyncio.Event | None = None) -> tuple[str, dict[str, Any]]:
        """The answer's text and its last event."""
        await self._socket.send_json({"type": "prompt", "text": text})
        answer = ""
        while True:
            event = json.loads(await self._socket.receive_str())
            if event["type"] == "session":
                self.session = event["session"]
            elif event["type"] == "status":
                self.states.append(event["state"])
            elif event["type"] == "text":
                answer += event["text"]
                if begun:
                    begun.set()
            elif event["type"] in ("done", "error"):
                return answer, event


@pytest.mark.timeout(240)
async def test_model_killed_under_ten_streams(short_answers: Path, tmp_path: Path) -> None:
    """Every stream ends in one complete answer or one error, and each session still has its history."""
    async with running(short_answers, tmp_path / "data") as service, aiohttp.ClientSession() as http:
        clients = [
            Client(await http.ws_connect(f"{service.url}/gpt-socket/whisper", protocols=("csps-llm.v1",)))
            for _ in range(CLIENTS)
        ]
        begun = [asyncio.Event() for _ in clients]
        asking = [
            asyncio.create_task(client.ask(f"Write a long story about the number {number}.", started))
            for number, (client, started) in enumerate(zip(clients, begun, strict=True))
        ]
        await asyncio.gather(*(started.wait() for started in begun))
        model = int((await service.seen(r"model started \(process (\d+)\)"))[1])
        os.kill(model, signal.SIGKILL)
        answers = await asyncio.gather(*asking)

        assert {end["type"] for _, end in answers} <= {"done", "error"}
        assert any("reconnecting" in client.states for client in clients), "the kill came too late to matter"
        for text, end in answers:
            assert text
            if end["type"] == "done":
                assert end["reason"] in ("stop", "length")
                assert end["usage"]["completion_tokens"] <= ANSWER_TOKENS + 1
        assert await service.seen(r"model started \(process (\d+)\)", times=2)
        assert not [line for line in service.lines if line.startswith("up") and "web ended" in line]

        again = await asyncio.gather(*(client.ask("Go on.") for client in clients))
        for (_, first), (text, second) in zip(answers, again, strict=True):
            assert "done" == second["type"], second
            assert text
            if first["type"] == "done":
                # The new prompt contains the first question and its complete answer.
                known = first["usage"]["prompt_tokens"] + first["usage"]["completion_tokens"]
                assert second["usage"]["prompt_tokens"] > known * 0.9


@pytest.mark.timeout(240)
async def test_conversation_survives_a_restart_of_everything(short_answers: Path, tmp_path: Path) -> None:
    """After a stop and a start of `csps-llm up`, a session resumes with all its turns."""
    data = tmp_path / "data"
    async with running(short_answers, data) as service, aiohttp.ClientSession() as http:
        client = Client(await http.ws_connect(f"{service.url}/gpt-socket/whisper", protocols=("csps-llm.v1",)))
        answer, end = await client.ask("What is the capital of Canada?")
    async with running(short_answers, data) as service, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(f"{service.url}/gpt-socket/whisper", protocols=("csps-llm.v1",))
        await socket.send_json({"type": "resume", "session": client.session})
        resumed = await socket.receive_json()

    assert "session" == resumed["type"]
    assert [("user", "What is the capital of Canada?"), ("assistant", answer)] == [
        (turn["role"], turn["text"]) for turn in resumed["turns"]
    ]
    assert end["reason"] == resumed["turns"][1]["reason"]
