"""The model process beside a llama-server and a `Llama` behind a lock: tokens/s and time to first words.

All three serve the same file over the same HTTP API to the same client. They take turns within each round, so that a
noisy machine disturbs all alike; the table shows the medians over the rounds, and our ratio to each peer.

    .venv/bin/python -m benchmarks.serving [--clients 1,4,8,16] [--rounds 5] [--tokens 64]
"""

from __future__ import annotations

import argparse
import asyncio
import json
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

from core.configuration import settings
from core.model.host import find_model

PERSONALITY = (
    "You are Whisper, an assistant for public servants. You answer in plain language, briefly, and you say so when you "
    "are not sure. You never ask for protected information. "
) * 7  # about 250 tokens, as a personality with facts has
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
START_LIMIT_S = 120


@dataclass(frozen=True)
class Peer:
    name: str
    url: str


@dataclass(frozen=True)
class Run:
    tokens_per_s: float
    first_words_s: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def peer(name: str, command: list[str], port: int, environment: dict[str, str]) -> AsyncIterator[Peer]:
    """A server process, from ready to ended."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await ready(url, process)
        yield Peer(name, url)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ready(url: str, process: asyncio.subprocess.Process) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    async with httpx.AsyncClient(timeout=2) as client:
        while time.monotonic() < deadline and process.returncode is None:
            try:
                if (await client.get(f"{url}/health")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)
    raise SystemExit(f"{url} did not come up")


async def ask(client: httpx.AsyncClient, at: Peer, number: int, tokens: int) -> tuple[int, float]:
    """One streamed answer: its tokens, and the seconds to its first words."""
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
    written = 0
    async with client.stream("POST", f"{at.url}/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not line.startswith("data: {"):
                continue
            event = json.loads(line[6:])
            if not first and any(c["delta"].get("content") for c in event["choices"]):
                first = time.perf_counter() - started
            written = (event.get("usage") or {}).get("completion_tokens", written)
    return written, first


async def measure(at: Peer, clients: int, tokens: int, numbers: range) -> Run:
    limits = httpx.Limits(max_connections=clients)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(timeout=600, limits=limits, headers=headers) as client:
        started = time.perf_counter()
        answers = await asyncio.gather(*(ask(client, at, number, tokens) for number in numbers[:clients]))
        took_s = time.perf_counter() - started
    return Run(sum(count for count, _ in answers) / took_s, statistics.median(first for _, first in answers))


async def compare(model: Path, clients: list[int], rounds: int, tokens: int) -> dict[tuple[str, int], list[Run]]:
    results: dict[tuple[str, int], list[Run]] = {}
    async with AsyncExitStack() as stack:
        peers = []
        for name, command, environment in commands(model, max(clients)):
            port = free_port()
            filled = [part.replace("PORT", str(port)) for part in command]
            variables = {key: value.replace("PORT", str(port)) for key, value in environment.items()}
            peers.append(await stack.enter_async_context(peer(name, filled, port, variables)))
        for at in peers:
            await measure(at, 1, 8, range(1))  # the first request of a process is nobody's measure
        number = 1
        for turn in range(rounds):
            for count in clients:
                order = peers[turn % len(peers) :] + peers[: turn % len(peers)]
                for at in order:
                    run = await measure(at, count, tokens, range(number, number + count))
                    results.setdefault((at.name, count), []).append(run)
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


def show(results: dict[tuple[str, int], list[Run]], clients: list[int]) -> None:
    names = list(dict.fromkeys(name for name, _ in results))
    table = Table("clients", *(f"{name}, tokens/s" for name in names), *(f"{name}, first words s" for name in names))
    for count in clients:
        runs = [results[(name, count)] for name in names]
        speed = [statistics.median(r.tokens_per_s for r in of) for of in runs]
        first = [statistics.median(r.first_words_s for r in of) for of in runs]
        speeds = [f"{speed[0]:.0f}", *(f"{s:.0f} ({speed[0] / s:.1f}×)" for s in speed[1:])]
        firsts = [f"{first[0]:.2f}", *(f"{f:.2f} ({first[0] / f:.2f}×)" for f in first[1:])]
        table.add_row(str(count), *speeds, *firsts)
    Console(width=140).print(table)
    print("in brackets: ours divided by the peer's; tokens/s wants to be above 1, first words below")


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
