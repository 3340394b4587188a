"""A bounded queue in front of a limited resource: it limits concurrency, queue length and waiting time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.errors import Overloaded


class AdmissionQueue:
    """Admits `slots` callers at once, first come, first served. One per event loop.

    `what` names the resource in error messages; `queue_limit` bounds how many wait, `wait_limit_s` how long.
    """

    def __init__(self, what: str, *, slots: int, queue_limit: int, wait_limit_s: float) -> None:
        self._what = what
        self._slots = asyncio.Semaphore(slots)
        self._queue_limit = queue_limit
        self._wait_limit_s = wait_limit_s
        self._waiting = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot and holds it. Raises Overloaded: at once if the queue is full, else after the wait limit."""
        if self._slots.locked() and self._waiting >= self._queue_limit:
            raise self._overloaded(f"{self._waiting} wait for it already")
        await self._wait()
        try:
            yield
        finally:
            self._slots.release()

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_limit_s):
                await self._slots.acquire()
        except TimeoutError as exc:
            raise self._overloaded(f"there was no turn within {self._wait_limit_s:g} s") from exc
        finally:
            self._waiting -= 1

    def _overloaded(self, reason: str) -> Overloaded:
        return Overloaded(f"{self._what}: {reason}", retry_after_s=self._wait_limit_s)
