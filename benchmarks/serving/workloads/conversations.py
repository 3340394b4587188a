"""Conversations of 1,500 tokens that share nothing, all at once: their opening, and the turns that follow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import aiohttp

from benchmarks.serving.measures import CPU_S, FIRST_WORDS_S, GAP_P50_MS, GAP_P99_MS, TOKENS_PER_S, Target
from benchmarks.serving.prompts import TextMaker
from benchmarks.serving.servers import BEFORE, OURS, SAME_SOURCE, THEIRS, Capacity, Server
from benchmarks.serving.streaming import Chat, StreamedAnswer, ask, http_session
from benchmarks.serving.workloads.chat import figures
from benchmarks.serving.workloads.options import WorkloadOptions

CONVERSATIONS = 16
TURNS = 2  # after the opening
MARGIN_TOKENS = 60  # of a turn's question and the template
LATER_TOKENS_PER_S = "later_tokens_per_s"  # of the turns after the opening
FOLLOW_UPS = ("What happened next? Tell it as a long story.", "Who else was there? Tell it as a long story.")


class ConversationsWorkload:
    name = "conversations"
    case_name = "conversations"
    metrics: Sequence[str] = (TOKENS_PER_S, LATER_TOKENS_PER_S, FIRST_WORDS_S, GAP_P50_MS, GAP_P99_MS, CPU_S)
    most_rounds: int | None = None

    def __init__(self, options: WorkloadOptions) -> None:
        self.model = options.model
        self._options = options
        self._count = options.conversations or CONVERSATIONS
        self.cases: Sequence[str] = [str(self._count)]
        each = options.prompt_tokens + (1 + TURNS) * (options.tokens + MARGIN_TOKENS)
        self.capacity = Capacity(slots=self._count, cache_tokens=self._count * each)
        self.targets: Sequence[Target] = [
            Target(metric, str(CONVERSATIONS), against, at_least=bound)
            for metric in (TOKENS_PER_S, LATER_TOKENS_PER_S)
            for against, bound in ((BEFORE, 2.0), (THEIRS, 1.5))
        ]
        self._texts = TextMaker(options.model)

    def servers(self) -> Sequence[str]:
        return OURS, BEFORE, THEIRS, SAME_SOURCE

    async def warm_up(self, server: Server) -> None:
        async with http_session() as session:
            await ask(session, server, [{"role": "user", "content": "Hello"}], 8)

    async def measure(self, server: Server, case: str, turn: int) -> Mapping[str, float]:
        """Returns the rate of all turns, that of the later ones, and the waits of the later ones."""
        chats = [self._open(1000 * (turn + 1) + number) for number in range(int(case))]
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with http_session() as session:
            opening = await self._turn(session, server, chats)
            opened = loop.time()
            later: list[StreamedAnswer] = []
            for follow_up in FOLLOW_UPS[:TURNS]:
                for chat in chats:
                    chat.append({"role": "user", "content": follow_up})
                later += await self._turn(session, server, chats)
        ended = loop.time()
        waits = figures(later, ended - opened)
        tokens = sum(answer.tokens for answer in (*opening, *later))
        return {**waits, LATER_TOKENS_PER_S: waits[TOKENS_PER_S], TOKENS_PER_S: tokens / (ended - started)}

    def _open(self, seed: int) -> Chat:
        return [{"role": "user", "content": self._texts.text(self._options.prompt_tokens, seed)}]

    async def _turn(
        self, session: aiohttp.ClientSession, server: Server, chats: Sequence[Chat]
    ) -> list[StreamedAnswer]:
        """Asks all at once, and adds the answers to the chats."""
        answers = await asyncio.gather(*(ask(session, server, chat, self._options.tokens) for chat in chats))
        for chat, answer in zip(chats, answers, strict=True):
            chat.append({"role": "assistant", "content": answer.text})
        return list(answers)
