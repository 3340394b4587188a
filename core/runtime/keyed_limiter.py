"""Limits concurrency per key, first come, first served. Knows nothing of the work that it limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(slots=True)
class KeyEntry(Generic[Result]):
    """The callers of one key. One of them may leave its `result` for the others."""

    semaphore: asyncio.Semaphore
    callers: int = 0
    result: Result | None = None


class KeyedLimiter(Generic[Result]):
    """Admits `limit` callers at once for each key. Forgets a key, and its result, when its last caller leaves."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: dict[str, KeyEntry[Result]] = {}

    @asynccontextmanager
    async def slot(self, key: str) -> AsyncIterator[KeyEntry[Result]]:
        """Waits for a slot of `key` and holds it."""
        entry = self._entries.setdefault(key, KeyEntry(asyncio.Semaphore(self._limit)))
        entry.callers += 1
        try:
            async with entry.semaphore:
                yield entry
        finally:
            entry.callers -= 1
            if not entry.callers:
                del self._entries[key]
