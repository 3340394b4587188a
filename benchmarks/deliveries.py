"""Counts the answers to each event while events are delivered four times, calls fail and the bot's process is killed.

The bot is the real process for Slack over HTTP. Slack is a strict fake on loopback. A share of all calls fails,
some of them after they took effect. The model answers at once. At the end, every question must have one answer.

    .venv/bin/python -m benchmarks.deliveries [--events 1000] [--kills 20] [--trouble 0.2]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from benchmarks.serving import free_port
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_requests import SECRET, headers_for
from bindings.selftest.slack_server import BOT_TOKEN, TEAM, FakeSlack
from tests.support.fake_model import FakeModel

DELIVERIES = 4
AT_ONCE = 24
REDELIVER_S = 0.3
ANSWER = "The answer is forty-two."
PACE_S = 1.0


@dataclass
class Bot:
    """The process under test. `port` stays the same over restarts."""

    environ: dict[str, str]
    port: int
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0
    up: asyncio.Event = field(default_factory=asyncio.Event)

    async def live(self, log: Path) -> None:
        """Restarts the process whenever it ends, as `csps-llm up` does."""
        while True:
            with log.open("ab") as lines:
                command = (sys.executable, "-m", "bindings.slack")
                self.process = await asyncio.create_subprocess_exec(
                    *command, env={**os.environ, **self.environ}, stdout=lines, stderr=lines
                )
            await self.process.wait()
            self.deaths += 1

    def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)


@dataclass
class Tally:
    acknowledged: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)


async def deliver(http: aiohttp.ClientSession, port: int, event: dict[str, Any], tally: Tally) -> None:
    """Delivers an event until it is acknowledged, as Slack does."""
    body = json.dumps(event).encode()
    while True:
        began = time.monotonic()
        try:
            async with http.post(
                f"http://127.0.0.1:{port}/slack/events", data=body, headers=headers_for(body)
            ) as response:
                tally.acknowledged[response.status] += 1
                if response.status == 200:
                    tally.latencies_s.append(time.monotonic() - began)
                    return
        except (aiohttp.ClientError, TimeoutError, OSError):
            tally.acknowledged[0] += 1
        await asyncio.sleep(REDELIVER_S)


def question(number: int) -> dict[str, Any]:
    channel, ts = f"D{number:05d}", f"{1_700_000_000 + number}.000100"
    message = {"type": "message", "channel_type": "im", "channel": channel, "user": f"U{number:05d}"}
    event = {**message, "text": f"Question {number}?", "ts": ts, "event_ts": ts}
    return {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}", "event": event}


def build_failures(share: float, chance: random.Random) -> Any:
    def trouble_of(method: str) -> Trouble | None:
        if method == "auth.test" or chance.random() >= share:
            return None
        if chance.random() < 0.5:
            return Trouble(429, "ratelimited", retry_after_s="1")
        return Trouble(chance.choice((500, 502, 503)), done=chance.random() < 0.5)

    return trouble_of


async def kill_repeatedly(bot: Bot, kills: int, pause_s: float, chance: random.Random) -> None:
    for _ in range(kills):
        await asyncio.sleep(pause_s * chance.uniform(0.5, 1.5))
        bot.kill()


def answers(slack: FakeSlack, numbers: Sequence[int]) -> Counter[int]:
    """The number of questions by their number of complete answers."""
    return Counter(
        sum(ANSWER in json.dumps(message) for message in slack.answers(f"D{number:05d}")) for number in numbers
    )


def surplus(slack: FakeSlack, numbers: Sequence[int]) -> int:
    """The number of the bot's messages beyond one for each question, complete or not."""
    return sum(max(0, len(slack.answers(f"D{number:05d}")) - 1) for number in numbers)


@asynccontextmanager
async def running(bot: Bot, log: Path) -> AsyncIterator[None]:
    living = asyncio.create_task(bot.live(log))
    try:
        yield
    finally:
        living.cancel()
        await asyncio.wait([living])
        bot.kill()


async def measure(options: argparse.Namespace) -> None:
    chance = random.Random(options.seed)
    slack, model, tally, numbers = FakeSlack(), FakeModel(answer=lambda _: (ANSWER,)), Tally(), range(options.events)
    slack.choose_trouble = build_failures(options.trouble, chance)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "bot.log"
        async with slack.serving(), model.serving():
            port = free_port()
            bot = Bot(build_environ(slack, model, port, folder), port)
            async with running(bot, log), aiohttp.ClientSession() as http:
                await send_all(http, bot, tally, options, chance)
                await until_answered(slack, numbers)
                await asyncio.sleep(3)  # time for late duplicates
        show(slack, numbers, tally, bot, time.monotonic() - began, log)


def build_environ(slack: FakeSlack, model: FakeModel, port: int, folder: str) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_BASE_URL": slack.api_url,
        "SLACK_PORT": str(port),
        "CSPS_LLM_DATA": folder,
        "LLM_URL": f"{model.url}/v1",
        "LOG_LEVEL": "warning",
    }


async def send_all(
    http: aiohttp.ClientSession, bot: Bot, tally: Tally, options: argparse.Namespace, chance: random.Random
) -> None:
    """Sends every event DELIVERIES times, in random order, while the process is killed now and then."""
    posts = [number for number in range(options.events) for _ in range(DELIVERIES)]
    chance.shuffle(posts)
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with places:
            await deliver(http, bot.port, question(number), tally)

    killer = asyncio.create_task(kill_repeatedly(bot, options.kills, options.pause_s, chance))
    async with asyncio.TaskGroup() as sending:
        for number in posts:
            sending.create_task(one(number))
    await killer


async def until_answered(slack: FakeSlack, numbers: Sequence[int]) -> None:
    """Waits until every question has an answer, or none came for a minute."""
    seen, since = -1, time.monotonic()
    while (now := answers(slack, numbers)[0]) and time.monotonic() - since < 60:
        if now != seen:
            seen, since = now, time.monotonic()
        await asyncio.sleep(0.5)


def show(slack: FakeSlack, numbers: Sequence[int], tally: Tally, bot: Bot, took_s: float, log: Path) -> None:
    counted, latencies = answers(slack, numbers), sorted(tally.latencies_s)
    table = Table("", "")
    table.add_row("questions", str(len(numbers)))
    table.add_row("deliveries acknowledged", str(tally.acknowledged[200]))
    table.add_row(
        "deliveries refused or lost, then repeated", str(tally.acknowledged.total() - tally.acknowledged[200])
    )
    table.add_row("kills", str(bot.deaths))
    table.add_row("calls to Slack", str(len(slack.calls)))
    table.add_row("questions without an answer", str(counted[0]))
    table.add_row("questions with one answer", str(counted[1]))
    table.add_row("questions with more", str(sum(counted.values()) - counted[0] - counted[1]))
    table.add_row("messages beyond one for each question", str(surplus(slack, numbers)))
    table.add_row(
        "acknowledged after ms, median and 99 %", f"{percentile(latencies, 50):.0f}, {percentile(latencies, 99):.0f}"
    )
    table.add_row("seconds", f"{took_s:.0f}")
    Console(width=110).print(table)
    print(f"{log.read_text(encoding='utf-8', errors='replace').count(chr(10))} lines of log")


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Returns milliseconds."""
    return 1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pause-s", type=float, default=5.0, help="between kills, on average")
    parser.add_argument("--trouble", type=float, default=0.2, help="share of calls that Slack refuses")
    parser.add_argument("--seed", type=int, default=0)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
