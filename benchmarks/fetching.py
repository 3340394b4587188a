"""Fetching under attack: hostile URLs, redirects and DNS answers, and hostile bodies.

Prints the number of refused attempts, and the number of connections to the internal canary. Prints for each body its
time, the lag of the event loop and the growth of the process.

    .venv/bin/python -m benchmarks.fetching [--deadline-s 4.5]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

import structlog
from rich.console import Console
from rich.table import Table

from benchmarks.canary import AGENT, attack
from benchmarks.hostile_bodies import SITES
from benchmarks.hostile_urls import cases
from core.errors import CspsError
from core.rag.fetching.fetch import Fetcher
from core.rag.fetching.site import FetchLimits

TICK_S = 0.005


class LoopLagMonitor:
    """Measures the lag of the event loop, and how much of it the process itself worked.

    Other processes on the machine cause the rest.
    """

    def __init__(self) -> None:
        self.late_s = self.busy_s = 0.0

    async def run(self) -> None:
        while True:
            due, worked_s = time.perf_counter() + TICK_S, time.thread_time()
            await asyncio.sleep(TICK_S)
            late_s = time.perf_counter() - due
            self.late_s = max(self.late_s, late_s)
            self.busy_s = max(self.busy_s, min(late_s, time.thread_time() - worked_s))

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()


@dataclass(frozen=True)
class BodyResult:
    name: str
    how: str
    took_s: float
    late_ms: float
    busy_ms: float
    grew_mb: float


def peak_mb() -> float:
    """Returns the peak memory of this process."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


async def fetch_outcome(fetcher: Fetcher, port: int, name: str) -> str:
    try:
        fetched = await fetcher.fetch(f"http://127.0.0.1:{port}/{quote(name)}", robots=False)
    except CspsError as exc:
        return exc.message.replace("127.0.0.1", "the site")
    return f"read {len(fetched.body)} bytes"


async def measure_bodies(fetcher: Fetcher, port: int, *names: str) -> BodyResult:
    """Measures several bodies at the same time; with more than one, no outcomes are returned."""
    watch, before_mb, started = LoopLagMonitor(), peak_mb(), time.perf_counter()
    async with watch.watching():
        outcomes = await asyncio.gather(*(fetch_outcome(fetcher, port, name) for name in names))
    took_s = time.perf_counter() - started
    title, how = (names[0], outcomes[0]) if len(names) == 1 else (f"all {len(names)} at once", "")
    return BodyResult(title, how, took_s, 1000 * watch.late_s, 1000 * watch.busy_s, peak_mb() - before_mb)


@contextlib.asynccontextmanager
async def hostile_sites() -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.hostile_bodies", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


async def measure_all_bodies(deadline_s: float) -> list[BodyResult]:
    async with hostile_sites() as port:
        limits = FetchLimits(deadline_s=deadline_s, at_once=len(SITES))
        async with Fetcher(None, (f"127.0.0.1:{port}",), user_agent=AGENT, limits=limits) as fetcher:
            await fetch_outcome(fetcher, port, "less announced than sent")  # imports and allocations happen once
            idle = LoopLagMonitor()
            async with idle.watching():
                await asyncio.sleep(2)
            ended = [BodyResult("(an idle loop)", "", 2.0, 1000 * idle.late_s, 1000 * idle.busy_s, 0.0)]
            for name in SITES:
                ended.append(await measure_bodies(fetcher, port, name))  # noqa: PERF401 - one after another
            return [*ended, await measure_bodies(fetcher, port, *SITES)]


def show_urls() -> int:
    """Returns the number of connections that reached the canary."""
    outcomes = asyncio.run(attack(cases()))
    table = Table("hostile URLs", "cases", "refused", "connections to the canary")
    kinds = Counter(outcome.case.what for outcome in outcomes)
    for kind, count in kinds.items():
        mine = [outcome for outcome in outcomes if outcome.case.what == kind]
        refused, connections = sum(outcome.refused for outcome in mine), sum(outcome.connections for outcome in mine)
        table.add_row(kind, str(count), str(refused), str(connections))
    refused, connections = sum(outcome.refused for outcome in outcomes), sum(o.connections for o in outcomes)
    table.add_row("all", str(len(outcomes)), str(refused), str(connections))
    Console(width=120).print(table)
    return connections


def show_bodies(deadline_s: float) -> None:
    ended = asyncio.run(measure_all_bodies(deadline_s))
    table = Table("hostile body", "ended by", "s", "loop late ms", "by its work ms", "grew MB")
    for row in ended:
        table.add_row(
            row.name, row.how, f"{row.took_s:.2f}", f"{row.late_ms:.0f}", f"{row.busy_ms:.0f}", f"{row.grew_mb:.1f}"
        )
    Console(width=140).print(table)
    alone = ended[1:-1]
    longest, latest = max(row.took_s for row in alone), max(row.late_ms for row in alone)
    busiest = max(row.busy_ms for row in alone)
    print(f"{len(alone)} bodies: longest {longest:.2f} s (deadline {deadline_s:g} s, wanted 5),", end=" ")
    print(f"loop late by at most {latest:.0f} ms (wanted 50; idle {ended[0].late_ms:.0f}),", end=" ")
    print(f"{busiest:.0f} ms of it by its own work,", end=" ")
    print(f"the process grew by {sum(row.grew_mb for row in ended):.0f} MB (wanted 64)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deadline-s", type=float, default=4.5, help="for one fetch")
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    connections = show_urls()
    show_bodies(options.deadline_s)
    sys.exit(1 if connections else 0)


if __name__ == "__main__":
    main()
