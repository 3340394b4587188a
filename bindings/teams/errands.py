"""What is done after Teams was answered, besides the intake's work: greetings, and files that people accepted.

A few at a time, from a bounded queue. What is lost with the process is a greeting, or an offer that stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from core.errors import CspsError

log = structlog.get_logger()

QUEUE_LIMIT = 200
AT_ONCE = 4

Errand = Callable[[], Awaitable[None]]


class Errands:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[str, Errand]] = asyncio.Queue(QUEUE_LIMIT)

    def add(self, name: str, errand: Errand) -> None:
        """`name` is for the log."""
        try:
            self._queue.put_nowait((name, errand))
        except asyncio.QueueFull:
            log.warning("errand_dropped", errand=name, waiting=QUEUE_LIMIT)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(AT_ONCE):
                workers.create_task(self._work())

    async def _work(self) -> None:
        while True:
            name, errand = await self._queue.get()
            try:
                await errand()
            except CspsError as exc:
                log.warning("errand_failed", errand=name, code=exc.code, problem=exc.message)
            except Exception:
                log.exception("errand_failed", errand=name)
