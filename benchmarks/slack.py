"""Measures the Slack adapter: CPU time for each edit of an answer, time to acknowledge an event, and memory.

The workspace is the tests' strict stand-in, in a process of its own, so that its CPU time does not count. An edit is a
call to Slack with the current page: rendered, sanitized, encoded and sent, with the response parsed.

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
from rich.console import Console
from rich.table import Table

from benchmarks.delivery import ANSWER
from bindings.delivery.outlet import Outlet, Page
from bindings.hosting import process
from bindings.incoming import IncomingMessage, Place
from bindings.metrics import BotMetrics
from bindings.selftest.slack_requests import SECRET, headers_for
from bindings.selftest.slack_server import APP_TOKEN, BOT_TOKEN, FakeSlack
from bindings.slack.adapter import SlackAdapter
from bindings.slack.streams import TokenBucket
from core.configuration import settings
from tests.bindings.slack.support_fakes import payload
from tests.bindings.support_running_bot import run_intake, serve_routes
from tests.support.fake_engine import FakeEngine

PAGE_CHARS = 6_000
PER_S = 1e9  # no rate limit


def run_workspace(events: Connection, count: int) -> None:
    """Runs the stand-in: sends its URL, delivers each event that it receives `count` times, and sends the durations."""
    asyncio.run(serve(events, count))


async def serve(events: Connection, count: int) -> None:
    async with FakeSlack().serving() as slack:
        events.send((slack.api_url, slack.add_message("C0001", "?")))
        loop = asyncio.get_running_loop()
        while body := await loop.run_in_executor(None, events.recv):
            await slack.connected.wait()
            durations = []
            for number in range(count):
                began = time.perf_counter()
                await slack.acknowledgement(await slack.push(with_ts(body, number)))
                durations.append(time.perf_counter() - began)
            events.send(durations)


def with_ts(body: dict[str, Any], number: int) -> dict[str, Any]:
    """Gives the event a ts of its own, so that the bot answers it in a new thread."""
    ts = f"{1_770_000_000 + number}.000100"
    return {**body, "event": {**body["event"], "ts": ts, "event_ts": ts}}


@asynccontextmanager
async def run_adapter(api_url: str, folder: Path, secret: dict[str, str]) -> AsyncIterator[SlackAdapter]:
    """Runs an adapter with a real intake, whose engine answers with two words."""
    environ = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_API_BASE_URL": api_url, "CSPS_LLM_DATA": str(folder), **secret}
    loaded = settings.load({**environ, "BOT_USER_LIMIT": "1000000"})
    adapter = SlackAdapter(loaded.slack, BotMetrics())
    async with run_intake(adapter, FakeEngine(), loaded, BotMetrics()):
        yield adapter


async def cpu_ms_per_edit(adapter: SlackAdapter, root: str, edits: int, *, streams: bool) -> float:
    """Measures the edits of one answer that grows to PAGE_CHARS characters."""
    place = Place("slack", "T0001", "C0001", root if streams else None, "channel", {"user": "U0ANN", "team": "T0001"})
    outlet = without_rate_limits(adapter.platform.outlet(IncomingMessage("e", place, root, "U0ANN", "?")))
    text = (ANSWER * (PAGE_CHARS // len(ANSWER) + 1))[:PAGE_CHARS]
    ref = await outlet.post(Page(text[:20], "en"), "b-1")
    began = time.process_time()
    for number in range(1, edits + 1):
        await outlet.edit(ref, Page(text[: 20 + number * (PAGE_CHARS - 20) // edits], "en"))
    cpu_s = time.process_time() - began
    await outlet.edit(ref, Page(text, "en", final=True))
    return 1000 * cpu_s / edits


def without_rate_limits(outlet: Outlet) -> Outlet:
    streams = outlet._streams  # type: ignore[attr-defined]
    streams.starts = streams.appends = streams.updates = TokenBucket(int(PER_S))
    return outlet


async def http_acknowledgement_s(adapter: SlackAdapter, events: int) -> list[float]:
    durations = []
    async with serve_routes(adapter.routes()) as base, aiohttp.ClientSession() as session:
        url = f"{base}/slack/events"
        for number in range(events):
            raw = json.dumps(with_ts(payload("app_mention"), number)).encode()
            began = time.perf_counter()
            async with session.post(url, data=raw, headers=headers_for(raw)) as response:
                assert response.status == 200
            durations.append(time.perf_counter() - began)
    return durations


async def measure(arguments: argparse.Namespace, events: Connection) -> dict[str, str]:
    api_url, root = events.recv()
    figures: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with run_adapter(api_url, Path(folder) / "http", {"SLACK_SIGNING_SECRET": SECRET}) as adapter:
            for name, streams in (("appended to a stream", True), ("by chat.update", False)):
                runs = [
                    await cpu_ms_per_edit(adapter, root, arguments.edits, streams=streams)
                    for _ in range(arguments.runs)
                ]
                figures[f"CPU for an edit, {name}"] = f"{statistics.median(runs):.2f} ms"
            figures["acknowledgement over HTTP"] = percentiles(await http_acknowledgement_s(adapter, arguments.events))
        async with run_adapter(api_url, Path(folder) / "socket", {"SLACK_APP_TOKEN": APP_TOKEN}):
            events.send(payload("app_mention"))
            durations = await asyncio.get_running_loop().run_in_executor(None, events.recv)
            figures["acknowledgement over a socket"] = percentiles(durations)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures["peak memory of the bot's process"] = f"{peak / (2**20 if sys.platform == 'darwin' else 2**10):.0f} MB"
    events.send(None)
    return figures


def percentiles(durations_s: list[float]) -> str:
    ordered = sorted(durations_s)
    p99 = ordered[int(len(ordered) * 0.99) - 1]
    return (
        f"median {1000 * statistics.median(ordered):.1f} ms, p99 {1000 * p99:.1f} ms, worst {1000 * ordered[-1]:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=200, help="edits of one answer")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--events", type=int, default=200, help="events to acknowledge in each mode")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    ours, theirs = multiprocessing.Pipe()
    fake = multiprocessing.get_context("spawn").Process(
        target=run_workspace, args=(theirs, arguments.events), daemon=True
    )
    fake.start()
    assert process  # a bot's process imports it, so its memory counts
    figures = asyncio.run(measure(arguments, ours))
    fake.join(5)
    table = Table("Slack", f"{arguments.runs} runs of {arguments.edits} edits, {PAGE_CHARS} characters")
    for name, value in figures.items():
        table.add_row(name, value)
    Console().print(table)


if __name__ == "__main__":
    main()
