"""What people wrote is in no file of the data folder once it is deleted: by its owner, an administrator or retention.

Words of requests that store nothing are never in one. All bytes of all files are searched, while the service runs.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bindings.selftest.bot_process import run_bot
from bindings.selftest.environment import build_environ
from bindings.selftest.run import STAGES
from bindings.selftest.script import ScriptFile
from bindings.selftest.stage import PlayedQuestion
from core.configuration import settings
from tests.support.databases import dump_tables, execute
from tests.support.fake_model import FakeModel
from tests.support.running_web import web_process

pytestmark = pytest.mark.slow

LIMIT_S = 120.0
COOKIE = {"Cookie": f"csps_visitor={'v' * 43}"}
MARK = "kumquat"
UNSTORED = ("gpt", "chat", "stop", "responses", "task", "property", "row")
OWNER_WORDS = ("asked", "upload", "page", "title", "comment")  # of the conversation that its owner deletes
BOT_WORDS = ("mention", "shared")
WORDS = (*UNSTORED, *OWNER_WORDS, "recorded", "expired", *BOT_WORDS)
LONG_AGO = 1_000_000.0
TIMES = (
    "UPDATE conversations SET used_at = {at}",
    "UPDATE deliveries SET at = {at}",
    "UPDATE feedback SET at = {at}",
)


def marked(word: str) -> str:
    return f"{MARK}{word}{MARK}"


def echo(body: dict[str, Any]) -> Sequence[str]:
    """Every answer repeats its prompt, so that answers have the words too."""
    return (json.dumps(body["messages"][-1]["content"], ensure_ascii=False),)


def words_in(content: bytes) -> list[str]:
    return [word for word in WORDS if marked(word).encode() in content]


def words_on_disk(folder: Path) -> dict[str, list[str]]:
    """The words in each file that has some."""
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return {name: found for name, content in files.items() if (found := words_in(content))}


async def until_gone(folder: Path, words: Sequence[str]) -> None:
    """A reader may hold up the truncation of the write-ahead log for a moment."""
    async with asyncio.timeout(LIMIT_S):
        while left := {word for found in words_on_disk(folder).values() for word in found} & set(words):
            assert left
            await asyncio.sleep(0.2)


@asynccontextmanager
async def page_server() -> AsyncIterator[str]:
    """A page on the Web with the words. Yields its host and port."""

    async def show(_request: web.Request) -> web.Response:
        text = f"<title>Leave</title><h1>Leave</h1><p>{marked('page')} is on this page. {'It is long. ' * 40}</p>"
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", show)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{site.port}"
    finally:
        await runner.cleanup()


async def converse(http: aiohttp.ClientSession, *prompts: dict[str, Any]) -> str:
    """A conversation of these prompts on a socket. Returns its id."""
    async with http.ws_connect("/gpt-socket/whisper", protocols=("csps-llm.v1",), headers=COOKIE) as socket:
        for prompt in prompts:
            await socket.send_json({"type": "prompt", **prompt})
            frame: dict[str, Any] = {"type": ""}
            while frame["type"] not in ("done", "error"):
                frame = json.loads(await socket.receive_str())
            assert frame["type"] == "done", frame
    return str(frame["session"])


async def send(http: aiohttp.ClientSession, method: str, path: str, **options: Any) -> str:
    async with http.request(method, path, headers={**COOKIE, **options.pop("headers", {})}, **options) as response:
        text = await response.text()
        assert response.status in (200, 204, 422), f"{path}: {response.status} {text}"
        return text


async def ask_without_storing(http: aiohttp.ClientSession) -> None:
    schema = {"type": "object", "properties": {marked("property"): {"type": "string"}}}
    message = {"role": "user", "content": marked("chat")}
    chat = {"model": "whisper", "messages": [message], "stop": [marked("stop")], "user": marked("chat")}
    lines = {"Content-Type": "application/x-ndjson"}
    await send(http, "POST", "/gpt/whisper", data={"prompt": marked("gpt")})
    await send(http, "POST", "/v1/chat/completions", json=chat)
    await send(http, "POST", "/v1/responses", json={"model": "whisper", "input": marked("responses")})
    await send(http, "POST", "/toil/whisper", json={"prompt": marked("task"), "schema": schema})
    await send(http, "POST", "/toil/whisper/batch", data=json.dumps({"prompt": marked("row")}) + "\n", headers=lines)


async def fill_a_conversation(http: aiohttp.ClientSession, place: str) -> str:
    """A conversation with a file, a page, a title and a comment. Returns its id."""
    body, kind = f"{marked('upload')} is in the file.".encode(), {"Content-Type": "text/plain"}
    read = json.loads(await send(http, "POST", f"/read?name={marked('upload')}.txt", data=body, headers=kind))
    attachment = {"name": read["name"], "text": read["text"]}
    conversation = await converse(
        http,
        {"text": marked("asked"), "attachments": [attachment]},
        {"text": f"http://{place}/{marked('page')} what does it say?"},
    )
    path = f"/conversations/{conversation}"
    await send(http, "PATCH", path, json={"title": marked("title")})
    await send(http, "POST", f"{path}/ratings", json={"exchange": 1, "verdict": "bad", "comment": marked("comment")})
    return conversation


async def talk_to_bot(environ: dict[str, str], folder: Path) -> list[str]:
    """A mention and a file in Slack. Returns the bot's log."""
    loaded = settings.load(environ)
    stage = STAGES["slack"](loaded)
    async with stage.serving():
        own = {**stage.variables(), "LLM_URL": environ["LLM_URL"]}
        variables = build_environ(environ, loaded, "slack", folder, own)
        variables["DATABASE_URL"] = environ.get("DATABASE_URL", "")
        async with run_bot("slack", variables) as bot:
            await stage.connect(bot.url)
            for word, file in (("mention", None), ("shared", ScriptFile(name="notes.txt", text=marked("shared")))):
                await stage.say(PlayedQuestion(f"{marked(word)}?", "channel", "en", file=file))
                await stage.server.until(lambda word=word: is_answered(stage, marked(word)), LIMIT_S)  # type: ignore[misc]
        return list(bot.log)


