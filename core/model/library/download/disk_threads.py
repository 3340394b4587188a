"""Threads for writes and hashing, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
THREADS = 2  # one hashes while the other writes


class DiskThreads:
    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs blocking work. A cancelled caller goes on only after it: nothing writes to a file that others use."""
        future = asyncio.get_running_loop().run_in_executor(self._executor, lambda: work(*args, **kwargs))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait({future})
            if not future.cancelled():
                future.exception()  # retrieved, so that asyncio does not report it
            raise


@asynccontextmanager
async def disk_threads() -> AsyncIterator[DiskThreads]:
    executor = ThreadPoolExecutor(THREADS, thread_name_prefix="download")
    try:
        yield DiskThreads(executor)
    finally:
        executor.shutdown(wait=False)  # nothing runs any more: each `run` waited for its work
