"""Everybody asks one personality at the same time: 250 tokens are shared, the question is one's own."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping, Sequence

from benchmarks.serving.measures import (
    CPU_S,
    FIRST_WORDS_S,
    GAP_P50_MS,
    GAP_P99_MS,
    TOKENS_PER_S,
    Target,
    percentile,
)
from benchmarks.serving.prompts import question
from benchmarks.serving.servers import BEFORE, LOCKED, OURS, SAME_SOURCE, THEIRS, Capacity, Server
from benchmarks.serving.streaming import StreamedAnswer, ask, http_session
from benchmarks.serving.workloads.options import WorkloadOptions

SPEED_TARGETS = {"1": 1.05, "4": 1.2, "8": 1.4, "16": 1.6, "32": 2.0}
FIRST_WORDS_CASES = ("8", "16", "32")
QUESTIONS_A_TURN = 10_000


class ChatWorkload:
    name = "chat"
    case_name = "clients"
    metrics: Sequence[str] = (TOKENS_PER_S, FIRST_WORDS_S, GAP_P50_MS, GAP_P99_MS, CPU_S)
    most_rounds: int | None = None

    def __init__(self, options: WorkloadOptions) -> None:
        self.model = options.model
        self._tokens = options.tokens
        self.cases: Sequence[str] = [str(clients) for clients in options.clients]
        slots = max(16, *options.clients)
        self.capacity = Capacity(slots=slots, cache_tokens=max(16384, slots * 512))
        self.targets: Sequence[Target] = [
            *(Target(TOKENS_PER_S, case, THEIRS, at_least=bound) for case, bound in SPEED_TARGETS.items()),
            *(Target(FIRST_WORDS_S, case, THEIRS, at_most=0.5) for case in FIRST_WORDS_CASES),
            *(Target(GAP_P99_MS, case, THEIRS, at_most=1.0) for case in SPEED_TARGETS),
        ]

    def servers(self) -> Sequence[str]:
        return OURS, BEFORE, THEIRS, SAME_SOURCE, LOCKED

    async def warm_up(self, server: Server) -> None:
        """Has the personality computed; the first request of a process is slower."""
        async with http_session() as session:
            await ask(session, server, question(0), 8)

    async def measure(self, server: Server, case: str, turn: int) -> Mapping[str, float]:
        clients = int(case)
        first = QUESTIONS_A_TURN * (1 + turn) + 50 * clients  # never asked before
        return await ask_together(server, [question(first + number) for number in range(clients)], self._tokens)


async def ask_together(server: Server, chats: Sequence[list[dict[str, str]]], tokens: int) -> dict[str, float]:
    """Asks all at once."""
    started = asyncio.get_running_loop().time()
    async with http_session() as session:
        answers = await asyncio.gather(*(ask(session, server, chat, tokens) for chat in chats))
    return figures(answers, asyncio.get_running_loop().time() - started)


def figures(answers: Sequence[StreamedAnswer], took_s: float) -> dict[str, float]:
    gaps = [gap for answer in answers for gap in answer.gaps_ms]
    return {
        TOKENS_PER_S: sum(answer.tokens for answer in answers) / took_s,
        FIRST_WORDS_S: statistics.median(answer.first_s for answer in answers),
        GAP_P50_MS: percentile(gaps, 50),
        GAP_P99_MS: percentile(gaps, 99),
    }
