"""The memory of the model process with 32 sequences and a KV cache of 16k tokens, over 2,000 short requests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

import aiohttp

from benchmarks.serving.measures import TOKENS_PER_S, Target
from benchmarks.serving.processes import resident_mb
from benchmarks.serving.prompts import TextMaker, question
from benchmarks.serving.servers import OURS, Capacity, Server
from benchmarks.serving.streaming import ask, http_session
from benchmarks.serving.workloads.options import WorkloadOptions

SEQUENCES = 32
CACHE_TOKENS = 16384
SUSPEND_MB = 32  # full before memory should not grow: by default, suspended conversations fill 512 MiB in hours
TOKENS = 8
SETTLED = 0.1  # the share of the requests after which memory should not grow
START_MB, END_MB, GROWTH = "start_mb", "end_mb", "growth"


class MemoryWorkload:
    name = "memory"
    case_name = "requests"
    metrics: Sequence[str] = (TOKENS_PER_S, START_MB, END_MB, GROWTH)
    most_rounds: int | None = 1

    def __init__(self, options: WorkloadOptions) -> None:
        self.model = options.model
        self.cases: Sequence[str] = [str(options.requests)]
        self.capacity = Capacity(SEQUENCES, CACHE_TOKENS, SUSPEND_MB)
        self.targets: Sequence[Target] = [Target(GROWTH, str(options.requests), at_most=1.05)]
        self._prompt_tokens = min(options.prompt_tokens, CACHE_TOKENS // SEQUENCES - 64)
        self._texts = TextMaker(options.model)

    def servers(self) -> Sequence[str]:
        return (OURS,)

    async def warm_up(self, server: Server) -> None:
        """Fills the cache by all sequences at once."""
        texts = [self._texts.text(self._prompt_tokens, 1 + number) for number in range(SEQUENCES)]
        async with http_session() as session:
            await asyncio.gather(*(ask(session, server, [{"role": "user", "content": text}], TOKENS) for text in texts))

    async def measure(self, server: Server, case: str, turn: int) -> Mapping[str, float]:
        """Returns the resident memory after a tenth of the requests, and after all of them."""
        total = int(case)
        settled = max(int(total * SETTLED), 1)
        numbers = count(1)
        async with http_session() as session:
            await ask_many(session, server, numbers, settled)
            start_mb = resident_mb(server.pid)
            started = asyncio.get_running_loop().time()
            written = await ask_many(session, server, numbers, total - settled)
            took_s = asyncio.get_running_loop().time() - started
        end_mb = resident_mb(server.pid)
        return {TOKENS_PER_S: written / took_s, START_MB: start_mb, END_MB: end_mb, GROWTH: end_mb / start_mb}


async def ask_many(session: aiohttp.ClientSession, server: Server, numbers: Iterator[int], total: int) -> int:
    """Asks `total` questions, 32 at a time; returns the tokens written."""
    gate = asyncio.Semaphore(SEQUENCES)

    async def one() -> int:
        async with gate:
            return (await ask(session, server, question(next(numbers)), TOKENS)).tokens

    return sum(await asyncio.gather(*(one() for _ in range(total))))
