"""Sends about 2,500 hostile inputs to a real web process, and measures what everybody else notices of them.

    .venv/bin/python -m benchmarks.hostile_inputs [--only KIND] [--seed 1] [--senders 4] [--list]

The web process is `python -m web` before an engine of known speed, in a process of its own; a third process asks for
/healthz every 20 ms, and for an ordinary answer of 0.4 s all the time. What an idle server beside it is late by, on a
busy machine, is subtracted. Each input must be answered (a WebSocket: be
closed), without a status of 500 or more (503 with Retry-After is a refusal) and without the framework's banner.
Targets: /healthz ≤100 ms, an ordinary answer within 2 times its usual time, no hang, no death. Exits 1 if one fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import re
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.first_words import free_port, running, until_healthy
from benchmarks.hostile_requests import KINDS, PERSONALITY, HostileInput, generate_all
from tests.support.fake_model import FakeModel, Step

HEALTH_TARGET_MS, ANSWER_TARGET, ANSWER_LIMIT_S = 100.0, 2.0, 30.0
READ_TIMEOUT_S = 5.0
TOKENS, TOKEN_S = 20, 0.02
PROBE_INTERVAL_S = 0.02
USUAL_ANSWERS = 12
QUIET_S = 0.3  # between two kinds, so that each has its own measurements
BANNERS = (b"aiohttp", b"Python/")
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@dataclass
class Outcome:
    """`status`: of the first response; 0 for none. `ended_s`: on the monotonic clock."""

    input: HostileInput
    status: int
    ended_s: float
    took_s: float
    fault: str = ""


async def send(port: int, each: HostileInput) -> Outcome:
    """Sends an input and reads until the service closes."""
    data = each.build()
    began_s = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = bytearray()

    async def write() -> None:
        with suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
            if each.ends:
                writer.write_eof()

    writing = asyncio.create_task(write())
    fault = ""
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            while chunk := await reader.read(2**16):
                if len(received) < 2**20:
                    received += chunk
    except ConnectionError:
        fault = "" if received else "reset without an answer"
    except TimeoutError:
        fault = "" if received else f"no answer within {ANSWER_LIMIT_S:g} s"
    writing.cancel()
    writer.transport.abort()
    return judge(each, bytes(received), began_s, fault)


def judge(each: HostileInput, received: bytes, began_s: float, fault: str) -> Outcome:
    now_s = time.monotonic()
    statuses = [int(status) for status in STATUS.findall(received)]
    status = statuses[0] if statuses else 0
    if not received and not fault:
        fault = "closed without an answer"
    if any(banner in received for banner in BANNERS):
        fault = "the framework's banner"
    if worst := [code for code in statuses if code >= 500 and code != 503]:
        fault = f"status {worst[0]}"
    return Outcome(each, status, now_s, now_s - began_s, fault)


# ---------------------------------------------------------------- the other processes


async def serve_model(port: int) -> None:
    """An engine that writes 50 tokens a second, to everybody at once."""

    def answer(_body: dict[str, Any]) -> Sequence[Step]:
        loop, steps = asyncio.get_running_loop(), list[Step]()
        for number in range(TOKENS):
            due = asyncio.Event()
            loop.call_later((number + 1) * TOKEN_S, due.set)
            steps += [due, f"word{number} "]
        return steps

    async with FakeModel(answer=answer, tokenizes=False, window=32_768).serving(port=port):
        await asyncio.Event().wait()


async def probe(url: str, control_url: str) -> None:
    """Prints a line of JSON for each measurement: its kind, its end on the monotonic clock, its milliseconds.

    The control is a server that has nothing to do: what it is late by, the machine is late by.
    """

    async def measure(kind: str, http: aiohttp.ClientSession, path: str, pause_s: float) -> None:
        while True:
            began_s = time.monotonic()
            try:
                async with http.get(path) as response:
                    await response.read()
                    kind_now = kind if response.status == 200 else f"{kind} {response.status}"
            except aiohttp.ClientError as exc:
                kind_now = f"{kind} {type(exc).__name__}"
            now_s = time.monotonic()
            print(json.dumps([kind_now, now_s, (now_s - began_s) * 1000]), flush=True)
            await asyncio.sleep(pause_s)

    sessions = aiohttp.ClientSession(url), aiohttp.ClientSession(control_url)
    async with sessions[0] as http, sessions[1] as control, asyncio.TaskGroup() as tasks:
        tasks.create_task(measure("health", http, "/healthz", PROBE_INTERVAL_S))
        tasks.create_task(measure("control", control, "/health", PROBE_INTERVAL_S))
        tasks.create_task(measure("answer", http, f"/gpt/{PERSONALITY}?prompt=Hello", PROBE_INTERVAL_S))


@dataclass
class Measurements:
    """The measurements of the probe, as they arrive."""

    values: list[tuple[str, float, float]] = field(default_factory=list)
    has_usual: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            kind, at_s, ms = json.loads(line)
            self.values.append((kind, at_s, ms))
            if not self.has_usual.is_set() and len(self.between(0, math.inf, "answer")) >= USUAL_ANSWERS:
                self.has_usual.set()

    def between(self, began_s: float, ended_s: float, kind: str) -> list[float]:
        """The milliseconds of those that overlap this time."""
        return [ms for name, at_s, ms in self.values if name == kind and at_s > began_s and at_s - ms / 1000 < ended_s]

    def own(self, began_s: float, ended_s: float, kind: str) -> list[float]:
        """The same without the milliseconds by which the machine was late, as the control beside each shows."""
        measured = [
            (at_s, ms) for name, at_s, ms in self.values if name == kind and began_s < at_s < ended_s + ms / 1000
        ]
        return [ms - max(self.between(at_s - ms / 1000, at_s, "control"), default=0.0) for at_s, ms in measured]

    async def usual_answer_ms(self) -> float:
        """The median of the answers before the first hostile input."""
        await self.has_usual.wait()
        return statistics.median(self.between(0, math.inf, "answer"))

    def late(self, outcomes: Sequence[Outcome]) -> Iterator[str]:
        """Yields each health check above the target, with the inputs that were being sent or answered beside it."""
        for kind, at_s, ms in self.values:
            began_s = at_s - ms / 1000
            beside = [each for each in outcomes if each.ended_s > began_s and each.ended_s - each.took_s < at_s]
            control_ms = max(self.between(began_s, at_s, "control"), default=0.0)
            if kind == "health" and ms - control_ms > HEALTH_TARGET_MS and beside:
                names = " · ".join(each.input.name for each in beside)
                yield f"/healthz {ms:.0f} ms, control {control_ms:.0f} ms, beside {names}"

    def failed(self, began_s: float, ended_s: float) -> Counter[str]:
        return Counter(name for name, at_s, _ in self.values if " " in name and began_s < at_s < ended_s)


@asynccontextmanager
async def start_probe(url: str, control_url: str) -> AsyncIterator[Measurements]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.hostile_inputs", "--probe", url, control_url),
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    measurements = Measurements()
    reading = asyncio.create_task(measurements.read(child.stdout))
    try:
        yield measurements
    finally:
        child.kill()
        await child.wait()
        reading.cancel()


@asynccontextmanager
async def start_service() -> AsyncIterator[tuple[int, int, psutil.Process]]:
    """Yields the ports of the web process and of the engine, and the web process."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        model_port, port = free_port(), free_port()
        await stack.enter_async_context(running("benchmarks.hostile_inputs", "--model", str(model_port)))
        environ = {
            **{"PORT": str(port), "HOST": "127.0.0.1", "CSPS_LLM_DATA": folder, "LOG_LEVEL": "error"},
            **{"LLM_URL": f"http://127.0.0.1:{model_port}/v1", "LLM_MODEL": "fake-model"},
            "WEB_READ_TIMEOUT_S": str(READ_TIMEOUT_S),
        }
        web = await stack.enter_async_context(running("web", environ=environ))
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            await until_healthy(http, "/readyz")
        yield port, model_port, web


