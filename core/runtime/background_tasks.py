"""Tasks that run beside the code that starts them, and the daily purge. Owns their references, failures and end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from typing import Any, TypeVar

import structlog

from core.errors import CspsError, StorageError

log = structlog.get_logger()

Result = TypeVar("Result")


class BackgroundTasks:
    """Holds its tasks until they end: asyncio itself has only weak references. One per event loop.

    Runs at most `concurrency` tasks at once. Drops a task, with a log line, if `limit` tasks have not ended.
    """

    def __init__(self, *, concurrency: int | None = None, limit: int | None = None) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._slots = asyncio.Semaphore(concurrency) if concurrency else nullcontext()
        self._limit = limit

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts `work`. A failure is logged."""
        if self._limit is not None and len(self._tasks) >= self._limit:
            log.warning("background_task_dropped", task=getattr(work, "__qualname__", ""), limit=self._limit)
            work.close()
            return
        self._hold(self._in_slot(work)).add_done_callback(log_failure)

    async def shield(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Awaits `work`, which continues if the caller is cancelled; only then a failure is logged."""
        task = self._hold(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(log_failure)
            raise

    async def join(self) -> None:
        """Waits until all tasks have ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Cancels all tasks and waits until they have ended."""
        for task in self._tasks:
            task.cancel()
        await self.join()

    async def _in_slot(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            async with self._slots:
                await work
        finally:
            work.close()  # work that was cancelled while it waited never ran

    def _hold(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


@asynccontextmanager
async def run_beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs `work` while the block runs, then cancels it. Its failure does not reach the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def log_failure(task: asyncio.Task[Any]) -> None:
    exc = None if task.cancelled() else task.exception()
    if isinstance(exc, CspsError):
        log.warning("background_task_failed", code=exc.code, problem=exc.message)
    elif exc is not None:
        log.error("background_task_failed", exc_info=exc)


log = structlog.get_logger()

PURGE_INTERVAL_S = 24 * 60 * 60


async def purge_daily(data: str, purge: Callable[[], Awaitable[None]]) -> None:
    """Calls `purge` at once and then daily. Runs until cancelled."""
    while True:
        try:
            await purge()
        except StorageError as exc:
            log.warning("purge_failed", data=data, problem=exc.message)
        await asyncio.sleep(PURGE_INTERVAL_S)
