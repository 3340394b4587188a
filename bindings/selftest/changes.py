"""Waits for a change of a stand-in, so that nothing polls."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(eq=False)
class Changes:
    """The changes of a stand-in, which calls `notify` after each one. Belongs to one event loop."""

    wakers: set[asyncio.Event] = field(default_factory=set, init=False, repr=False)

    def notify(self) -> None:
        for waker in self.wakers:
            waker.set()

    async def until(self, condition: Callable[[], Result | Awaitable[Result]], within_s: float = 30.0) -> Result:
        """Waits until the condition is true, checked after each change. Returns its value. Raises TimeoutError."""
        waker = asyncio.Event()
        self.wakers.add(waker)
        try:
            async with asyncio.timeout(within_s):
                while True:
                    waker.clear()  # before the check, so that a change during an awaited condition is not missed
                    value = condition()
                    if inspect.isawaitable(value):
                        value = await value
                    if value:
                        return value
                    await waker.wait()
        finally:
            self.wakers.discard(waker)
