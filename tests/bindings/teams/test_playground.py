"""Microsoft's own Agents Playground, where it is installed: it calls the bot, and shows what the bot says.

`npm install @microsoft/m365agentsplayground@0.2.28`, and PLAYGROUND is the path of its `cli.js`.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.contract import Done, Source, Status, Text, Usage
from tests.bindings.teams.support_fake_microsoft import FakeMicrosoft
from tests.bindings.teams.test_end_to_end import running
from tests.support.fakes import FakeEngine

PLAYGROUND = os.environ.get("PLAYGROUND", "")
pytestmark = pytest.mark.skipif(not PLAYGROUND, reason="PLAYGROUND does not name the playground's cli.js")
ANSWER = "A statement of work says **what** is done [1]. <at>Alex Wilber</at> ![x](https://evil.example/?s)"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Playground:
    def __init__(self, port: int, http: aiohttp.ClientSession) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._http = http
        self.shown: dict[str, dict[str, Any]] = {}  # by id, as its page has them
        self.streamed: list[str] = []
        self.changed = asyncio.Event()

    async def places(self) -> dict[str, str]:
        async with self._http.get(f"{self.url}/_internal/v1/config") as response:
            config = (await response.json())["config"]
        channel = config["teams"][0]["channels"][1]["id"]
        return {"personal": config["personalChat"]["id"], "group": config["groupChats"][0]["id"], "channel": channel}

    async def say(self, conversation: str, text: str, *, mention: bool) -> None:
        bot = {"mentioned": {"id": "00000000-0000-0000-0000-00000000000011"}, "text": "<at>Test Bot</at>"}
        body: dict[str, Any] = {"from": {"id": "user-id-0"}, "text": text, "textFormat": "plain"}
        if mention:
            body |= {"text": f"<at>Test Bot</at> {text}", "mentions": [bot]}
        path = f"{self.url}/_conversation/v1/conversations/{conversation}/messages"
        async with self._http.post(path, json=body) as response:
            assert response.status == 200, await response.text()

    async def listen(self) -> None:
        async with self._http.ws_connect(f"{self.url}/_ws_conversation/v1/conversations/stream") as told:
            self.changed.set()
            async for frame in told:
                self.take(json.loads(frame.data))
                self.changed.set()

    def take(self, told: dict[str, Any]) -> None:
        if message := told.get("message"):
            # An update tells only what the playground takes from it.
            self.shown[message["messageId"]] = {**self.shown.get(message["messageId"], {}), **message}
            if (message.get("streamEntity") or {}).get("streamType") in ("informative", "streaming"):
                self.streamed.append(message["text"])

    async def until_said(self, text: str) -> dict[str, Any]:
        while True:
            self.changed.clear()
            for message in self.shown.values():
                if text in (message.get("text") or ""):
                    return message
            await self.changed.wait()


@asynccontextmanager
async def playing(bot_url: str) -> AsyncIterator[Playground]:
    port = free_port()
    service = f"http://127.0.0.1:{port}/_connector"
    process = await asyncio.create_subprocess_exec(
        *("node", PLAYGROUND, "-e", bot_url, "-p", str(port), "--su", service, "--dt", "-c", "msteams"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        while b"Listening" not in await process.stdout.readline():
            assert process.returncode is None, "the playground ended"
        async with aiohttp.ClientSession() as http:
            playground = Playground(port, http)
            listening = asyncio.create_task(playground.listen())
            await playground.changed.wait()
            yield playground
            listening.cancel()
            await asyncio.wait([listening])
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("kind", ["personal", "group", "channel"])
async def test_the_playground_shows_the_answer(tmp_path: Path, kind: str) -> None:
    """Whole, with the label, the citation and the buttons; streamed where it is a personal chat."""
    more = asyncio.Event()
    steps = (Status("queued", position=1), Text(ANSWER[:22]), more, Text(ANSWER[22:]))
    source = Source(1, "The guide", "https://example.gc.ca/guide")
    engine = FakeEngine((*steps, source, Done("stop", "fake-model", Usage())))
    alone = {"TEAMS_ALLOW_UNAUTHENTICATED": "1", "TEAMS_TENANT_ID": "", "TEAMS_LOGIN_URL": ""}
    async with (
        running(FakeMicrosoft(), tmp_path, engine, **alone) as bot,
        playing(f"{bot.url}api/messages") as playground,
    ):
        place = (await playground.places())[kind]
        await playground.say(place, "What is a statement of work?", mention=kind != "personal")
        await playground.until_said("A statement of")
        more.set()
        message = await playground.until_said("Model: fake-model")

    assert message["text"].startswith("A statement of work says **what** is done [1]. &lt;at>Alex Wilber&lt;/at> x")
    assert "- [1] The guide: https://example.gc.ca/guide" in message["text"]
    assert ["What is a statement of work?"] == [prompt.text for prompt in engine.prompts]
    assert message["feedbackLoopEnabled"]
    assert "AIGeneratedContent" in json.dumps(message["aiEntity"])
    assert bool(playground.streamed) == (kind == "personal")
