"""The service beside `llama_decode` alone, which computes the same tokens in the same batches at the same depth."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.serving.measures import TOKENS_PER_S, Target
from benchmarks.serving.prompts import question
from benchmarks.serving.servers import OURS, Capacity, Server
from benchmarks.serving.streaming import StreamedAnswer, ask, http_session
from benchmarks.serving.workloads.chat import QUESTIONS_A_TURN
from benchmarks.serving.workloads.options import WorkloadOptions

CASES = ("1", "8", "16")
SHARE = "share_of_llama_decode"
PREFILL_TOKENS_PER_S, DECODE_TOKENS_PER_S = "alone_prefill_tokens_per_s", "alone_decode_tokens_per_s"


class RooflineWorkload:
    name = "roofline"
    case_name = "clients"
    metrics: Sequence[str] = (TOKENS_PER_S, SHARE, PREFILL_TOKENS_PER_S, DECODE_TOKENS_PER_S)
    most_rounds: int | None = None

    def __init__(self, options: WorkloadOptions) -> None:
        self._tokens = options.tokens
        self.model = options.model
        self.cases: Sequence[str] = [case for case in CASES if int(case) in options.clients]
        self.capacity = Capacity()
        self.targets: Sequence[Target] = [Target(SHARE, case, at_least=0.9) for case in CASES]

    def servers(self) -> Sequence[str]:
        return (OURS,)

    async def warm_up(self, server: Server) -> None:
        async with http_session() as session:
            await ask(session, server, question(0), 8)

    async def measure(self, server: Server, case: str, turn: int) -> Mapping[str, float]:
        """Returns the time of `llama_decode` alone divided by the service's, and the rates that it reached."""
        clients = int(case)
        first = QUESTIONS_A_TURN * (1 + turn) + 50 * clients
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with http_session() as session:
            chats = [question(first + number) for number in range(clients)]
            answers = await asyncio.gather(*(ask(session, server, chat, self._tokens) for chat in chats))
        took_s = loop.time() - started
        work = work_of(answers)
        alone = await decode_alone(self.model, work)
        return {
            TOKENS_PER_S: sum(answer.tokens for answer in answers) / took_s,
            SHARE: (alone["prefill_s"] + alone["decode_s"]) / took_s,
            PREFILL_TOKENS_PER_S: clients * work["own"] / alone["prefill_s"],
            DECODE_TOKENS_PER_S: clients * (work["tokens"] - 1) / alone["decode_s"],
        }


def work_of(answers: Sequence[StreamedAnswer]) -> dict[str, int]:
    """Returns the sizes of what the service computed: the first token of an answer comes from the prompt's batch."""
    return {
        "sequences": len(answers),
        "prefix": round(statistics.mean(answer.cached_tokens for answer in answers)),
        "own": round(statistics.mean(answer.prompt_tokens - answer.cached_tokens for answer in answers)),
        "tokens": max(round(statistics.mean(answer.tokens for answer in answers)), 2),
    }


async def decode_alone(model: Path, work: Mapping[str, int]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.peers.llama_decode", str(model), json.dumps(work)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit("benchmarks.peers.llama_decode failed")
    found: dict[str, float] = json.loads(output.splitlines()[-1])  # log lines come before
    return found
