"""A day of a department, or its busiest hour, against the real web process with an engine of known speed.

People come by the hour, have conversations of several questions, think between them, and keep their page open. A share
of the requests is toil. The day is compressed: all but the answers is faster, so the load is as much denser.
Each token tells when the engine sent it, so its delay is that of the web process, of the network, and of the two
processes that play the engine and the people. The web process's own delay is that of GET /healthz, asked 40 times a
second: the time until its event loop gets to it. `--pin` gives each web process a core of its own, and all else the
remaining cores; without it they take the processor from each other.

    .venv/bin/python -m benchmarks.department [--people 2000] [--hours 8-18] [--minutes 6] [--database sqlite] [--pin]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import resource
import secrets
import statistics
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from benchmarks.known_engine import read_stamps, running_engine
from benchmarks.web_process import WebProcess, build_web, running
from tests.support.databases import DRIVER, create_database, start_server

# Conversations that begin in each hour from 8:00 on, as shares of the day.
HOURS = (4, 11, 15, 13, 7, 10, 15, 13, 8, 4)
OPENING = 8  # o'clock
THINK_MEDIAN_S = 45.0  # between an answer and the next question
THINK_SPREAD = 0.8  # of its logarithm
SCHEMA = {"type": "object", "properties": {"urgent": {"type": "boolean"}}, "required": ["urgent"]}
SAMPLE_S = 2.0
PROBE_S = 0.025  # between two looks at the web process's event loop, and at our own
LATE_S = 120.0


@dataclass(frozen=True)
class Day:
    people: int = 2000
    conversations: float = 4.0  # of a person
    questions: float = 3.0  # of a conversation
    tokens: float = 150.0  # of an answer
    toil: float = 0.05  # of the requests
    hours: tuple[int, int] = (10, 11)  # the part of the day that is simulated; (8, 18) is all of it
    minutes: float = 6.0  # that it takes here
    seed: int = 0

    @property
    def weights(self) -> tuple[int, ...]:
        return HOURS[self.hours[0] - OPENING : self.hours[1] - OPENING]

    @property
    def compression(self) -> float:
        return len(self.weights) * 60 / self.minutes


@dataclass
class Outcome:
    """`delays_ms`: of each token. `first_ms`: of each answer's first token, from the question.

    `health_ms`: of GET /healthz. `own_ms`: by which the event loop of this process, which plays the people, is late.
    """

    delays_ms: array[float] = field(default_factory=lambda: array("f"))
    first_ms: array[float] = field(default_factory=lambda: array("f"))
    toil_ms: array[float] = field(default_factory=lambda: array("f"))
    health_ms: array[float] = field(default_factory=lambda: array("f"))
    own_ms: array[float] = field(default_factory=lambda: array("f"))
    failures: Counter[str] = field(default_factory=Counter)
    answers: int = 0
    tokens: int = 0
    open_now: int = 0
    most_open: int = 0


class Person:
    """One person's day: conversations at their times, each on a socket that stays open until the next one."""

    def __init__(self, number: int, day: Day, http: aiohttp.ClientSession, outcome: Outcome) -> None:
        self._day = day
        self._http = http
        self._outcome = outcome
        self._chance = random.Random(f"{day.seed} {number}")
        self._cookie = {"Cookie": f"csps_visitor={secrets.token_urlsafe(32)}"}

    async def live(self, url: str, began: float) -> None:
        chance, day = self._chance, self._day
        count = draw_count(chance, day.conversations * sum(day.weights) / sum(HOURS))
        hours = chance.choices(range(len(day.weights)), day.weights, k=count)
        for start_s in sorted((hour + chance.random()) * 3600 for hour in hours):
            await asyncio.sleep(began + start_s / day.compression - time.monotonic())
            try:
                await self._converse(url)
            except (aiohttp.ClientError, TimeoutError, OSError, TypeError) as exc:  # TypeError: the socket closed
                self._outcome.failures[type(exc).__name__] += 1

    async def _converse(self, url: str) -> None:
        if self._chance.random() < self._day.toil:
            await self._toil(url)
            return
        options = {"headers": self._cookie, "protocols": ("csps-llm.v1",), "max_msg_size": 0}
        async with self._http.ws_connect(f"{url}/gpt-socket/whisper", **options) as socket:  # type: ignore[arg-type]
            self._outcome.open_now += 1
            self._outcome.most_open = max(self._outcome.most_open, self._outcome.open_now)
            try:
                while True:
                    await self._ask(socket)
                    if self._chance.random() < 1 / self._day.questions:
                        return
                    await self._think(socket)
            finally:
                self._outcome.open_now -= 1

    async def _ask(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        tokens = max(5, round(self._chance.gammavariate(2.0, self._day.tokens / 2)))
        await socket.send_json({"type": "prompt", "text": f"Please explain this. N={tokens}", "goes_on": True})
        asked, seen = time.monotonic_ns(), 0
        async with asyncio.timeout(LATE_S):
            while True:
                frame = await socket.receive_json()
                now = time.monotonic_ns()
                if frame["type"] == "text":
                    stamps = read_stamps(frame["text"])
                    self._outcome.delays_ms.extend((now - stamp) / 1e6 for stamp in stamps)
                    if not seen and stamps:
                        self._outcome.first_ms.append((now - asked) / 1e6)
                    seen += len(stamps)
                elif frame["type"] in ("done", "error"):
                    break
        self._outcome.tokens += seen
        if frame["type"] == "error":
            self._outcome.failures[frame["code"]] += 1
        elif seen != tokens:
            self._outcome.failures[f"{seen} tokens instead of {tokens}"] += 1
        else:
            self._outcome.answers += 1

    async def _toil(self, url: str) -> None:
        began = time.monotonic()
        body = {"prompt": "Is this message urgent? The roof leaks.", "schema": SCHEMA}
        async with self._http.post(f"{url}/toil/whisper", json=body) as response:
            text = await response.text()
            if response.status != 200:
                self._outcome.failures[f"toil {response.status} {json.loads(text).get('code', '')}"] += 1
                return
        self._outcome.toil_ms.append(1000 * (time.monotonic() - began))

    async def _think(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Answers pings meanwhile, as a browser does."""
        think_s = self._chance.lognormvariate(0.0, THINK_SPREAD) * THINK_MEDIAN_S
        with suppress(TimeoutError):
            async with asyncio.timeout(think_s / self._day.compression):
                await socket.receive()


def draw_count(chance: random.Random, mean: float) -> int:
    """A number of the Poisson distribution: arrivals before `mean` at a rate of 1."""
    count, at = 0, chance.expovariate(1.0)
    while at < mean:
        count, at = count + 1, at + chance.expovariate(1.0)
    return count


@dataclass
class Load:
    """What a day took. `cpu`: cores of each web process, on average and in its busiest `SAMPLE_S`."""

    took_s: float
    cpu: list[tuple[float, float]]
    rss_mb: list[Sequence[float]]
    transactions: int
    database_s: float | None  # that statements ran; None: SQLite does not tell


@asynccontextmanager
async def sampled(processes: Sequence[WebProcess], busiest: list[float]) -> AsyncIterator[None]:
    """Samples memory and the processor's time while the block runs."""

    async def sample() -> None:
        while True:
            before = [each.cpu_s() for each in processes]
            began = time.monotonic()
            await asyncio.sleep(SAMPLE_S)
            passed = time.monotonic() - began
            for number, each in enumerate(processes):
                each.sample_memory()
                busiest[number] = max(busiest[number], (each.cpu_s() - before[number]) / passed)

    sampling = asyncio.create_task(sample())
    try:
        yield
    finally:
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling


@asynccontextmanager
async def probed(http: aiohttp.ClientSession, urls: Sequence[str], outcome: Outcome) -> AsyncIterator[None]:
    """Measures the delays of the event loops, theirs and our own, while the block runs."""

    async def probe() -> None:
        for number in itertools.count():
            began = time.monotonic()
            await asyncio.sleep(PROBE_S)
            asked = time.monotonic()
            outcome.own_ms.append(1000 * (asked - began - PROBE_S))
            async with http.get(f"{urls[number % len(urls)]}/healthz") as response:
                await response.read()
            outcome.health_ms.append(1000 * (time.monotonic() - asked))

    probing = asyncio.create_task(probe())
    try:
        yield
    finally:
        probing.cancel()
        with suppress(asyncio.CancelledError):
            await probing


def database_load(url: str) -> tuple[int, float | None]:
    """The transactions of the database so far, and the seconds of its statements."""
    if url.startswith("sqlite"):
        return 0, None
    engine = sa.create_engine(url)
    query = "SELECT xact_commit + xact_rollback, active_time FROM pg_stat_database WHERE datname = current_database()"
    with engine.connect() as connection:
        count, active_ms = connection.exec_driver_sql(query).one()
    engine.dispose()
    return int(count), float(active_ms) / 1000


async def simulate(day: Day, processes: Sequence[WebProcess], database_url: str) -> tuple[Outcome, Load]:
    outcome, busiest = Outcome(), [0.0] * len(processes)
    before, count_before = [each.cpu_s() for each in processes], database_load(database_url)
    connector = aiohttp.TCPConnector(limit=0)
    began = time.monotonic()
    urls = [each.url for each in processes]
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        sampled(processes, busiest),
        probed(http, urls, outcome),
    ):
        people = [Person(number, day, http, outcome) for number in range(day.people)]
        await asyncio.gather(*(person.live(url, began) for person, url in zip(people, itertools.cycle(urls))))
    took_s = time.monotonic() - began
    cpu = [((each.cpu_s() - used) / took_s, most) for each, used, most in zip(processes, before, busiest, strict=True)]
    await asyncio.sleep(2)  # PostgreSQL publishes its counters after a second
    count, active_s = database_load(database_url)
    spent_s = None if active_s is None or count_before[1] is None else active_s - count_before[1]
    return outcome, Load(took_s, cpu, [each.rss_mb for each in processes], count - count_before[0], spent_s)


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def show(day: Day, outcome: Outcome, load: Load, first_s: float) -> None:
    table = Table("a day of the department", "")
    delays, waits = outcome.delays_ms, [value - 1000 * first_s for value in outcome.first_ms]
    rows: dict[str, object] = {
        "people; hours of their day": f"{day.people}; {day.hours[0]} to {day.hours[1]} o'clock",
        "minutes here; compression": f"{day.minutes:g}; {day.compression:.0f}",
        "answers; answers a second": f"{outcome.answers}; {outcome.answers / load.took_s:.1f}",
        "tokens a second": round(outcome.tokens / load.took_s),
        "most conversations at once": outcome.most_open,
        "failures": dict(outcome.failures) or 0,
        "delay of a token, ms (median, 99 %, 99.9 %)": triple(delays),
        "added wait for the first token, ms": triple(waits),
        "toil, ms": triple(outcome.toil_ms),
        "GET /healthz, ms": triple(outcome.health_ms),
        "own lateness of the people's process, ms": triple(outcome.own_ms),
        "cores of each web process (mean, busiest 2 s)": ", ".join(f"{a:.2f}, {b:.2f}" for a, b in load.cpu),
        "CPU ms for an answer": round(1000 * sum(a for a, _ in load.cpu) * load.took_s / max(1, outcome.answers), 1),
        "memory of each, MiB (after a fifth, at the end)": ", ".join(
            f"{rss[len(rss) // 5]:.0f}, {statistics.fmean(rss[-3:]):.0f}" for rss in load.rss_mb if rss
        ),
        "transactions for an answer": round(load.transactions / max(1, outcome.answers), 1),
        "database ms for an answer": "?"
        if load.database_s is None
        else round(1000 * load.database_s / max(1, outcome.answers), 2),
    }
    for label, value in rows.items():
        table.add_row(label, str(value))
    Console(width=110).print(table)


def triple(values: Sequence[float]) -> str:
    return ", ".join(f"{percentile(values, share):.1f}" for share in (0.5, 0.99, 0.999))


async def measure(
    day: Day, database: str, count: int, first_s: float, tokens_per_s: float, *, pinned: bool = False
) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if pinned:  # the processes that begin from here on inherit it
        os.sched_setaffinity(0, set(cores[count:]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with start_server() as server:
            url = f"sqlite:///{folder / 'department.db'}"
            if database == "postgresql":
                url = create_database(server.get_uri(driver=DRIVER))
            async with running_engine(first_s, tokens_per_s) as engine:
                processes = [build_web(folder, f"web{number}", url, engine) for number in range(count)]
                if pinned:
                    for number, each in enumerate(processes):
                        each.core = cores[number]
                async with running(*processes):
                    outcome, load = await simulate(day, processes, url)
                    show(day, outcome, load, first_s)


def parse_hours(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not OPENING <= int(first) < int(last) <= OPENING + len(HOURS):
        raise argparse.ArgumentTypeError(f"hours between {OPENING} and {OPENING + len(HOURS)}, such as 10-11")
    return int(first), int(last)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    day = Day()
    for name in ("conversations", "questions", "tokens", "toil", "minutes"):
        parser.add_argument(f"--{name}", type=float, default=getattr(day, name))
    parser.add_argument("--people", type=int, default=day.people)
    parser.add_argument("--hours", type=parse_hours, default=day.hours, help="such as 8-18, the whole day")
    parser.add_argument("--seed", type=int, default=day.seed)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--pin", action="store_true", help="a core for each web process; there must be one more")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--first-s", type=float, default=0.3)
    parser.add_argument("--tokens-per-s", type=float, default=40.0)
    options = vars(parser.parse_args())
    named = {name: options.pop(name) for name in ("processes", "database", "first_s", "tokens_per_s", "pin")}
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    rates = (named["first_s"], named["tokens_per_s"])
    asyncio.run(measure(Day(**options), named["database"], named["processes"], *rates, pinned=named["pin"]))


if __name__ == "__main__":
    main()
