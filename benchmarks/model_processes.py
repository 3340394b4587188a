"""Compares one process for two models with one child process for each.

Measured, in turns over several rounds: the tokens per second of each model while both decode, the time of a step,
memory (PSS), the time to load and unload, the memory that remains after unloading, and the effect of an abort in one
model on the other. Then the cost of a hop: a process that passes a worker's streamed answers on, between two Unix
sockets, with idle cores and beside a model that decodes.

    .venv/bin/python -m benchmarks.model_processes [--models A.gguf B.gguf] [--rounds 3] [--seconds 8] [--events 300]

Without `--models`, both are the starter, each a file of its own. On two busy cores, with the starter: 149 tokens/s for
both in one process, 139 in a process each; 750 and 780 MB; after unloading both, 73 and 0 MB. An abort ended both
models of one process, and only one of two processes. The hop added 1 ms to the first event and 0.2 to 0.4 ms to each
later one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.measured_model import find_model
from benchmarks.peers.event_hop import PATH
from benchmarks.peers.loaded_models import SEQUENCES
from core.configuration import settings
from core.model.hardware.processor import choose_threads

TOGETHER, APART = "one process", "a process each"
EVENT_INTERVAL_S = 0.02  # fifty tokens a second, for each stream
START_LIMIT_S = 20.0
Values = dict[str, float]


class ModelChild:
    """A process of `benchmarks.peers.loaded_models`."""

    def __init__(self, files: list[str], threads: int, *flags: str) -> None:
        command = [sys.executable, "-m", "benchmarks.peers.loaded_models", json.dumps(files), str(threads), *flags]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def say(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        return dict(json.loads(self.process.stdout.readline()))

    def rest(self) -> list[dict[str, Any]]:
        """Returns all further lines; the process has then ended."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        lines = [json.loads(line) for line in self.process.stdout if line.startswith("{")]  # the abort prints too
        self.process.wait()
        return lines


@contextmanager
def children(files: list[str], threads: int, layout: str, *flags: str) -> Iterator[list[ModelChild]]:
    groups = [files] if layout == TOGETHER else [[file] for file in files]
    running = [ModelChild(group, threads, *flags) for group in groups]
    try:
        yield running
    finally:
        for child in running:
            child.process.kill()
            child.process.wait()


def measure_layout(files: list[str], threads: int, layout: str, seconds: float) -> Values:
    with children(files, threads, layout) as running:
        loaded = [child.hear() for child in running]
        warm = [child.hear() for child in running]
        for child in running:
            child.say(str(seconds))
        decoded = [child.hear() for child in running]
        left_mb, unload_s = unload(running, layout)
    steps = [steps for answer in decoded for steps in answer["steps_ms"]]
    return {
        "load s": max(time for answer in loaded for time in answer["load_s"]),
        "tokens/s, first model": SEQUENCES * len(steps[0]) / seconds,
        "tokens/s, second model": SEQUENCES * len(steps[1]) / seconds,
        "step ms, median": statistics.median(steps[0] + steps[1]),
        "step ms, p99": quantile(steps[0] + steps[1], 0.99),
        "memory MB, both loaded": sum(answer["warm_mb"] for answer in warm),
        "memory MB, one unloaded": left_mb[0],
        "memory MB, both unloaded": left_mb[1],
        "unload s": unload_s,
    }


def unload(running: list[ModelChild], layout: str) -> tuple[list[float], float]:
    """Unloads both models; returns the memory after each, and the longest time. A child is unloaded by its end."""
    if layout == TOGETHER:
        answers = []
        for _ in range(2):
            running[0].say("")
            answers.append(running[0].hear())
        return [answer["left_mb"] for answer in answers], max(answer["unload_s"] for answer in answers)
    other = psutil.Process(running[1].process.pid)
    left_mb = []
    started = time.perf_counter()
    running[0].process.kill()
    running[0].process.wait()
    took_s = time.perf_counter() - started
    left_mb.append(other.memory_full_info().pss / 1e6)
    return [*left_mb, 0.0], took_s


def survivors(files: list[str], threads: int, layout: str, seconds: float) -> str:
    """Makes llama.cpp abort in the first model while the second decodes; says what became of the second."""
    with children(files, threads, layout, *(["--abort"] if layout == TOGETHER else [])) as running:
        if layout == APART:
            running[0].process.kill()
            running[0] = ModelChild([files[0]], threads, "--abort")
        for child in running:
            child.hear(), child.hear()
        for child in running:
            child.say(str(seconds))
        lines = [child.rest() if child is running[0] else [child.hear()] for child in running]
        steps = len(lines[1][0]["steps_ms"][0]) if layout == APART else len(lines[0])
        code = running[0].process.returncode
    end = "went on" if layout == APART else "died with it"
    return f"exit code {code}; the other made {steps} steps in {seconds:g} s, and {end}"


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# --- the hop ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def hop_processes() -> AsyncIterator[dict[str, Path]]:
    """Runs source and proxy; yields their sockets."""
    folder = Path(tempfile.mkdtemp(prefix="csps-llm-hop-"))
    sockets = {"direct": folder / "source.sock", "through a host": folder / "proxy.sock"}
    source, proxy = sockets.values()
    commands = [["source", str(source)], ["proxy", str(proxy), str(source)]]
    processes = [start_part(parts) for parts in commands]
    try:
        async with asyncio.timeout(START_LIMIT_S):
            for socket in sockets.values():
                await wait_for_listener(socket)
        yield sockets
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        shutil.rmtree(folder)


def start_part(arguments: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "benchmarks.peers.event_hop", *arguments])


