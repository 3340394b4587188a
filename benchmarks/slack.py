"""What the Slack adapter costs by itself: CPU time for each edit of an answer, acknowledgement, and memory.

The workspace is the tests' strict one, in a process of its own, so that only ours is counted. An edit is a call to
Slack with the page as it stands: rendered and defused, made JSON, sent, and its answer read.

    .venv/bin/python -m benchmarks.slack [--edits 200] [--runs 5] [--events 200]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from rich.console import Console
from rich.table import Table

from benchmarks.delivery import ANSWER
from bindings.delivery.outlet import Outlet, Page
from bindings.hosting import process
from bindings.incoming import IncomingMessage, Place
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.slack.adapter import SlackAdapter
from bindings.slack.streams import TokenBucket
from bindings.store import Store
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.storage.database import Database
from tests.bindings.slack.support_fake_slack import APP_TOKEN, BOT_TOKEN, SECRET, FakeSlack, headers_for
from tests.bindings.slack.support_fakes import payload
from tests.support.fakes import FakeEngine

PAGE_CHARS = 6_000
PER_S = 1e9  # no limit of Slack's is measured here


def workspace(events: Connection, count: int) -> None:
    """The process of the fake: tells its address; delivers by socket what it is sent, and tells how long each took."""
    asyncio.run(serve(events, count))


async def serve(events: Connection, count: int) -> None:
    async with FakeSlack().serving() as slack:
        events.send((slack.api_url, slack.add_message("C0001", "?")))
        loop = asyncio.get_running_loop()
        while body := await loop.run_in_executor(None, events.recv):
            await slack.connected.wait()
            took = []
            for number in range(count):
                began = time.perf_counter()
                await slack.acknowledgement(await slack.push(numbered(body, number)))
                took.append(time.perf_counter() - began)
            events.send(took)


def numbered(body: dict[str, Any], number: int) -> dict[str, Any]:
    """A post of its own, which the bot answers in a thread of its own."""
    ts = f"{1_770_000_000 + number}.000100"
    return {**body, "event": {**body["event"], "ts": ts, "event_ts": ts}}


@asynccontextmanager
async def adapting(api_url: str, folder: Path, secret: dict[str, str]) -> AsyncIterator[SlackAdapter]:
    """Connected to a real intake, whose engine says two words."""
    environ = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_API_BASE_URL": api_url, "CSPS_LLM_DATA": str(folder), **secret}
    loaded = settings.load({**environ, "BOT_USER_LIMIT": "1000000"})
    adapter = SlackAdapter(loaded.slack, BotMetrics())
    database = Database(loaded.database_url)
    await database.upgrade()
    store = Store(database)
    personalities = Personalities(loaded.config / "personalities")
    personalities.load()
    intake = Intake(FakeEngine(), adapter.platform, store, personalities, loaded, BotMetrics())
    await adapter.connect(intake)
    running = [asyncio.create_task(adapter.run()), asyncio.create_task(intake.run())]
    try:
        yield adapter
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await adapter.close()
        await database.close()


async def cpu_ms_per_edit(adapter: SlackAdapter, root: str, edits: int, *, streams: bool) -> float:
    """Of one answer that grows to a long page."""
    place = Place("slack", "T0001", "C0001", root if streams else None, "channel", {"user": "U0ANN", "team": "T0001"})
    outlet = unlimited(adapter.platform.outlet(IncomingMessage("e", place, root, "U0ANN", "?")))
    text = (ANSWER * (PAGE_CHARS // len(ANSWER) + 1))[:PAGE_CHARS]
    ref = await outlet.post(Page(text[:20], "en"), "b-1")
    began = time.process_time()
    for number in range(1, edits + 1):
        await outlet.edit(ref, Page(text[: 20 + number * (PAGE_CHARS - 20) // edits], "en"))
    spent_s = time.process_time() - began
    await outlet.edit(ref, Page(text, "en", final=True))
    return 1000 * spent_s / edits


def unlimited(outlet: Outlet) -> Outlet:
    streams = outlet._streams  # type: ignore[attr-defined]
    streams.starts = streams.appends = streams.updates = TokenBucket(int(PER_S))
    return outlet


async def http_acknowledged_s(adapter: SlackAdapter, events: int) -> list[float]:
    app = web.Application()
    app.add_routes(adapter.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    took = []
    async with aiohttp.ClientSession() as session:
        for number in range(events):
            raw = json.dumps(numbered(payload("app_mention"), number)).encode()
            began = time.perf_counter()
            async with session.post(url, data=raw, headers=headers_for(raw)) as response:
                assert response.status == 200
            took.append(time.perf_counter() - began)
    await runner.cleanup()
    return took


async def measure(arguments: argparse.Namespace, events: Connection) -> dict[str, str]:
    api_url, root = events.recv()
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with adapting(api_url, Path(folder) / "http", {"SLACK_SIGNING_SECRET": SECRET}) as adapter:
            for name, streams in (("appended to a stream", True), ("by chat.update", False)):
                runs = [
                    await cpu_ms_per_edit(adapter, root, arguments.edits, streams=streams)
                    for _ in range(arguments.runs)
                ]
                found[f"CPU for an edit, {name}"] = f"{statistics.median(runs):.2f} ms"
            found["acknowledged over HTTP"] = spread(await http_acknowledged_s(adapter, arguments.events))
        async with adapting(api_url, Path(folder) / "socket", {"SLACK_APP_TOKEN": APP_TOKEN}):
            events.send(payload("app_mention"))
            took = await asyncio.get_running_loop().run_in_executor(None, events.recv)
            found["acknowledged over a socket"] = spread(took)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found["memory at its peak, all of the bot's process"] = (
        f"{peak / (2**20 if sys.platform == 'darwin' else 2**10):.0f} MB"
    )
    events.send(None)
    return found


def spread(took_s: list[float]) -> str:
    ordered = sorted(took_s)
    p99 = ordered[int(len(ordered) * 0.99) - 1]
    return (
        f"median {1000 * statistics.median(ordered):.1f} ms, p99 {1000 * p99:.1f} ms, worst {1000 * ordered[-1]:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=200, help="of one answer")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--events", type=int, default=200, help="to acknowledge, in each mode")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    ours, theirs = multiprocessing.Pipe()
    fake = multiprocessing.get_context("spawn").Process(target=workspace, args=(theirs, arguments.events), daemon=True)
    fake.start()
    assert process  # what a bot's process loads is counted in its memory
    found = asyncio.run(measure(arguments, ours))
    fake.join(5)
    table = Table("Slack", f"{arguments.runs} runs of {arguments.edits} edits, {PAGE_CHARS} characters")
    for name, value in found.items():
        table.add_row(name, value)
    Console().print(table)


if __name__ == "__main__":
    main()
