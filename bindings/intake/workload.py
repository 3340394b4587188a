"""What is under way: of one conversation one after another, of all at most so many at once. Knows no platform and no
database, and not what the work is.

A conversation that has waited longest goes first, whatever it has waiting, so that nobody gets more by asking more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from bindings.delivery.outlet import Ledger
from bindings.store import Delivery


@dataclass(eq=False, slots=True)
class Work:
    """A delivery until it is finished. `ledger` is there once it has begun to write."""

    delivery: Delivery
    begun_before: bool = False  # by a process that is gone
    uncounted: bool = False  # as that, and it is not written down yet that this one took it up
    times: int = 0  # how many took it up like that, this one included, once it is written down
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    withdrawn: asyncio.Event = field(default_factory=asyncio.Event)
    ledger: Ledger | None = None
    aside: bool = False  # it takes long, and its conversation goes on meanwhile
    has_stopped: bool = False  # it is the wish to stop, and there was something

    @property
    def ended(self) -> bool:
        return self.stop.is_set() or self.withdrawn.is_set()


class Workload:
    """`perform` raises nothing but CancelledError."""

    def __init__(self, perform: Callable[[Work], Awaitable[None]], at_once: int) -> None:
        self._perform = perform
        self._at_once = at_once
        self._lines: dict[str, deque[Work]] = {}  # by conversation: the waiting
        self._ready: deque[str] = deque()  # conversations with waiting work and none running
        self._running: dict[str, Work] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._draining = False

    @property
    def draining(self) -> bool:
        return self._draining

    def add(self, work: Work) -> None:
        conversation = work.delivery.conversation
        line = self._lines.setdefault(conversation, deque())
        if not line and conversation not in self._running:
            self._ready.append(conversation)
        line.append(work)
        self._wake.set()

    def running(self, conversation: str) -> Work | None:
        return self._running.get(conversation)

    def waiting(self, conversation: str) -> tuple[Work, ...]:
        """In order of arrival."""
        return tuple(self._lines.get(conversation, ()))

    def of(self, conversation: str) -> tuple[Work, ...]:
        """What runs, and then what waits."""
        running = self._running.get(conversation)
        return (*((running,) if running else ()), *self.waiting(conversation))

    def under_way(self) -> Iterator[Work]:
        yield from tuple(self._running.values())
        for line in tuple(self._lines.values()):
            yield from tuple(line)

    async def run(self) -> None:
        """Until cancelled, or drained."""
        async with asyncio.TaskGroup() as tasks:
            while not self._draining:
                while self._ready and len(self._running) < self._at_once:
                    self._start(tasks)
                self._wake.clear()
                await self._wake.wait()

    def hold(self) -> None:
        """Nothing is begun any more."""
        self._draining = True
        self._wake.set()

    async def drain(self, limit_s: float) -> None:
        """As `hold`; what runs may go on for so long and is then cancelled."""
        self.hold()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=limit_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _start(self, tasks: asyncio.TaskGroup) -> None:
        conversation = self._ready.popleft()
        work = self._lines[conversation].popleft()
        self._running[conversation] = work
        task = tasks.create_task(self._run_one(conversation, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_one(self, conversation: str, work: Work) -> None:
        try:
            await self._perform(work)
        finally:
            del self._running[conversation]
            if self._lines[conversation]:
                self._ready.append(conversation)
            else:
                del self._lines[conversation]
            self._wake.set()
