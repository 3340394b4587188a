"""Microsoft's Agents Playground, if installed, calls the bot and shows its answers.

To run this test: `npm install @microsoft/m365agentsplayground@0.2.28`, and set PLAYGROUND to the path of its `cli.js`.
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

from bindings.selftest.microsoft_server import FakeMicrosoft
from core.contract import Done, Source, Status, Text, Usage
from tests.bindings.teams.test_end_to_end import run_bot
from tests.support.fake_engine import FakeEngine

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
        self.messages: dict[str, dict[str, Any]] = {}  # messages by id, as on its page
        self.stream_texts: list[str] = []
        self.changed = asyncio.Event()

    async def places(self) -> dict[str, str]:
        async with self._http.get(f"{self.url}/_internal/v1/config") as response:
            config = (await response.json())["config"]
        channel = config["teams"][0]["channels"][1]["id"]
        return {"personal": config["personalChat"]["id"], "group": config["groupChats"][0]["id"], "channel": channel}

    async def send(self, conversation: str, text: str, *, mention: bool) -> None:
        bot = {"mentioned": {"id": "00000000-0000-0000-0000-00000000000011"}, "text": "<at>Test Bot</at>"}
        body: dict[str, Any] = {"from": {"id": "user-id-0"}, "text": text, "textFormat": "plain"}
        if mention:
            body |= {"text": f"<at>Test Bot</at> {text}", "mentions": [bot]}
        path = f"{self.url}/_conversation/v1/conversations/{conversation}/messages"
        async with self._http.post(path, json=body) as response:
            assert response.status == 200, await response.text()

    async def listen(self) -> None:
        async with self._http.ws_connect(f"{self.url}/_ws_conversation/v1/conversations/stream") as frames:
            self.changed.set()
            async for frame in frames:
                self.take(json.loads(frame.data))
                self.changed.set()

    def take(self, event: dict[str, Any]) -> None:
        if message := event.get("message"):
            # An update has only the changed fields.
            self.messages[message["messageId"]] = {**self.messages.get(message["messageId"], {}), **message}
            if (message.get("streamEntity") or {}).get("streamType") in ("informative", "streaming"):
                self.stream_texts.append(message["text"])

    async def wait_for_text(self, text: str) -> dict[str, Any]:
        while True:
            self.changed.clear()
            for message in self.messages.values():
                if text in (message.get("text") or ""):
                    return message
            await self.changed.wait()


@asynccontextmanager
async def run_playground(bot_url: str) -> AsyncIterator[Playground]:
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
            listener = asyncio.create_task(playground.listen())
            await playground.changed.wait()
            yield playground
            listener.cancel()
            await asyncio.wait([listener])
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("kind", ["personal", "group", "channel"])
async def test_the_playground_shows_the_answer(tmp_path: Path, kind: str) -> None:
    """It has label, citation and buttons; in a personal chat it is streamed."""
    more = asyncio.Event()
    steps = (Status("queued", position=1), Text(ANSWER[:22]), more, Text(ANSWER[22:]))
    source = Source(1, "The guide", "https://example.gc.ca/guide")
    engine = FakeEngine((*steps, source, Done("stop", "fake-model", Usage())))
    local = {"TEAMS_ALLOW_UNAUTHENTICATED": "1", "TEAMS_TENANT_ID": "", "TEAMS_LOGIN_URL": ""}
    async with (
        run_bot(FakeMicrosoft(), tmp_path, engine, **local) as bot,
        run_playground(f"{bot.url}api/messages") as playground,
    ):
        place = (await playground.places())[kind]
        await playground.send(place, "What is a statement of work?", mention=kind != "personal")
        await playground.wait_for_text("A statement of")
        more.set()
        message = await playground.wait_for_text("Model: fake-model")

    assert message["text"].startswith("A statement of work says **what** is done [1]. &lt;at>Alex Wilber&lt;/at> x")
    assert "- [1] The guide: https://example.gc.ca/guide" in message["text"]
    assert ["What is a statement of work?"] == [prompt.text for prompt in engine.prompts]
    assert message["feedbackLoopEnabled"]
    assert "AIGeneratedContent" in json.dumps(message["aiEntity"])
    assert bool(playground.stream_texts) == (kind == "personal")
