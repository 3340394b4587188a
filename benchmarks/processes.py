"""Counts the answers while two processes of one platform share the work, are killed (-9) and paused (SIGSTOP).

The bots are the real processes on one PostgreSQL; the platform is a strict stand-in on loopback. Each conversation has
several questions, which reach the processes in turn, and each event is delivered twice. At the end, every question
must have one complete answer, in order.

    .venv/bin/python -m benchmarks.processes [--conversations 500] [--kills 10] [--pauses 5] [--only slack-http]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table

from benchmarks.serving.servers import free_port
from benchmarks.workplaces import Question, SlackSocketWorkplace, SlackWorkplace, TeamsWorkplace, Workplace
from tests.support.databases import DRIVER, create_database, start_server
from tests.support.fake_model import Body, FakeModel, Step

WORKPLACES = {"slack-http": SlackWorkplace, "slack-sockets": SlackSocketWorkplace, "teams": TeamsWorkplace}
PROCESSES = 2
AT_ONCE = 24  # conversations
REDELIVER_S = 0.3
START_LIMIT_S = 60.0
SILENT_S = 60.0  # without a new answer, the rest is lost


@dataclass(frozen=True)
class Plan:
    """`lease_s`: BOT_LEASE_S of the processes. `pause_s`: between two troubles, on average.

    `grow_s`: the time that every fourth answer takes to grow. The others are written at once, because Slack's rate
    limit leaves a process fifty edits a minute.
    """

    conversations: int = 500
    questions: int = 2
    kills: int = 10
    pauses: int = 5
    lease_s: float = 10.0
    pause_s: float = 4.0
    grow_s: float = 1.0
    seed: int = 0


@dataclass
class Bot:
    """One of the processes. It is restarted whenever it ends, as `csps-llm up` does."""

    name: str
    port: int
    environ: dict[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0

    async def live(self) -> None:
        while True:
            with self.log.open("ab") as lines:
                self.process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", f"bindings.{self.name}"),
                    env={**os.environ, **self.environ},
                    stdout=lines,
                    stderr=lines,
                )
            if await self.process.wait() > 0:
                raise RuntimeError(self.log.read_text(encoding="utf-8"))
            self.deaths += 1

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)


@dataclass
class Outcome:
    """`answers`: for each question, the number of its complete answers."""

    answers: dict[Question, int]
    messages: list[str]
    kills: int
    pauses: int
    leases_lost: int
    resumed: int
    took_s: float
    log: str = field(repr=False, default="")

    @property
    def surplus(self) -> int:
        return len(self.messages) - len(self.answers)

    @property
    def out_of_order(self) -> int:
        return count_out_of_order(self.messages, list(self.answers))

    @property
    def lost(self) -> int:
        return sum(count == 0 for count in self.answers.values())

    @property
    def doubled(self) -> int:
        return sum(count > 1 for count in self.answers.values())


async def measure(workplace: Workplace, server: str, plan: Plan) -> Outcome:
    chance, began = random.Random(plan.seed), time.monotonic()
    model = FakeModel(answer=lambda body: write_answer(body, plan.grow_s))
    with tempfile.TemporaryDirectory() as folder:
        async with workplace.serving(), model.serving():
            shared = {
                "DATABASE_URL": create_database(server),
                "CSPS_LLM_DATA": folder,
                "LLM_URL": f"{model.url}/v1",
                "RAG_EMBEDDINGS_URL": f"{model.url}/v1",  # has none: no process loads an encoder
                "RAG_EMBEDDINGS_MODEL": "none",
                "BOT_LEASE_S": str(plan.lease_s),
                "LOG_FORMAT": "json",
            }
            bots = [build_bot(workplace, shared, Path(folder) / f"bot{number}.log") for number in range(PROCESSES)]
            async with running(bots), aiohttp.ClientSession() as http:
                await all_serving(http, bots)
                pauses = await send_all(http, workplace, bots, plan, chance)
                questions = [question for each in conversations(plan) for question in each]
                await until_answered(workplace, questions)
        log = "".join(bot.log.read_text(encoding="utf-8", errors="replace") for bot in bots)
    messages = workplace.messages()
    return Outcome(
        count_complete(messages, questions),
        messages,
        kills=sum(bot.deaths for bot in bots),
        pauses=pauses,
        leases_lost=log.count('"lease_lost"'),
        resumed=sum(int(count) for count in re.findall(r'"count": ?(\d+)[^\n]*"deliveries_resumed"', log)),
        took_s=time.monotonic() - began,
        log=log,
    )


def build_bot(workplace: Workplace, shared: dict[str, str], log: Path) -> Bot:
    port = free_port()
    return Bot(workplace.name, port, {**shared, **workplace.environ(port)}, log)


def write_answer(body: Body, grow_s: float) -> Sequence[Step]:
    """The answer to the last question. Some come in two pieces with a pause between them."""
    marks = re.findall(r"Question (\d+)\.(\d+)\?", str(body["messages"][-1]["content"]))
    question, written = Question(*map(int, marks[-1])), asyncio.Event()
    if (question.conversation + question.number) % 4:
        return (question.answer,)
    asyncio.get_running_loop().call_later(grow_s, written.set)
    first, _, rest = question.answer.partition(" is")
    return (first, written, f" is{rest}")


@asynccontextmanager
async def running(bots: Sequence[Bot]) -> AsyncIterator[None]:
    living = [asyncio.create_task(bot.live()) for bot in bots]
    try:
        yield
    finally:
        for task in living:
            task.cancel()
        await asyncio.wait(living)
        for bot in bots:
            bot.send(signal.SIGCONT)
            bot.send(signal.SIGKILL)


async def all_serving(http: aiohttp.ClientSession, bots: Sequence[Bot]) -> None:
    async with asyncio.timeout(START_LIMIT_S), asyncio.TaskGroup() as group:
        for bot in bots:
            group.create_task(until_serving(http, bot.port))


async def until_serving(http: aiohttp.ClientSession, port: int) -> None:
    while True:
        with suppress(aiohttp.ClientError):
            async with http.get(f"http://127.0.0.1:{port}/healthz") as response:
                if (await response.json())["status"] == "ok":
                    return
        await asyncio.sleep(0.1)


def conversations(plan: Plan) -> list[list[Question]]:
    return [
        [Question(number, each) for each in range(1, plan.questions + 1)] for number in range(1, plan.conversations + 1)
    ]


async def send_all(
    http: aiohttp.ClientSession, workplace: Workplace, bots: Sequence[Bot], plan: Plan, chance: random.Random
) -> int:
    """Asks everything while processes are killed and paused. Returns the number of pauses."""
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(questions: Sequence[Question]) -> None:
        async with places:
            order = chance.sample(bots, len(bots))
            for question in questions:
                for turn in range(2):  # every event is delivered twice, to different processes
                    await deliver(http, workplace, question, order[(question.number + turn) % len(order)], bots, chance)

    trouble = asyncio.create_task(make_trouble(bots, plan, chance))
    async with asyncio.TaskGroup() as asking:
        for questions in conversations(plan):
            asking.create_task(ask(questions))
    await trouble
    return plan.pauses


async def deliver(
    http: aiohttp.ClientSession,
    workplace: Workplace,
    question: Question,
    bot: Bot,
    bots: Sequence[Bot],
    chance: random.Random,
) -> None:
    """Delivers an event until a process acknowledges it. A repeat goes to any of them, as behind a load balancer."""
    while not await workplace.deliver(http, question, bot.port):
        await asyncio.sleep(REDELIVER_S)
        bot = chance.choice(bots)


async def make_trouble(bots: Sequence[Bot], plan: Plan, chance: random.Random) -> None:
    """Kills and pauses processes. A pause is longer than the lease, so that the other process takes over."""
    troubles = chance.sample(["kill"] * plan.kills + ["pause"] * plan.pauses, plan.kills + plan.pauses)
    for trouble in troubles:
        await asyncio.sleep(plan.pause_s * chance.uniform(0.5, 1.5))
        bot = chance.choice(bots)
        if trouble == "kill":
            bot.send(signal.SIGKILL)
            continue
        bot.send(signal.SIGSTOP)
        await asyncio.sleep(1.5 * plan.lease_s)
        bot.send(signal.SIGCONT)


async def until_answered(workplace: Workplace, questions: Sequence[Question]) -> None:
    """Waits until every question has an answer, or none came for a while."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < SILENT_S:
        answered = len(questions) - Counter(count_complete(workplace.messages(), questions).values())[0]
        if answered == len(questions):
            await asyncio.sleep(2)  # time for late duplicates
            return
        if answered != seen:
            seen, since = answered, time.monotonic()
        await asyncio.sleep(0.2)


