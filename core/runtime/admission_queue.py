"""A line before a few places: those who wait in it are so many at most, and each waits so long at most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.errors import Overloaded


class Line:
    """`what` they wait for, as a message names it; `places`: how many are served at once. One per event loop."""

    def __init__(self, what: str, *, places: int, limit: int, wait_limit_s: float) -> None:
        self._what = what
        self._free = asyncio.Semaphore(places)
        self._limit = limit
        self._wait_limit_s = wait_limit_s
        self._waiting = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Raises Overloaded: at once if the line is full, else after `wait_limit_s` in it."""
        if self._free.locked() and self._waiting >= self._limit:
            raise self._overloaded(f"{self._waiting} wait for it already")
        await self._wait()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_limit_s):
                await self._free.acquire()
        except TimeoutError as exc:
            raise self._overloaded(f"there was no turn within {self._wait_limit_s:g} s") from exc
        finally:
            self._waiting -= 1

    def _overloaded(self, why: str) -> Overloaded:
        return Overloaded(f"{self._what}: {why}", retry_after_s=self._wait_limit_s)
