"""Counts the answers to each event while events are delivered four times, calls fail and the bot's process is killed.

The bot is the real process; each platform is a strict stand-in on loopback. A share of all calls fails, some of them
after they took effect. The model answers at once. At the end, every question must have one answer; Teams may show
second ones (docs/decisions/0012), which are counted.

    .venv/bin/python -m benchmarks.deliveries [--events 1000] [--kills 20] [--trouble 0.2] [--only slack]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table

from benchmarks.processes import Bot, all_serving, count_complete, running, until_answered
from benchmarks.serving.servers import free_port
from benchmarks.workplaces import DiscordWorkplace, Question, SlackWorkplace, TeamsWorkplace, Workplace
from tests.support.fake_model import Body, FakeModel, Step

WORKPLACES = {"slack": SlackWorkplace, "discord": DiscordWorkplace, "teams": TeamsWorkplace}
DELIVERIES = 4
AT_ONCE = 24
REDELIVER_S = 0.3


@dataclass
class Tally:
    """The deliveries: how many were acknowledged and refused, and the time to acknowledge."""

    acknowledged: int = 0
    refused: int = 0
    latencies_s: list[float] = field(default_factory=list)


def write_answer(body: Body) -> Sequence[Step]:
    conversation, number = re.findall(r"Question (\d+)\.(\d+)\?", str(body["messages"][-1]["content"]))[-1]
    return (Question(int(conversation), int(number)).answer,)


async def measure(workplace: Workplace, options: argparse.Namespace) -> None:
    chance, began = random.Random(options.seed), time.monotonic()
    questions = [Question(number, 1) for number in range(1, options.events + 1)]
    model, tally = FakeModel(answer=write_answer), Tally()
    workplace.fail(options.trouble, chance)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "bot.log"
        async with workplace.serving(), model.serving():
            bot = build_bot(workplace, model, folder, log)
            async with running([bot]), aiohttp.ClientSession() as http:
                await all_serving(http, [bot])
                await send_all(http, workplace, bot, questions, tally, options, chance)
                await until_answered(workplace, questions)
        show(workplace, questions, tally, bot, time.monotonic() - began)
        print(f"{log.read_text(encoding='utf-8', errors='replace').count(chr(10))} lines of log")


def build_bot(workplace: Workplace, model: FakeModel, folder: str, log: Path) -> Bot:
    port = free_port()
    own = {
        "CSPS_LLM_DATA": folder,
        "LLM_URL": f"{model.url}/v1",
        "RAG_EMBEDDINGS_URL": f"{model.url}/v1",  # has none: no process loads an encoder
        "RAG_EMBEDDINGS_MODEL": "none",
        "LOG_LEVEL": "warning",
    }
    return Bot(workplace.name, port, {**own, **workplace.environ(port)}, log)


async def send_all(
    http: aiohttp.ClientSession,
    workplace: Workplace,
    bot: Bot,
    questions: Sequence[Question],
    tally: Tally,
    options: argparse.Namespace,
    chance: random.Random,
) -> None:
    """Sends every event DELIVERIES times, in random order, while the process is killed now and then."""
    deliveries = [question for question in questions for _ in range(DELIVERIES)]
    chance.shuffle(deliveries)
    places = asyncio.Semaphore(AT_ONCE)

    async def one(question: Question) -> None:
        async with places:
            await deliver(http, workplace, question, bot.port, tally)

    killer = asyncio.create_task(kill_repeatedly(bot, options.kills, options.pause_s, chance))
    async with asyncio.TaskGroup() as sending:
        for question in deliveries:
            sending.create_task(one(question))
    await killer


async def deliver(
    http: aiohttp.ClientSession, workplace: Workplace, question: Question, port: int, tally: Tally
) -> None:
    """Delivers an event until it is acknowledged."""
    while True:
        began = time.monotonic()
        if await workplace.deliver(http, question, port):
            tally.acknowledged += 1
            tally.latencies_s.append(time.monotonic() - began)
            return
        tally.refused += 1
        await asyncio.sleep(REDELIVER_S)


async def kill_repeatedly(bot: Bot, kills: int, pause_s: float, chance: random.Random) -> None:
    for _ in range(kills):
        await asyncio.sleep(pause_s * chance.uniform(0.5, 1.5))
        bot.send(signal.SIGKILL)


def show(workplace: Workplace, questions: Sequence[Question], tally: Tally, bot: Bot, took_s: float) -> None:
    messages, latencies = workplace.messages(), sorted(tally.latencies_s)
    counted = Counter(count_complete(messages, questions).values())
    table = Table(workplace.name, "")
    table.add_row("questions", str(len(questions)))
    table.add_row("deliveries acknowledged", str(tally.acknowledged))
    table.add_row("deliveries refused or lost, then repeated", str(tally.refused))
    table.add_row("kills", str(bot.deaths))
    table.add_row("calls to the platform", str(len(workplace.fake.calls)))
    table.add_row("questions without an answer", str(counted[0]))
    table.add_row("questions with one answer", str(counted[1]))
    table.add_row("questions with more", str(len(questions) - counted[0] - counted[1]))
    table.add_row("messages beyond one for each question", str(len(messages) - len(questions) + counted[0]))
    table.add_row(
        "acknowledged after ms, median and 99 %", f"{percentile(latencies, 50):.0f}, {percentile(latencies, 99):.0f}"
    )
    table.add_row("seconds", f"{took_s:.0f}")
    Console(width=110).print(table)


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Returns milliseconds."""
    return 1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


async def measure_all(options: argparse.Namespace) -> None:
    for name in [options.only] if options.only else list(WORKPLACES):
        await measure(WORKPLACES[name](), options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pause-s", type=float, default=5.0, help="between kills, on average")
    parser.add_argument("--trouble", type=float, default=0.2, help="share of calls that the platform refuses")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=tuple(WORKPLACES))
    asyncio.run(measure_all(parser.parse_args()))


if __name__ == "__main__":
    main()
