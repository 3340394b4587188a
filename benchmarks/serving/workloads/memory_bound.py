"""A model of 1B with random weights, in which the memory's bandwidth decides: tokens per second by clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.serving.measures import CPU_S, FIRST_WORDS_S, GAP_P50_MS, GAP_P99_MS, TOKENS_PER_S, Target
from benchmarks.serving.prompts import TOPICS
from benchmarks.serving.random_model import random_model
from benchmarks.serving.servers import BEFORE, OURS, SAME_SOURCE, THEIRS, Capacity, Server
from benchmarks.serving.streaming import ask, http_session
from benchmarks.serving.workloads.chat import QUESTIONS_A_TURN, ask_together
from benchmarks.serving.workloads.options import WorkloadOptions

CASES = ("1", "4", "8", "16")
TOKENS = 32
GAIN = "gain_over_one"  # tokens per second, divided by those of one client in the same round


class MemoryBoundWorkload:
    name = "memory-bound"
    case_name = "clients"
    metrics: Sequence[str] = (TOKENS_PER_S, GAIN, FIRST_WORDS_S, GAP_P50_MS, GAP_P99_MS, CPU_S)
    most_rounds: int | None = None

    def __init__(self, options: WorkloadOptions) -> None:
        self.model = random_model(options.model, options.random_format)
        self.cases: Sequence[str] = [case for case in CASES if int(case) in options.clients]
        self.capacity = Capacity(slots=16, cache_tokens=4096)
        self.targets: Sequence[Target] = [
            Target(GAIN, "16", at_least=5),
            *(Target(TOKENS_PER_S, case, THEIRS, at_least=1.0) for case in CASES),
        ]
        self._alone: dict[tuple[str, int], float] = {}  # tokens/s of one client, by server and turn

    def servers(self) -> Sequence[str]:
        return OURS, BEFORE, THEIRS, SAME_SOURCE

    async def warm_up(self, server: Server) -> None:
        async with http_session() as session:
            await ask(session, server, short_question(0), 4)

    async def measure(self, server: Server, case: str, turn: int) -> Mapping[str, float]:
        clients = int(case)
        first = QUESTIONS_A_TURN * (1 + turn) + 50 * clients
        values = await ask_together(server, [short_question(first + number) for number in range(clients)], TOKENS)
        if clients == 1:
            self._alone[server.url, turn] = values[TOKENS_PER_S]
        alone = self._alone.get((server.url, turn))
        return values | ({GAIN: values[TOKENS_PER_S] / alone} if alone else {})


def short_question(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"{number}. Tell me about {TOPICS[number % len(TOPICS)]}."}]
