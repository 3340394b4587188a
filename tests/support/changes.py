"""Waits for a change of a fake, so that no test polls."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")


class Changes:
    """The changes of a fake, which calls `notify` after each one. Belongs to one event loop."""

    def __init__(self) -> None:
        self._wakers: set[asyncio.Event] = set()

    def notify(self) -> None:
        for waker in self._wakers:
            waker.set()

    async def until(self, condition: Callable[[], Result | Awaitable[Result]], within_s: float = 20.0) -> Result:
        """Waits until the condition is true, checked after each change. Returns its value. Raises TimeoutError."""
        waker = asyncio.Event()
        self._wakers.add(waker)
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
            self._wakers.discard(waker)