def count_complete(messages: Sequence[str], questions: Sequence[Question]) -> dict[Question, int]:
    shown = "\n".join(messages)
    found = Counter(re.findall(r"Answer \d+\.\d+ is complete\.", shown))
    return {question: found[question.answer] for question in questions}


def count_out_of_order(messages: Sequence[str], questions: Sequence[Question]) -> int:
    """The number of answers that stand above the answer to an earlier question of their conversation."""
    first = {question: find_first(messages, question.answer) for question in questions}
    earlier = ((question, Question(question.conversation, question.number - 1)) for question in questions)
    return sum(first[question] < first.get(before, -1) for question, before in earlier)


def find_first(messages: Sequence[str], answer: str) -> int:
    return next((place for place, text in enumerate(messages) if answer in text), len(messages))


def show(name: str, outcome: Outcome) -> None:
    table = Table(name, "")
    rows = {
        "questions, each delivered twice": len(outcome.answers),
        "kills": outcome.kills,
        "pauses longer than the lease": outcome.pauses,
        "leases lost": outcome.leases_lost,
        "deliveries taken over": outcome.resumed,
        "questions without a complete answer": outcome.lost,
        "questions with more than one": outcome.doubled,
        "messages beyond one for each question": outcome.surplus,
        "answers out of order": outcome.out_of_order,
        "seconds": round(outcome.took_s),
    }
    for label, value in rows.items():
        table.add_row(label, str(value))
    Console(width=100).print(table)


async def measure_all(plan: Plan, names: Sequence[str]) -> None:
    with start_server() as server:
        url = server.get_uri(driver=DRIVER)
        for name in names:
            show(name, await measure(WORKPLACES[name](), url, plan))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    plan = Plan()
    parser.add_argument("--conversations", type=int, default=plan.conversations)
    parser.add_argument("--kills", type=int, default=plan.kills)
    parser.add_argument("--pauses", type=int, default=plan.pauses)
    parser.add_argument("--lease-s", type=float, default=plan.lease_s)
    parser.add_argument("--pause-s", type=float, default=plan.pause_s, help="between troubles, on average")
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--only", choices=tuple(WORKPLACES))
    options = vars(parser.parse_args())
    only = options.pop("only")
    asyncio.run(measure_all(Plan(**options), [only] if only else list(WORKPLACES)))


if __name__ == "__main__":
    main()
