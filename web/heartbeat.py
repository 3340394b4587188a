"""Breaks the silence of a stream, because proxies cut connections on which nothing is sent for a minute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from core.openai import sse

Part = TypeVar("Part")
HEARTBEAT = sse.encode_comment("working")


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of the parts, with the exception that ended them."""

    error: Exception | None = None


async def with_heartbeats(parts: AsyncGenerator[Part, None], every_s: float) -> AsyncGenerator[Part | None, None]:
    """Yields the parts, and None after every `every_s` seconds without one. Closing it closes `parts`.

    All of `parts` runs in one task: timeouts in a generator do not survive a change of tasks.
    """
    queue: asyncio.Queue[Part | Ended] = asyncio.Queue(1)  # a slow client makes the answer wait
    task = asyncio.create_task(pass_on(parts, queue))
    try:
        while True:
            try:
                async with asyncio.timeout(every_s):
                    part = await queue.get()
            except TimeoutError:
                yield None
                continue
            if not isinstance(part, Ended):
                yield part
            elif part.error:
                raise part.error
            else:
                return
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def pass_on(parts: AsyncGenerator[Part, None], queue: asyncio.Queue[Part | Ended]) -> None:
    try:
        async with aclosing(parts):
            async for part in parts:
                await queue.put(part)
    except Exception as exc:  # noqa: BLE001 - raised where the queue is read
        await queue.put(Ended(exc))
    else:
        await queue.put(Ended())
