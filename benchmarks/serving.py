"""Compares the model process with llama-server and with one `Llama` behind a lock: tokens/s and time to the first text.

All three serve the same file over the same HTTP API to the same client. They take turns within each round, so that a
noisy machine disturbs all alike. The table shows medians over the rounds, and our ratio to each other server.

    .venv/bin/python -m benchmarks.serving [--clients 1,4,8,16] [--rounds 5] [--tokens 64]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.measured_model import find_model
from core.configuration import settings
from core.openai.chat_protocol import StreamFinished, TextDelta
from core.openai.stream_reader import StreamReader

PERSONALITY = (
    "You are Whisper, an assistant for public servants. You answer in plain language, briefly, and you say so when you "
    "are not sure. You never ask for protected information. "
) * 7  # about 250 tokens, like a personality with facts
TOPICS = (
    "snow",
    "libraries",
    "bridges",
    "tea",
    "maps",
    "rivers",
    "clocks",
    "bread",
    "trains",
    "stars",
    "gardens",
    "ice",
)
KEY = "benchmark"
START_TIMEOUT_S = 120


@dataclass(frozen=True)
class Server:
    name: str
    url: str
    pid: int


@dataclass(frozen=True)
class ServingResult:
    tokens_per_s: float
    first_text_s: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running_server(
    name: str, command: list[str], port: int, environment: dict[str, str]
) -> AsyncIterator[Server]:
    """Runs a server process; yields once it is ready."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await wait_ready(url, process)
        yield Server(name, url, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def wait_ready(url: str, process: asyncio.subprocess.Process) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    async with httpx.AsyncClient(timeout=2) as client:
        while time.monotonic() < deadline and process.returncode is None:
            try:
                if (await client.get(f"{url}/health")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)
    raise SystemExit(f"{url} did not start")


async def ask(client: httpx.AsyncClient, server: Server, number: int, tokens: int) -> tuple[int, float]:
    """Streams one answer; returns its tokens and the seconds to its first text."""
    topic = TOPICS[number % len(TOPICS)]
    body = {
        "messages": [
            {"role": "system", "content": PERSONALITY},
            {"role": "user", "content": f"Question {number}: write a long story about {topic} and a public servant."},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": tokens,
        "temperature": 0.7,
        "seed": number,
    }
    started = time.perf_counter()
    first = 0.0
    async with client.stream("POST", f"{server.url}/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        reader = StreamReader(is_continuation=True)  # thinking counts as text
        async for chunk in response.aiter_bytes():
            for event in reader.feed(chunk):
                if isinstance(event, TextDelta) and not first:
                    first = time.perf_counter() - started
    *_, end = reader.end()
    assert isinstance(end, StreamFinished)
    return end.usage.completion_tokens, first


async def measure(server: Server, clients: int, tokens: int, numbers: range) -> ServingResult:
    limits = httpx.Limits(max_connections=clients)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(timeout=600, limits=limits, headers=headers) as client:
        started = time.perf_counter()
        answers = await asyncio.gather(*(ask(client, server, number, tokens) for number in numbers[:clients]))
        took_s = time.perf_counter() - started
    return ServingResult(sum(count for count, _ in answers) / took_s, statistics.median(first for _, first in answers))


async def compare(
    model: Path, clients: list[int], rounds: int, tokens: int
) -> dict[tuple[str, int], list[ServingResult]]:
    results: dict[tuple[str, int], list[ServingResult]] = {}
    async with AsyncExitStack() as stack:
        servers = []
        for name, command, environment in commands(model, max(clients)):
            port = free_port()
            filled = [part.replace("PORT", str(port)) for part in command]
            variables = {key: value.replace("PORT", str(port)) for key, value in environment.items()}
            servers.append(await stack.enter_async_context(running_server(name, filled, port, variables)))
        for server in servers:
            await measure(server, 1, 8, range(1))  # the first request of a process is slower and not measured
        number = 1
        for turn in range(rounds):
            for count in clients:
                order = servers[turn % len(servers) :] + servers[: turn % len(servers)]
                for server in order:
                    run = await measure(server, count, tokens, range(number, number + count))
                    results.setdefault((server.name, count), []).append(run)
                number += count
    return results


def commands(model: Path, slots: int) -> list[tuple[str, list[str], dict[str, str]]]:
    python = sys.executable
    here = Path(__file__).parent / "peers"
    ours = {
        "LLM_MODEL_FILE": str(model),
        "LLM_LISTEN": "127.0.0.1:PORT",
        "LLM_API_KEY": KEY,
        "CSPS_LLM_DATA": tempfile.mkdtemp(prefix="csps-llm-benchmark-"),
    }
    return [
        ("csps-llm", [python, "-m", "core.model"], ours),
        ("llama-server", [python, str(here / "llama_server.py"), str(model), "PORT", str(slots)], {}),
        ("Llama + lock", [python, str(here / "locked_llama.py"), str(model), "PORT"], {}),
    ]


def show(results: dict[tuple[str, int], list[ServingResult]], clients: list[int]) -> None:
    names = list(dict.fromkeys(name for name, _ in results))
    table = Table("clients", *(f"{name}, tokens/s" for name in names), *(f"{name}, first text s" for name in names))
    for count in clients:
        runs = [results[(name, count)] for name in names]
        speed = [statistics.median(r.tokens_per_s for r in result) for result in runs]
        first = [statistics.median(r.first_text_s for r in result) for result in runs]
        speeds = [f"{speed[0]:.0f}", *(f"{s:.0f} ({speed[0] / s:.1f}×)" for s in speed[1:])]
        firsts = [f"{first[0]:.2f}", *(f"{f:.2f} ({first[0] / f:.2f}×)" for f in first[1:])]
        table.add_row(str(count), *speeds, *firsts)
    Console(width=140).print(table)
    print("in brackets: our tokens/s divided by theirs (above 1 is better), our time by theirs (below 1 is better)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", default="1,4,8,16")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64)
    options = parser.parse_args()
    clients = [int(part) for part in options.clients.split(",")]
    model = find_model(settings.load()).path
    show(asyncio.run(compare(model, clients, options.rounds, options.tokens)), clients)


if __name__ == "__main__":
    main()
