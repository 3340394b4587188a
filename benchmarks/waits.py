"""Measures told waits against real ones, and the pace of replies beside long prompts, on the real service.

Three parts, each with its target: 20 requests that wait for a slot, and clients of the page's socket who come all at
once: the first told wait of each is compared with the time to its first words (median error ≤30 %). Prompts of 1,500
tokens that arrive by Poisson beside 8 replies: the 99th percentile between tokens is ≤2 medians.

    .venv/bin/python -m benchmarks.waits [--only queue|sockets|pace] [--clients 200] [--prompts 10]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import aiohttp

from benchmarks.first_words import PERSONALITY, free_port, running, until_healthy
from benchmarks.measured_model import find_model
from core.configuration import settings
from web.socket_frames import SUBPROTOCOL

SLOTS, QUEUED, REPLIES = 4, 20, 8
ERROR_TARGET, PACE_TARGET = 0.3, 2.0
PROMPT_TOKENS, BETWEEN_PROMPTS_S = 1500, 10.0
WORDS = ("snow", "library", "bridge", "tea", "map", "river", "clock", "bread", "train", "star", "garden", "ice")
PATH = "/v1/chat/completions"


@dataclass
class Wait:
    """`told_s`: the first expected wait, at `told_at_s`. `texts_s`: the moments of the texts."""

    told_s: float | None = None
    told_at_s: float = 0.0
    texts_s: list[float] = field(default_factory=list)

    def tell(self, wait_s: float | None) -> None:
        if self.told_s is None and wait_s is not None:
            self.told_s, self.told_at_s = wait_s, time.monotonic()

    @property
    def error(self) -> float | None:
        """The error of the first expected wait, relative to the real one; None if the service sent no expected wait."""
        if self.told_s is None or not self.texts_s:
            return None
        real_s = self.texts_s[0] - self.told_at_s
        return abs(self.told_s - real_s) / real_s


async def ask(http: aiohttp.ClientSession, words: int, tokens: int, seed: int) -> Wait:
    """Asks the model process for an answer of at most `tokens` tokens to a prompt of about `words` tokens."""
    chance, wait = random.Random(seed), Wait()
    content = f"Story {seed}: " + " ".join(chance.choice(WORDS) for _ in range(words))
    messages = [{"role": "user", "content": content}]
    body = {"messages": messages, "stream": True, "max_tokens": tokens, "user": str(seed), "seed": seed}
    async with http.post(PATH, json=body) as response:
        response.raise_for_status()
        async for line in response.content:
            if line.startswith(b": queued") and b"wait_s=" in line:
                wait.tell(float(line.rpartition(b"=")[2]))
            elif line.startswith(b"data: {"):
                choices = json.loads(line[len(b"data: ") :])["choices"]
                if choices and choices[0]["delta"].get("content"):
                    wait.texts_s.append(time.monotonic())
    return wait


async def ask_page(http: aiohttp.ClientSession, number: int) -> Wait:
    wait = Wait()
    async with http.ws_connect(f"/gpt-socket/{PERSONALITY}", protocols=[SUBPROTOCOL]) as page:
        await page.send_json({"type": "prompt", "text": f"Say one sentence about the number {number}."})
        while (frame := await page.receive_json())["type"] != "done":
            if frame["type"] == "error":
                raise RuntimeError(frame["message"])
            if frame["type"] == "status" and frame["state"] == "queued":
                wait.tell(frame.get("wait_s"))
            elif frame["type"] == "text":
                wait.texts_s.append(time.monotonic())
    return wait


@asynccontextmanager
async def service(slots: int) -> AsyncIterator[tuple[aiohttp.ClientSession, aiohttp.ClientSession]]:
    """Runs the model process and the web process; yields a client of each."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        model = str(find_model(settings.load()).path)
        environ = {"CSPS_LLM_DATA": folder, "LLM_MODEL_FILE": model, "LLM_SLOTS": str(slots), "LLM_AUTO": "off"}
        environ |= {"PORT": str(port), "LOG_LEVEL": "error"}
        host_socket = settings.load(environ).model_socket
        host_socket.parent.mkdir(parents=True, exist_ok=True)
        limit = aiohttp.ClientTimeout(total=None)
        async with (
            running("core.model", environ=environ),
            aiohttp.ClientSession(
                "http://model", connector=aiohttp.UnixConnector(str(host_socket), limit=0), timeout=limit
            ) as host,
        ):
            await until_healthy(host, "/health")
            connector = aiohttp.TCPConnector(limit=0)
            async with (
                running("web", environ=environ),
                aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector, timeout=limit) as page,
            ):
                await until_healthy(page, "/readyz")
                yield host, page