def is_answered(stage: Any, word: str) -> bool:
    """True once the answer, which repeats the question, is whole: it has its footer."""
    stage.recording.observe()
    shown = [each.message for each in stage.recording.messages.values() if each.message.by_bot]
    return any(word in each.text and each.small_lines for each in shown)


async def records(environ: dict[str, str], *arguments: str) -> None:
    """Runs `csps-llm records` beside the service."""
    program = "import sys; from core.cli import main; sys.exit(main())"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, "records", *arguments),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


def environment(folder: Path, model: FakeModel, place: str, **variables: str) -> dict[str, str]:
    return {
        **os.environ,
        **{"CSPS_LLM_DATA": str(folder), "LLM_URL": f"{model.url}/v1", "PORT": "0", "RAG_ALLOW": place},
        **{"LOG_FORMAT": "json", "LOG_LEVEL": "debug", **variables},
    }


@pytest.mark.timeout(400)
async def test_deleted_words_are_in_no_file(tmp_path: Path) -> None:
    """Database, write-ahead log, cached pages, receipts, statistics and logs."""
    folder, log = tmp_path / "data", list[str]()
    model = FakeModel(answer=echo)
    async with model.serving(), page_server() as place:
        environ = environment(folder, model, place)
        async with web_process(environ, log) as url, aiohttp.ClientSession(base_url=url) as http:
            await ask_without_storing(http)
            assert {} == words_on_disk(folder)

            own = await fill_a_conversation(http, place)
            recorded = await converse(http, {"text": marked("recorded")})
            await converse(http, {"text": marked("expired")})
            log += await talk_to_bot(environ, folder)
            stored = {word for found in words_on_disk(folder).values() for word in found}
            assert {*OWNER_WORDS, "recorded", "expired", *BOT_WORDS} == stored

            await send(http, "DELETE", f"/conversations/{own}")
            await until_gone(folder, OWNER_WORDS)
            await records(environ, "delete", "--conversation", recorded, "--reason", "request")
            await until_gone(folder, ["recorded"])
            database = settings.load(environ).database_url
            execute(database, *(statement.format(at=LONG_AGO) for statement in TIMES))
            await records(environ, "purge")
            await until_gone(folder, WORDS)
            requests = json.dumps(model.requests)

    assert set(WORDS) - {"title", "comment", "property"} <= set(words_in(requests.encode()))
    assert [] == words_in("".join(log).encode())
    assert {} == words_on_disk(folder)


@pytest.mark.timeout(400)
async def test_deleted_words_are_in_no_row(tmp_path: Path, postgresql_url: str) -> None:
    """The same on PostgreSQL, whose files belong to its own administrators."""
    folder, log = tmp_path / "data", list[str]()
    model = FakeModel(answer=echo)

    def words_in_rows() -> list[str]:
        return words_in(repr(dump_tables(postgresql_url)).encode())

    async with model.serving(), page_server() as place:
        environ = environment(folder, model, place, DATABASE_URL=postgresql_url)
        async with web_process(environ, log) as url, aiohttp.ClientSession(base_url=url) as http:
            await ask_without_storing(http)
            assert [] == words_in_rows()
            own = await fill_a_conversation(http, place)
            recorded = await converse(http, {"text": marked("recorded")})
            await converse(http, {"text": marked("expired")})
            log += await talk_to_bot(environ, folder)
            assert {*OWNER_WORDS, "recorded", "expired", *BOT_WORDS} == set(words_in_rows())

            await send(http, "DELETE", f"/conversations/{own}")
            await records(environ, "delete", "--conversation", recorded, "--reason", "request")
            assert {"expired", *BOT_WORDS} == set(words_in_rows())
            execute(postgresql_url, *(statement.format(at=LONG_AGO) for statement in TIMES))
            await records(environ, "purge")

    assert [] == words_in_rows()
    assert [] == words_in("".join(log).encode())
    assert {} == words_on_disk(folder)
