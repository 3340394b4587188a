"""Long prompts that share nothing arrive at random times (a Poisson process) beside eight running replies."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, count, pairwise

import aiohttp

from benchmarks.serving.measures import FIRST_WORDS_S, GAP_P50_MS, GAP_P99_MS, TOKENS_PER_S, Target, percentile
from benchmarks.serving.prompts import TextMaker, question
from benchmarks.serving.servers import BEFORE, OURS, SAME_SOURCE, THEIRS, Capacity, Server
from benchmarks.serving.streaming import StreamedAnswer, ask, http_session
from benchmarks.serving.workloads.options import WorkloadOptions

REPLIES = 8
ARRIVALS = 6
REPLY_TOKENS = 128
ARRIVAL_TOKENS = 16
COMPUTED_TOKENS_PER_S = "computed_tokens_per_s"  # of answers, and of the prompts that arrived
GAP_P99_SHARE = "gap_p99_by_p50"  # between the tokens of the running replies


class ArrivalsWorkload:
    name = "arrivals"
    case_name = "running replies"
    metrics: Sequence[str] = (
        *(COMPUTED_TOKENS_PER_S, TOKENS_PER_S, GAP_P50_MS, GAP_P99_MS, GAP_P99_SHARE),
        FIRST_WORDS_S,
    )
    most_rounds: int | None = None

    def __init__(self, options: WorkloadOptions) -> None:
        self._options = options
        self.model = options.model
        self.cases: Sequence[str] = [str(REPLIES)]
        slots = REPLIES + ARRIVALS
        self.capacity = Capacity(slots=slots, cache_tokens=slots * (options.prompt_tokens + 256))
        self.targets: Sequence[Target] = [
            Target(GAP_P99_SHARE, str(REPLIES), at_most=2),
            Target(COMPUTED_TOKENS_PER_S, str(REPLIES), THEIRS, at_least=1.2),
        ]
        self._texts = TextMaker(options.model)

    def servers(self) -> Sequence[str]:
        return OURS, BEFORE, THEIRS, SAME_SOURCE

    async def warm_up(self, server: Server) -> None:
        async with http_session() as session:
            await ask(session, server, question(0), 8)

    async def measure(self, server: Server, case: str, turn: int) -> Mapping[str, float]:
        """Returns the figures from the first arrival to the end of the last one's answer."""
        times_s = arrival_times(turn, ARRIVALS, self._options.interval_s)
        done = asyncio.Event()
        numbers = count(1000 * (turn + 1))
        async with http_session() as session:
            replies = [asyncio.create_task(reply_until(done, session, server, numbers)) for _ in range(int(case))]
            arrivals = await asyncio.gather(
                *(self._arrive(session, server, at_s, 100 * (turn + 1) + n) for n, at_s in enumerate(times_s))
            )
            done.set()
            running = [answer for answers in await asyncio.gather(*replies) for answer in answers]
        return window_figures(running, arrivals)

    async def _arrive(self, session: aiohttp.ClientSession, server: Server, at_s: float, seed: int) -> StreamedAnswer:
        text = self._texts.text(self._options.prompt_tokens, seed)
        await asyncio.sleep(at_s)
        return await ask(session, server, [{"role": "user", "content": text}], ARRIVAL_TOKENS)


def arrival_times(seed: int, number: int, interval_s: float) -> list[float]:
    """Returns the times of a Poisson process; each server gets the same ones."""
    chance = random.Random(seed)
    return list(accumulate(chance.expovariate(1 / interval_s) for _ in range(number)))


async def reply_until(
    done: asyncio.Event, session: aiohttp.ClientSession, server: Server, numbers: Iterable[int]
) -> list[StreamedAnswer]:
    """Asks one question after the other."""
    answers = []
    for number in numbers:
        answers.append(await ask(session, server, question(number), REPLY_TOKENS))
        if done.is_set():
            break
    return answers


def window_figures(running: Sequence[StreamedAnswer], arrivals: Sequence[StreamedAnswer]) -> dict[str, float]:
    """Counts what was computed between the first arrival and the end of the last one's answer."""
    start_s = min(answer.started_s for answer in arrivals)
    end_s = max(answer.started_s + answer.took_s for answer in arrivals)
    gaps: list[float] = []
    written = float(sum(answer.tokens for answer in arrivals))
    for answer in running:
        within = [at_s for at_s in answer.times_s if start_s <= at_s <= end_s]
        gaps += [1000 * (later - earlier) for earlier, later in pairwise(within)]
        written += answer.tokens * len(within) / max(len(answer.times_s), 1)
    read = sum(answer.prompt_tokens - answer.cached_tokens for answer in arrivals)
    p50, p99 = percentile(gaps, 50), percentile(gaps, 99)
    return {
        COMPUTED_TOKENS_PER_S: (read + written) / (end_s - start_s),
        TOKENS_PER_S: written / (end_s - start_s),
        GAP_P50_MS: p50,
        GAP_P99_MS: p99,
        GAP_P99_SHARE: p99 / p50 if p50 else 0.0,
        FIRST_WORDS_S: statistics.median(answer.first_s for answer in arrivals),
    }
