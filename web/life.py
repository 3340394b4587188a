"""Counts the work in hand and says whether more is taken. Knows no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import Overloaded, Stopping


class Life:
    """`limit` pieces of work at once; after `stop`, none anew, and those in hand have `drain_s` seconds."""

    def __init__(self, limit: int, drain_s: float, retry_after_s: float) -> None:
        self.drain_s = drain_s
        self.stopping = asyncio.Event()
        self.in_hand = 0
        self._limit = limit
        self._retry_after_s = retry_after_s
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def work(self) -> Iterator[None]:
        """One request or socket. Raises Stopping or Overloaded instead of beginning."""
        self.refuse_when_stopping()
        if self.in_hand >= self._limit:
            raise Overloaded("too many connections at once", retry_after_s=self._retry_after_s)
        self.in_hand += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.in_hand -= 1
            if not self.in_hand:
                self._idle.set()

    def refuse_when_stopping(self) -> None:
        if self.stopping.is_set():
            raise self.refusal()

    def refusal(self) -> Stopping:
        return Stopping("the service is being stopped", retry_after_s=self._retry_after_s)

    def stop(self) -> None:
        self.stopping.set()

    async def idle(self) -> None:
        """Returns once nothing is in hand."""
        await self._idle.wait()
