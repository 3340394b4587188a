"""How many rows are under way at once, and in which order they come out. Knows neither files nor the engine.

A row is read only when there is room for its outcome, so what is held is bounded however long the input is, and a
reader that is slow slows down the asking.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from core.errors import CspsError

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

HELD_PER_PLACE = 4  # in order, a slow row must not leave the other places empty at once
DELIVERED_AT_ONCE = 64


class Flow(Generic[Item, Outcome]):
    """`answer` runs for at most `concurrency` rows at once; `deliver` gets what is finished, a few at a time."""

    def __init__(
        self,
        answer: Callable[[Item], Awaitable[Outcome]],
        deliver: Callable[[Sequence[Outcome]], Awaitable[None]],
        concurrency: int,
        *,
        in_order: bool,
    ) -> None:
        self._answer = answer
        self._deliver = deliver
        self._in_order = in_order
        self._places = asyncio.Semaphore(concurrency)
        self._room = asyncio.Semaphore(concurrency * (HELD_PER_PLACE if in_order else 2))
        self._line: deque[asyncio.Task[Outcome] | None] = deque()  # to be delivered, in this order
        self._lined_up = asyncio.Semaphore(0)

    async def run(self, items: AsyncIterator[Item]) -> None:
        """Returns when all is delivered. The first failure ends everything and is raised as it is."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._deliver_all())
                await self._read(items, tasks)
        except BaseExceptionGroup as group:
            raise first_of(group) from group

    async def _read(self, items: AsyncIterator[Item], tasks: asyncio.TaskGroup) -> None:
        running: set[asyncio.Task[Outcome]] = set()
        while await self._room.acquire():
            await self._places.acquire()
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

    async def _answer_one(self, item: Item) -> Outcome:
        try:
            return await self._answer(item)
        finally:
            self._places.release()

    async def _deliver_all(self) -> None:
        while (task := await self._next()) is not None:
            outcomes = [await task]
            while (ready := self._ready()) and len(outcomes) < DELIVERED_AT_ONCE:
                await self._next()
                outcomes.append(await ready)
            await self._deliver(outcomes)
            for _ in outcomes:
                self._room.release()

    def _put(self, task: asyncio.Task[Outcome] | None) -> None:
        self._line.append(task)
        self._lined_up.release()

    async def _next(self) -> asyncio.Task[Outcome] | None:
        """None: there are no more."""
        await self._lined_up.acquire()
        return self._line.popleft()

    def _ready(self) -> asyncio.Task[Outcome] | None:
        """The next one, if it need not be waited for."""
        task = self._line[0] if self._line else None
        return task if task is not None and task.done() else None


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """One of ours if there is one: it says what happened."""
    leaves = list(flat(group))
    return next((leaf for leaf in leaves if isinstance(leaf, CspsError)), leaves[0])


def flat(exc: BaseException) -> list[BaseException]:
    if isinstance(exc, BaseExceptionGroup):
        return [leaf for inner in exc.exceptions for leaf in flat(inner)]
    return [exc]
