"""The bots as processes: one round trip each with the starter model, and refusals to start."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bindings.hosting.process import hold_platform
from bindings.incoming import PlatformName
from bindings.selftest.discord_server import TOKEN, FakeDiscord
from bindings.selftest.microsoft_server import TENANT, FakeMicrosoft
from bindings.selftest.slack_requests import SECRET, headers_for
from bindings.selftest.slack_server import APP_TOKEN, BOT_TOKEN, FakeSlack
from bindings.selftest.slack_texts import text_of
from core import PROJECT_ROOT
from core.configuration import settings
from core.runtime.lock_file import AlreadyLocked
from tests.bindings.slack.support_fakes import payload
from tests.bindings.teams.conftest import payload as teams_payload
from tests.support.starter import ModelProcess

DEADLINE_S = 100  # the starter model may write for long on a busy machine


class Bot:
    """A process and its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log = ""

    async def until_logged(self, event: str) -> dict[str, Any]:
        """The first line of the log with this event."""
        assert self.process.stderr is not None
        async with asyncio.timeout(DEADLINE_S):
            async for line in self.process.stderr:
                self.log += line.decode()
                if line.startswith(b"{") and (entry := json.loads(line))["event"] == event:
                    return dict(entry)
        raise AssertionError(self.log)


@pytest.fixture
def variables(starter_process: ModelProcess, tmp_path: Path) -> dict[str, str]:
    """The starter model's process, and an empty database."""
    return {**starter_process.variables, "DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}"}


def inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}


@asynccontextmanager
async def bot(name: str, environ: Mapping[str, str]) -> AsyncIterator[Bot]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"bindings.{name}",
        cwd=PROJECT_ROOT,
        env={**inherited(), "LOG_FORMAT": "json", f"{name.upper()}_PORT": "0", **environ},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Bot(process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        await process.stderr.read()
        await process.wait()


async def whole_answer(slack: FakeSlack, channel: str) -> str:
    """The text of the first answer in a channel, once it has its footer."""

    def done() -> str | None:
        answers = slack.answers(channel)
        return text_of(answers[0]) if answers and "SmolLM2" in json.dumps(answers[0]) else None

    return str(await slack.until(done, DEADLINE_S))


async def test_slack_over_socket_mode(variables: dict[str, str]) -> None:
    """A mention arrives over a socket and gets a complete answer; the process ends at SIGTERM."""
    async with FakeSlack().serving() as slack:
        tokens = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN, "SLACK_API_BASE_URL": slack.api_url}
        async with bot("slack", {**variables, **tokens}) as running:
            await asyncio.wait_for(slack.connected.wait(), DEADLINE_S)
            event = payload("app_mention")
            await slack.acknowledgement(await slack.push(event))
            answer = await whole_answer(slack, event["event"]["channel"])
            running.process.send_signal(signal.SIGTERM)
            assert running.process.stderr is not None
            await running.process.stderr.read()
            code = await running.process.wait()

    assert answer
    assert code == 0


async def test_slack_over_http(variables: dict[str, str]) -> None:
    """The mention arrives over a signed webhook; health, readiness and metrics are served."""
    async with FakeSlack().serving() as slack:
        tokens = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SECRET, "SLACK_API_BASE_URL": slack.api_url}
        async with bot("slack", {**variables, **tokens}) as running, aiohttp.ClientSession() as http:
            url = (await running.until_logged("bot_connecting"))["url"]
            await running.until_logged("bot_serving")
            event = payload("app_mention")
            body = json.dumps(event).encode()
            async with http.post(f"{url}slack/events", data=body, headers=headers_for(body)) as response:
                assert response.status == 200
            answer = await whole_answer(slack, event["event"]["channel"])
            pages = {}
            for path in ("healthz", "readyz", "metrics"):
                async with http.get(url + path) as response:
                    pages[path] = (response.status, await response.text())

    assert answer
    assert pages["healthz"] == (200, '{"status": "ok"}')
    assert pages["readyz"][0] == 200
    assert "csps_bot_events_total 1.0" in pages["metrics"][1]