# ---------------------------------------------------------------- the run


@dataclass
class KindReport:
    outcomes: list[Outcome]
    health_ms: list[float]
    answer_ms: list[float]
    failed: Counter[str]
    late: list[str]
    memory_mb: float


async def run_kind(
    port: int, inputs: Iterable[HostileInput], senders: int, measurements: Measurements, web: psutil.Process
) -> KindReport:
    outcomes: list[Outcome] = []
    waiting = iter(inputs)

    async def work() -> None:
        for each in waiting:
            outcomes.append(await send(port, each))  # noqa: PERF401 - several tasks fill the list

    began_s = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(senders):
            tasks.create_task(work())
    ended_s = time.monotonic()
    await asyncio.sleep(QUIET_S + TOKENS * TOKEN_S * ANSWER_TARGET)
    health, answers = (measurements.own(began_s, ended_s, kind) for kind in ("health", "answer"))
    memory_mb = web.memory_info().rss / 2**20
    failed, late = measurements.failed(began_s, ended_s), list(measurements.late(outcomes))
    return KindReport(outcomes, health, answers, failed, late, memory_mb)


async def measure(kinds: Sequence[str], seed: int, senders: int) -> bool:
    """Prints the report. Returns whether all targets were met."""
    by_kind: dict[str, list[HostileInput]] = defaultdict(list)
    for each in generate_all(seed):
        by_kind[each.kind].append(each)
    async with AsyncExitStack() as stack:
        port, control_port, web = await stack.enter_async_context(start_service())
        urls = (f"http://127.0.0.1:{each}" for each in (port, control_port))
        measurements = await stack.enter_async_context(start_probe(*urls))
        usual_ms = await measurements.usual_answer_ms()
        reports = {}
        for kind in kinds:
            if not web.is_running():
                break
            reports[kind] = await run_kind(port, by_kind[kind], senders, measurements, web)
        alive = web.is_running() and web.status() != psutil.STATUS_ZOMBIE
    return print_report(reports, usual_ms, alive=alive)