async def measure_queue() -> bool:
    chance = random.Random(1)
    async with service(SLOTS) as (host, _page):
        await asyncio.gather(*(ask(host, 60, chance.randint(16, 96), n) for n in range(2 * SLOTS)))
        sizes = [(chance.randint(50, 400), chance.randint(16, 96)) for _ in range(SLOTS + QUEUED)]
        waits = await asyncio.gather(*(ask(host, *size, 100 + n) for n, size in enumerate(sizes)))
    return report(f"{QUEUED} waiting for {SLOTS} slots", waits)


async def measure_sockets(clients: int) -> bool:
    async with service(16) as (_host, page):
        await asyncio.gather(*(ask_page(page, number) for number in range(4)))
        waits = await asyncio.gather(*(ask_page(page, 100 + number) for number in range(clients)))
    return report(f"{clients} clients of the page's socket", waits)


def report(title: str, waits: list[Wait]) -> bool:
    errors = sorted(wait.error for wait in waits if wait.error is not None)
    if not errors:
        print(f"{title}: no wait was told")
        return False
    median = statistics.median(errors)
    p90 = errors[int(0.9 * len(errors))]
    print(f"{title}: {len(errors)} told waits, error {median:.0%} at the median, {p90:.0%} at p90")
    return median <= ERROR_TARGET


async def measure_pace(prompts: int) -> bool:
    chance = random.Random(1)
    async with service(16) as (host, _page):
        ended = asyncio.Event()

        async def reply(number: int) -> list[Wait]:
            """Replies one after another, until the last long prompt has its answer."""
            waits: list[Wait] = []
            while not ended.is_set():
                waits.append(await ask(host, 60, 200, 1000 * number + len(waits)))
            return waits

        replies = [asyncio.create_task(reply(n)) for n in range(REPLIES)]
        await asyncio.sleep(BETWEEN_PROMPTS_S)
        began_s = time.monotonic()
        late = []
        for number in range(prompts):
            await asyncio.sleep(chance.expovariate(1 / BETWEEN_PROMPTS_S))
            late.append(asyncio.create_task(ask(host, PROMPT_TOKENS, 32, 100 + number)))
        firsts = await asyncio.gather(*late)
        ended_s = time.monotonic()
        ended.set()
        texts = [wait.texts_s for waits in await asyncio.gather(*replies) for wait in waits]
    gaps = sorted(b - a for each in texts for a, b in pairwise(each) if began_s < a < ended_s)
    ratio = gaps[int(0.99 * len(gaps))] / statistics.median(gaps)
    print(f"{REPLIES} replies beside {len(firsts)} long prompts: p99 between tokens {ratio:.2f} medians")
    return ratio <= PACE_TARGET


async def measure(options: argparse.Namespace) -> bool:
    parts = {
        "queue": measure_queue,
        "sockets": lambda: measure_sockets(options.clients),
        "pace": lambda: measure_pace(options.prompts),
    }
    return all([await part() for name, part in parts.items() if options.only in (None, name)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("queue", "sockets", "pace"))
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--prompts", type=int, default=10)
    print("target reached" if asyncio.run(measure(parser.parse_args())) else "target not reached")


if __name__ == "__main__":
    main()