async def test_discord(variables: dict[str, str]) -> None:
    """A mention arrives over the gateway. The footer stands once, at the end of the answer's last message."""
    async with FakeDiscord().serve() as discord:
        tokens = {
            "DISCORD_BOT_TOKEN": TOKEN,
            "DISCORD_API_BASE_URL": discord.base,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
        }
        async with bot("discord", {**variables, **tokens}) as running:
            await running.until_logged("gateway_connected")
            await discord.send()
            await discord.until(lambda: any("SmolLM2" in each["content"] for each in discord.posts()), DEADLINE_S)

    posted = [each["content"] for each in discord.posts()]
    assert [text for text in posted if "SmolLM2" in text] == posted[-1:]
    assert len(set(posted)) == len(posted)


@pytest.mark.parametrize("name", ["personal", "group", "channel"])
async def test_teams(variables: dict[str, str], name: str) -> None:
    """The answer arrives in a personal chat, where it streams, a group and a channel."""
    async with (
        FakeMicrosoft().serving() as microsoft,
        bot("teams", {**variables, **microsoft.environ}) as running,
        aiohttp.ClientSession() as http,
    ):
        url = (await running.until_logged("bot_connecting"))["url"]
        await running.until_logged("bot_serving")
        activity = teams_payload(name, serviceUrl=microsoft.service_url)
        activity["channelData"] = {**activity.get("channelData", {}), "tenant": {"id": TENANT}}
        headers = {"Authorization": f"Bearer {microsoft.token()}"}
        async with http.post(f"{url}api/messages", json=activity, headers=headers) as response:
            assert response.status == 202
        answer = await asyncio.wait_for(microsoft.wait_for_text("SmolLM2"), DEADLINE_S)

    assert answer


@pytest.mark.parametrize(
    ("name", "environ", "missing"),
    [
        ("slack", {}, "SLACK_BOT_TOKEN"),
        ("slack", {"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET"),
        ("discord", {}, "DISCORD_BOT_TOKEN"),
        ("teams", {"TEAMS_APP_ID": "a", "TEAMS_TENANT_ID": "t"}, "TEAMS_APP_PASSWORD"),
        ("teams", {"TEAMS_ALLOW_UNAUTHENTICATED": "1", "TEAMS_HOST": "0.0.0.0"}, "TEAMS_ALLOW_UNAUTHENTICATED"),
    ],
)
async def test_a_missing_secret_prevents_the_start(
    name: str, environ: dict[str, str], missing: str, tmp_path: Path
) -> None:
    """One line names it; the exit code means that a restart cannot help."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"bindings.{name}",
        cwd=PROJECT_ROOT,
        env={**inherited(), "CSPS_LLM_DATA": str(tmp_path), **environ},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), DEADLINE_S)

    assert process.returncode == 2
    assert missing in errors.decode()
    assert "Traceback" not in errors.decode()


@pytest.mark.parametrize(
    ("name", "database", "shares"),
    [
        ("slack", "postgresql+psycopg://somewhere/bots", True),
        ("teams", "postgresql+psycopg://somewhere/bots", True),
        ("discord", "postgresql+psycopg://somewhere/bots", False),
        ("teams", "sqlite:////tmp/bots.db", False),
    ],
)
def test_only_processes_that_share_a_database_start_beside_each_other(
    name: PlatformName, database: str, shares: bool, tmp_path: Path
) -> None:
    """Discord sends each event to each process."""
    loaded = settings.load({"CSPS_LLM_DATA": str(tmp_path), "DATABASE_URL": database})
    beside = nullcontext() if shares else pytest.raises(AlreadyLocked)
    with hold_platform(name, loaded), beside, hold_platform(name, loaded):
        pass


async def test_a_second_bot_of_one_platform_does_not_start(variables: dict[str, str]) -> None:
    """Two bots would resume each other's unfinished answers."""
    async with FakeSlack().serving() as slack:
        tokens = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN, "SLACK_API_BASE_URL": slack.api_url}
        async with bot("slack", {**variables, **tokens}) as first:
            await first.until_logged("bot_serving")
            async with bot("slack", {**variables, **tokens}) as second:
                assert second.process.stderr is not None
                errors = (await second.process.stderr.read()).decode()
                code = await second.process.wait()

    assert code == 2
    assert str(first.process.pid) in errors
