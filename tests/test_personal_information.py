"""300 identifiers, planted in 40 messages and documents through every adapter, reach neither disk, log nor model."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from benchmarks.planted_identifiers import Planted, planted_texts
from bindings.incoming import PlatformName
from bindings.selftest.bot_process import run_bot
from bindings.selftest.environment import build_environ
from bindings.selftest.run import STAGES
from bindings.selftest.script import ScriptFile
from bindings.selftest.stage import PlayedQuestion, Stage
from core.configuration import settings
from tests.support.fake_model import FakeModel
from tests.support.running_web import web_process

pytestmark = pytest.mark.slow

LIMIT_S = 120.0
QUESTION = "What does this say?"
NOTICES = ("Personal information was removed", "Des renseignements personnels ont été retirés")
Texts = list[tuple[str, list[Planted]]]


def batches(texts: Texts) -> dict[str, Texts]:
    """A few of the texts for each way in."""
    ways = ("socket", "file", "gpt", "toil", "batch", "chat", "responses", "slack", "discord", "teams")
    return {way: texts[number :: len(ways)] for number, way in enumerate(ways)}


async def ask_by_socket(http: aiohttp.ClientSession, text: str, *, as_file: bool) -> dict[str, Any]:
    """The frame about masked information."""
    prompt = {"type": "prompt", "text": QUESTION if as_file else text}
    files = [{"name": "report.txt", "text": text}] if as_file else []
    async with http.ws_connect("/gpt-socket/whisper", protocols=("csps-llm.v1",)) as socket:
        await socket.send_json({**prompt, "attachments": files})
        frames = []
        while not frames or frames[-1]["type"] not in ("done", "error"):
            frames.append(json.loads(await socket.receive_str()))
    return next(frame for frame in frames if frame["type"] == "masked")


async def plant_in_web(http: aiohttp.ClientSession, ways: dict[str, Texts]) -> None:
    for text, planted in ways["socket"]:
        kinds = await ask_by_socket(http, text, as_file=False)
        assert len(planted) <= sum(each["count"] for each in kinds["kinds"])
    for text, _ in ways["file"]:
        await ask_by_socket(http, text, as_file=True)
    requests: list[tuple[str, dict[str, object]]] = [
        *(("/gpt/whisper", {"data": {"prompt": text}}) for text, _ in ways["gpt"]),
        *(("/toil/whisper", {"json": {"prompt": text}}) for text, _ in ways["toil"]),
        *(
            ("/v1/chat/completions", {"json": {"model": "whisper", "messages": [{"role": "user", "content": text}]}})
            for text, _ in ways["chat"]
        ),
        *(("/v1/responses", {"json": {"model": "whisper", "input": text}}) for text, _ in ways["responses"]),
    ]
    for path, body in requests:
        async with http.post(path, **body) as response:  # type: ignore[arg-type]
            await response.read()
            assert response.status in (200, 422), await response.text()  # the fake model writes no JSON
    lines = "".join(json.dumps({"prompt": text}) + "\n" for text, _ in ways["batch"])
    headers = {"Content-Type": "application/x-ndjson"}
    async with http.post("/toil/whisper/batch", data=lines.encode(), headers=headers) as response:
        assert response.status == 200
        await response.read()


async def plant_in_bot(platform: PlatformName, texts: Texts, environ: dict[str, str], folder: Path) -> list[str]:
    """Sends every second text as a file. Returns the bot's log."""
    stage = STAGES[platform](settings.load(environ))
    async with stage.serving():
        own = {**stage.variables(), "LLM_URL": environ["LLM_URL"]}
        variables = build_environ(environ, settings.load(environ), platform, folder, own)
        async with run_bot(platform, {**variables, "LOG_LEVEL": "debug"}) as bot:
            await stage.connect(bot.url)
            for number, (text, _) in enumerate(texts):
                file = ScriptFile(name="report.txt", text=text[:2000]) if number % 2 else None
                await stage.say(PlayedQuestion(QUESTION if file else text, "channel", "en", file=file))
                await stage.server.until(lambda told=number + 1: count_notices(stage) == told, LIMIT_S)  # type: ignore[misc]
        return list(bot.log)


def count_notices(stage: Stage) -> int:
    """The answers that name what was removed, in the language of their questions."""
    stage.recording.observe()
    shown = (each.message for each in stage.recording.messages.values() if each.message.by_bot)
    texts = ["\n".join((each.text, *each.small_lines)) for each in shown]
    return sum(any(notice in each for notice in NOTICES) for each in texts)


def forms(trace: str) -> Iterator[bytes]:
    """The trace as it stands in a database, in JSON and in the representation of Python."""
    yield trace.encode()
    yield json.dumps(trace)[1:-1].encode()
    yield repr(trace)[1:-1].encode()


def traces_in(content: bytes, planted: Sequence[Planted]) -> list[str]:
    return [
        f"{each.kind}: {trace!r}"
        for each in planted
        for trace in each.traces
        if any(form in content for form in forms(trace))
    ]


@pytest.mark.timeout(400)
async def test_planted_identifiers_are_found_nowhere(tmp_path: Path) -> None:
    """All bytes of the data folder, all log lines and all requests to the model are searched."""
    texts = planted_texts()
    planted = [each for _, own in texts for each in own]
    ways, folder, log = batches(texts), tmp_path / "data", list[str]()
    async with FakeModel().serving() as model:
        environ = {
            **os.environ,
            **{"CSPS_LLM_DATA": str(folder), "LLM_URL": f"{model.url}/v1", "PORT": "0"},
            **{"LOG_FORMAT": "json", "LOG_LEVEL": "debug"},
        }
        async with web_process(environ, log) as url, aiohttp.ClientSession(base_url=url) as http:
            await plant_in_web(http, ways)
        platforms: tuple[PlatformName, ...] = ("slack", "discord", "teams")
        for platform in platforms:
            log += await plant_in_bot(platform, ways[platform], environ, folder)
        requests = [json.dumps(body, ensure_ascii=False) for body in model.requests]

    on_disk = b"\n".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert len(requests) >= len(texts)
    assert b"removed]" in on_disk
    assert [] == traces_in(on_disk, planted)
    assert [] == traces_in("".join(log).encode(), planted)
    assert [] == traces_in("\n".join(requests).encode(), planted)
