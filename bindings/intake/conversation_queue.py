"""Runs deliveries: those of one conversation one after another, and a limited number overall.

The conversation that has waited longest is next, however many deliveries it has, so that asking more gains nothing.
Knows no platform and no database.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from bindings.delivery.outlet import PostLedger
from bindings.delivery_records import Delivery


@dataclass(eq=False, slots=True)
class DeliveryTask:
    """A delivery until it is finished. `ledger` is set once the delivery writes to the platform."""

    delivery: Delivery
    resumed: bool = False  # an earlier process or attempt may have posted something
    uncounted: bool = False  # this process resumed it and has not recorded its attempt yet
    attempts: int = 0  # processes that resumed it, this one included, once recorded
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    withdrawn: asyncio.Event = field(default_factory=asyncio.Event)
    ledger: PostLedger | None = None
    reason: str | None = None  # why it failed, once it has
    long_running: bool = False  # a job: its conversation continues meanwhile
    stopped_another: bool = False  # a stop command that found something to stop

    @property
    def ended(self) -> bool:
        return self.stop.is_set() or self.withdrawn.is_set()


class ConversationQueue:
    """Runs `perform`, which raises only CancelledError, for at most `limit` deliveries at a time."""

    def __init__(self, perform: Callable[[DeliveryTask], Awaitable[None]], limit: int) -> None:
        self._perform = perform
        self._limit = limit
        self._waiting: dict[str, deque[DeliveryTask]] = {}  # by conversation
        self._ready: deque[str] = deque()  # conversations with waiting tasks and none running
        self._running: dict[str, DeliveryTask] = {}
        self._asyncio_tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._draining = False

    @property
    def draining(self) -> bool:
        return self._draining

    def add(self, task: DeliveryTask) -> None:
        conversation = task.delivery.conversation
        waiting = self._waiting.setdefault(conversation, deque())
        if not waiting and conversation not in self._running:
            self._ready.append(conversation)
        waiting.append(task)
        self._changed.set()

    def running(self, conversation: str) -> DeliveryTask | None:
        return self._running.get(conversation)

    def waiting(self, conversation: str) -> tuple[DeliveryTask, ...]:
        """The waiting tasks, in order of arrival."""
        return tuple(self._waiting.get(conversation, ()))

    def of_conversation(self, conversation: str) -> tuple[DeliveryTask, ...]:
        """The running task, then the waiting ones."""
        running = self._running.get(conversation)
        return (*((running,) if running else ()), *self.waiting(conversation))

    def running_conversations(self) -> frozenset[str]:
        return frozenset(self._running)

    def clear(self) -> None:
        """Forgets all tasks. Only after `run` was cancelled and its tasks have ended; it can then run again."""
        self._waiting.clear()
        self._ready.clear()
        self._running.clear()

    def all(self) -> Iterator[DeliveryTask]:
        yield from tuple(self._running.values())
        for waiting in tuple(self._waiting.values()):
            yield from tuple(waiting)

    async def run(self) -> None:
        """Runs until cancelled or drained."""
        async with asyncio.TaskGroup() as group:
            while not self._draining:
                while self._ready and len(self._running) < self._limit:
                    self._start(group)
                self._changed.clear()
                await self._changed.wait()

    def hold(self) -> None:
        """Starts no more tasks."""
        self._draining = True
        self._changed.set()

    async def drain(self, limit_s: float) -> None:
        """Holds, waits up to `limit_s` for running tasks, then cancels them."""
        self.hold()
        if not self._asyncio_tasks:
            return
        _, late = await asyncio.wait(self._asyncio_tasks, timeout=limit_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _start(self, group: asyncio.TaskGroup) -> None:
        conversation = self._ready.popleft()
        task = self._waiting[conversation].popleft()
        self._running[conversation] = task
        asyncio_task = group.create_task(self._run_one(conversation, task))
        self._asyncio_tasks.add(asyncio_task)
        asyncio_task.add_done_callback(self._asyncio_tasks.discard)

    async def _run_one(self, conversation: str, task: DeliveryTask) -> None:
        try:
            await self._perform(task)
        finally:
            del self._running[conversation]
            if self._waiting[conversation]:
                self._ready.append(conversation)
            else:
                del self._waiting[conversation]
            self._changed.set()
