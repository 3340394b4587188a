"""Twenty conversations of 1,500 tokens return in random order, and the KV cache has room for six."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence

from benchmarks.serving.measures import FIRST_WORDS_S, TOKENS_PER_S, Target
from benchmarks.serving.prompts import TextMaker
from benchmarks.serving.servers import BEFORE, OURS, SAME_SOURCE, THEIRS, Capacity, Server
from benchmarks.serving.streaming import Chat, StreamedAnswer, ask, http_session
from benchmarks.serving.workloads.options import WorkloadOptions

CONVERSATIONS = 20
ROOM = 6
TOKENS = 16
MARGIN_TOKENS = 400  # of later turns
REFILL_S = "refill_s"  # to the first words of the whole conversation, when it was new
SHARE = "first_words_by_refill"
FOLLOW_UP = "And what happened then?"


class ReturningWorkload:
    name = "returning"
    case_name = "conversations"
    metrics: Sequence[str] = (TOKENS_PER_S, FIRST_WORDS_S, REFILL_S, SHARE)
    most_rounds: int | None = None

    def __init__(self, options: WorkloadOptions) -> None:
        self._options = options
        self.model = options.model
        self._count = options.conversations or CONVERSATIONS
        self.cases: Sequence[str] = [str(self._count)]
        self.capacity = Capacity(slots=ROOM, cache_tokens=ROOM * (options.prompt_tokens + MARGIN_TOKENS))
        self.targets: Sequence[Target] = [
            Target(SHARE, str(CONVERSATIONS), at_most=0.15),
            Target(FIRST_WORDS_S, str(CONVERSATIONS), THEIRS, at_most=0.6),
        ]
        self._texts = TextMaker(options.model)
        self._chats: dict[str, list[Chat]] = {}  # by the server's URL
        self._refill_s: dict[str, float] = {}

    def servers(self) -> Sequence[str]:
        return OURS, BEFORE, THEIRS, SAME_SOURCE

    async def warm_up(self, server: Server) -> None:
        """Opens all conversations, one after the other, and notes how long their first words took."""
        chats = [[{"role": "user", "content": self._text(number)}] for number in range(self._count)]
        waits = [(await self._ask(server, chat, number)).first_s for number, chat in enumerate(chats)]
        self._chats[server.url] = chats
        self._refill_s[server.url] = statistics.median(waits)

    async def measure(self, server: Server, case: str, turn: int) -> Mapping[str, float]:
        chats = self._chats[server.url]
        order = random.Random(turn).sample(range(len(chats)), len(chats))
        answers = []
        for number in order:
            chats[number].append({"role": "user", "content": FOLLOW_UP})
            answers.append(await self._ask(server, chats[number], number))
        first_s = statistics.median(answer.first_s for answer in answers)
        refill_s = self._refill_s[server.url]
        rate = sum(answer.tokens for answer in answers) / sum(answer.took_s for answer in answers)
        return {TOKENS_PER_S: rate, FIRST_WORDS_S: first_s, REFILL_S: refill_s, SHARE: first_s / refill_s}

    def _text(self, number: int) -> str:
        return self._texts.text(self._options.prompt_tokens, 1 + number)

    async def _ask(self, server: Server, chat: Chat, number: int) -> StreamedAnswer:
        """Asks, and adds the answer to the chat."""
        async with http_session() as session:
            answer = await ask(session, server, chat, TOKENS, prompt_cache_key=f"conversation {number}")
        chat.append({"role": "assistant", "content": answer.text})
        return answer