async def wait_for_listener(socket: Path) -> None:
    while True:
        try:
            _, writer = await asyncio.open_unix_connection(str(socket))
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return


async def read_stream(session: aiohttp.ClientSession, events: int) -> tuple[float, list[float]]:
    """Returns the milliseconds from the request to its first event, and those from each event's writing to us."""
    started = time.monotonic_ns()
    first_ms, delays_ms = 0.0, []
    async with session.post(f"http://host{PATH}", json={"events": events, "interval_s": EVENT_INTERVAL_S}) as answer:
        async for line in answer.content:
            if line.startswith(b"data: "):
                now = time.monotonic_ns()
                first_ms = first_ms or (now - started) / 1e6
                delays_ms.append((now - json.loads(line[6:])["at"]) / 1e6)
    return first_ms, delays_ms


async def measure_hop(streams: int, events: int, rounds: int) -> dict[str, Values]:
    first: dict[str, list[float]] = defaultdict(list)
    later: dict[str, list[float]] = defaultdict(list)
    async with hop_processes() as sockets:
        for _ in range(rounds):
            for name, socket in sockets.items():
                async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket), limit=0)) as session:
                    await asyncio.gather(*(read_stream(session, 2) for _ in range(streams)))  # connections open
                    answers = await asyncio.gather(*(read_stream(session, events) for _ in range(streams)))
                    shorts = [await read_stream(session, 1) for _ in range(40)]
                first[name] += [first_ms for first_ms, _ in shorts]
                later[name] += [delay for _, delays_ms in answers for delay in delays_ms[1:]]
    return {
        name: {
            "first event ms, median": statistics.median(first[name]),
            "first event ms, p99": quantile(first[name], 0.99),
            "later event ms, median": statistics.median(later[name]),
            "later event ms, p99": quantile(later[name], 0.99),
        }
        for name in first
    }


@contextmanager
def busy_model(file: str, threads: int) -> Iterator[None]:
    with children([file], threads, TOGETHER) as running:
        running[0].hear(), running[0].hear()
        running[0].say("3600")
        yield


# --- the report ------------------------------------------------------------------------------------------------------


def print_columns(title: str, columns: dict[str, Values]) -> None:
    table = Table(title, *columns)
    for row in next(iter(columns.values())):
        table.add_row(row, *(f"{values[row]:.2f}" for values in columns.values()))
    Console(width=140).print(table)


def medians(runs: list[Values]) -> Values:
    return {row: statistics.median(run[row] for run in runs) for row in runs[0]}


def model_files(given: list[Path] | None, folder: Path) -> list[str]:
    """Returns two files; copies of the starter share no memory, as two models do not."""
    if given:
        return [str(path) for path in given]
    starter = find_model(settings.load()).path
    return [str(shutil.copyfile(starter, folder / f"{name}.gguf")) for name in ("first", "second")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs=2, type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--events", type=int, default=300)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = model_files(options.models, folder)
        cores = choose_threads()
        runs: dict[str, list[Values]] = defaultdict(list)
        for _ in range(options.rounds):
            for threads in dict.fromkeys((cores, max(1, cores // 2))):
                for layout in (TOGETHER, APART):
                    name = f"{layout}, {threads} threads a model"
                    runs[name].append(measure_layout(files, threads, layout, options.seconds))
        print_columns("two models", {name: medians(values) for name, values in runs.items()})
        for layout in (TOGETHER, APART):
            print(f"abort of one model, {layout}: {survivors(files, cores, layout, options.seconds)}")
        for streams in (1, 8):
            idle = asyncio.run(measure_hop(streams, options.events, options.rounds))
            print_columns(f"{streams} streams, idle cores", idle)
            with busy_model(files[0], cores):
                busy = asyncio.run(measure_hop(streams, options.events, options.rounds))
            print_columns(f"{streams} streams, beside a model that decodes", busy)


if __name__ == "__main__":
    main()