def print_report(reports: dict[str, KindReport], usual_ms: float, *, alive: bool) -> bool:
    table = Table("kind", "inputs", "statuses", "slowest, s", "/healthz worst, ms", "answer worst", "MB", "faults")
    fine = alive
    for kind, report in reports.items():
        faults = [each for each in report.outcomes if each.fault]
        health, answer = max(report.health_ms, default=0.0), max(report.answer_ms, default=0.0) / usual_ms
        statuses = Counter(each.status for each in report.outcomes)
        slowest = max((each.took_s for each in report.outcomes if not each.input.waits), default=0.0)
        fine &= not faults and not report.failed and health <= HEALTH_TARGET_MS and answer <= ANSWER_TARGET
        counts = " ".join(f"{status}×{count}" for status, count in sorted(statuses.items()))
        row = (f"{slowest:.1f}", f"{health:.0f}", f"{answer:.2f}×", f"{report.memory_mb:.0f}")
        table.add_row(kind, str(len(report.outcomes)), counts, *row, str(len(faults) + report.failed.total()))
    console = Console(width=int(os.environ.get("COLUMNS", "140")))
    console.print(f"An ordinary answer takes {usual_ms:.0f} ms. The web process {'lives' if alive else 'DIED'}.")
    console.print(table)
    for report in reports.values():
        for each in [each for each in report.outcomes if each.fault][:10]:
            console.print(f"{each.input.kind}: {each.input.name}: {each.fault}", markup=False)
        for each in sorted(report.outcomes, key=lambda each: -each.took_s)[:3]:
            console.print(
                f"  slow: {each.took_s:.1f} s {each.status} {each.input.kind}: {each.input.name}", markup=False
            )
        for line in report.late[:10]:
            console.print(line, markup=False)
        for name, count in report.failed.items():
            console.print(f"{count}× {name}", markup=False)
    return fine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=list(KINDS), help="a kind; may be repeated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--list", action="store_true", help="print the number of inputs of each kind")
    parser.add_argument("--model", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--probe", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.model:
        asyncio.run(serve_model(options.model))
    elif options.probe:
        asyncio.run(probe(*options.probe))
    elif options.list:
        for kind, count in Counter(each.kind for each in generate_all(options.seed)).items():
            print(f"{count:5} {kind}")
    else:
        sys.exit(0 if asyncio.run(measure(options.only or list(KINDS), options.seed, options.senders)) else 1)


if __name__ == "__main__":
    main()
