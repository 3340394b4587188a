"""Parses and checks large inputs in a thread, one at a time, so that the event loop goes on serving everybody else.

A megabyte takes up to 0.2 s. Threads share the interpreter, so a thread alone is no bound: with one of them at a time,
the event loop waits for a few milliseconds each time that it wakes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from core.runtime.admission_queue import AdmissionQueue
from core.runtime.keyed_limiter import KeyedLimiter

LARGE_BYTES = 32 * 1024  # below, parsing takes less than a few milliseconds
AT_ONCE = 1
WAITING_OF_A_CLIENT = 1  # the others of this client stand behind those of everybody else
QUEUE_LIMIT = 64
WAIT_LIMIT_S = 20.0

Result = TypeVar("Result")


class LargeInputs:
    """One per process."""

    def __init__(self) -> None:
        # Threads of its own: each thread that ever parsed a megabyte keeps some of the memory.
        self._threads = ThreadPoolExecutor(AT_ONCE, "large-input")
        self._of_client: KeyedLimiter[None] = KeyedLimiter(WAITING_OF_A_CLIENT)
        self._all = AdmissionQueue("large requests", slots=AT_ONCE, queue_limit=QUEUE_LIMIT, wait_limit_s=WAIT_LIMIT_S)

    async def run(self, client: str, size: int, work: Callable[[], Result]) -> Result:
        """Returns the result of `work`, which is pure and blocks, on an input of `size` bytes. Raises Overloaded."""
        if size <= LARGE_BYTES:
            return work()
        async with self._of_client.slot(client), self._all.slot():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
