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
    """`arrivals_s`: the time of each piece of text, from the request on."""

    text: str
    tokens: int
    prompt_tokens: int
    cached_tokens: int
    arrivals_s: Sequence[float]
    took_s: float

    @property
    def first_s(self) -> float:
        return self.arrivals_s[0] if self.arrivals_s else self.took_s

    @property
    def gaps_ms(self) -> list[float]:
        """The times between two pieces of text."""
        return [1000 * (later - earlier) for earlier, later in pairwise(self.arrivals_s)]


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
    started = time.perf_counter()
    arrivals: list[float] = []
    pieces: list[str] = []
    reader = StreamReader(is_continuation=True)  # thinking counts as text
    async with session.post(f"{server.url}/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        async for chunk in response.content.iter_any():
            at_s = time.perf_counter() - started
            for event in reader.feed(chunk):
                if isinstance(event, TextDelta):
                    arrivals.append(at_s)
                    pieces.append(event.text)
    *_, end = reader.end()
    assert isinstance(end, StreamFinished)
    usage, took_s = end.usage, time.perf_counter() - started
    return StreamedAnswer(
        "".join(pieces), usage.completion_tokens, usage.prompt_tokens, usage.cached_tokens, arrivals, took_s
    )
