"""Runs rows concurrently and delivers their outcomes, in order or as they finish. Knows neither files nor the engine.

It reads a row only when there is room for the outcome. So memory is bounded for any input, and a slow reader of the
outcomes slows the whole batch down.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from core.errors import CspsError

Item = TypeVar("Item")
Result = TypeVar("Result")

PENDING_PER_SLOT = 4  # in order, one slow row must not leave the other slots idle at once
DELIVERY_LIMIT = 64  # outcomes in one call


class BoundedPipeline(Generic[Item, Result]):
    """`answer` runs for at most `concurrency` items at once. `deliver` gets the results that are ready, in groups."""

    def __init__(
        self,
        answer: Callable[[Item], Awaitable[Result]],
        deliver: Callable[[Sequence[Result]], Awaitable[None]],
        concurrency: int,
        *,
        in_order: bool,
    ) -> None:
        self._answer = answer
        self._deliver = deliver
        self._in_order = in_order
        self._slots = asyncio.Semaphore(concurrency)
        self._room = asyncio.Semaphore(concurrency * (PENDING_PER_SLOT if in_order else 2))
        self._pending: deque[asyncio.Task[Result] | None] = deque()  # in order of delivery
        self._pending_count = asyncio.Semaphore(0)

    async def run(self, items: AsyncIterator[Item]) -> None:
        """Returns when all results are delivered. The first failure ends everything and is raised unwrapped."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._deliver_all())
                await self._read(items, tasks)
        except BaseExceptionGroup as group:
            raise main_error(group) from group

    async def _read(self, items: AsyncIterator[Item], tasks: asyncio.TaskGroup) -> None:
        running: set[asyncio.Task[Result]] = set()
        while await self._room.acquire():
            await self._slots.acquire()
            try:
                item = await anext(items)
            except StopAsyncIteration:
                break
            task = tasks.create_task(self._answer_one(item))
            running.add(task)
            task.add_done_callback(running.discard)
            if self._in_order:
                self._put(task)
            else:
                task.add_done_callback(self._put)
        if running:
            await asyncio.wait(running)
        self._put(None)

    async def _answer_one(self, item: Item) -> Result:
        try:
            return await self._answer(item)
        finally:
            self._slots.release()

    async def _deliver_all(self) -> None:
        while (task := await self._next()) is not None:
            results = [await task]
            while (ready := self._peek_ready()) and len(results) < DELIVERY_LIMIT:
                await self._next()
                results.append(await ready)
            await self._deliver(results)
            for _ in results:
                self._room.release()

    def _put(self, task: asyncio.Task[Result] | None) -> None:
        self._pending.append(task)
        self._pending_count.release()

    async def _next(self) -> asyncio.Task[Result] | None:
        """Waits for the oldest task and returns it; None after the last."""
        await self._pending_count.acquire()
        return self._pending.popleft()

    def _peek_ready(self) -> asyncio.Task[Result] | None:
        """The next task, if it is finished."""
        task = self._pending[0] if self._pending else None
        return task if task is not None and task.done() else None


def main_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first CspsError of the group, which explains the failure best; else the first error."""
    leaves = flatten(group)
    return next((leaf for leaf in leaves if isinstance(leaf, CspsError)), leaves[0])


def flatten(exc: BaseException) -> list[BaseException]:
    if isinstance(exc, BaseExceptionGroup):
        return [leaf for inner in exc.exceptions for leaf in flatten(inner)]
    return [exc]
