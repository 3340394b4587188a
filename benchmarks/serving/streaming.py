"""A client that streams one answer and notes when its text arrived."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import aiohttp

from benchmarks.serving.servers import KEY, Server
from core.openai.chat_protocol import StreamFinished, TextDelta
from core.openai.stream_reader import StreamReader

TIMEOUT_S = 1800
Chat = list[dict[str, str]]


@dataclass(frozen=True)
class StreamedAnswer:
    """`times_s`: when each piece of text arrived, on the clock of `started_s`, the time of the request."""

    text: str
    tokens: int
    prompt_tokens: int
    cached_tokens: int
    started_s: float
    times_s: Sequence[float]
    took_s: float

    @property
    def first_s(self) -> float:
        return self.times_s[0] - self.started_s if self.times_s else self.took_s

    @property
    def gaps_ms(self) -> list[float]:
        """The times between two pieces of text."""
        return [1000 * (later - earlier) for earlier, later in pairwise(self.times_s)]


@asynccontextmanager
async def http_session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session with a connection for each request: servers close idle ones, some within seconds."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    ) as session:
        yield session


async def ask(
    session: aiohttp.ClientSession, server: Server, messages: Chat, tokens: int, **fields: Any
) -> StreamedAnswer:
    """Streams one answer of at most `tokens`. Raises aiohttp.ClientResponseError, CspsError."""
    body = {
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": tokens,
        "temperature": 0.7,
        "seed": random.getrandbits(31),
        **fields,
    }
    started_s = time.perf_counter()
    times_s: list[float] = []
    pieces: list[str] = []
    reader = StreamReader(is_continuation=True)  # thinking counts as text
    async with session.post(f"{server.url}/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        async for chunk in response.content.iter_any():
            at_s = time.perf_counter()
            for event in reader.feed(chunk):
                if isinstance(event, TextDelta):
                    times_s.append(at_s)
                    pieces.append(event.text)
    *_, end = reader.end()
    assert isinstance(end, StreamFinished)
    return StreamedAnswer(
        text="".join(pieces),
        tokens=end.usage.completion_tokens,
        prompt_tokens=end.usage.prompt_tokens,
        cached_tokens=end.usage.cached_tokens,
        started_s=started_s,
        times_s=times_s,
        took_s=time.perf_counter() - started_s,
    )
