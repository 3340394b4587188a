"""bindings.intake.conversation_queue: order, limits and draining."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bindings.delivery_records import Delivery
from bindings.intake.conversation_queue import ConversationQueue, DeliveryTask
from bindings.selftest.changes import Changes


def build_task(number: int, conversation: str) -> DeliveryTask:
    return DeliveryTask(Delivery(number, f"a{number}", "message", conversation, f"s{number}"))


class Bench(Changes):
    """Runs tasks that end when a test says so."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.queue = ConversationQueue(self.perform, limit)
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.cancelled: list[int] = []
        self.gates: dict[int, asyncio.Event] = {}

    async def perform(self, task: DeliveryTask) -> None:
        number = task.delivery.number
        self.begun.append(number)
        self.notify()
        try:
            await self.gates.setdefault(number, asyncio.Event()).wait()
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        self.ended.append(number)

    def end(self, *numbers: int) -> None:
        for number in numbers:
            self.gates.setdefault(number, asyncio.Event()).set()

    async def until_begun(self, count: int) -> list[int]:
        await self.until(lambda: len(self.begun) >= count)
        return self.begun

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Bench]:
        task = asyncio.create_task(self.queue.run())
        yield self
        task.cancel()
        await asyncio.wait({task})


async def test_messages_of_a_conversation_run_one_after_another() -> None:
    """They keep their order, while other conversations go on."""
    bench = Bench(limit=5)
    for number, conversation in ((1, "a"), (2, "a"), (3, "b"), (4, "a")):
        bench.queue.add(build_task(number, conversation))
    async with bench.running():
        assert [1, 3] == await bench.until_begun(2)
        bench.end(1)
        assert [1, 3, 2] == await bench.until_begun(3)
        bench.end(2)
        assert [1, 3, 2, 4] == await bench.until_begun(4)


async def test_conversations_take_turns_within_the_limit() -> None:
    """A conversation with many messages does not delay the others."""
    bench = Bench(limit=1)
    bench.end(*range(1, 7))
    for number, conversation in ((1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "c")):
        bench.queue.add(build_task(number, conversation))
    async with bench.running():
        assert [1, 4, 5, 2, 3] == await bench.until_begun(5)
        bench.queue.add(build_task(6, "a"))
        assert [1, 4, 5, 2, 3, 6] == await bench.until_begun(6)


async def test_draining_finishes_running_tasks_and_starts_none() -> None:
    bench = Bench(limit=1)
    for number, conversation in ((1, "a"), (2, "a"), (3, "b")):
        bench.queue.add(build_task(number, conversation))
    async with bench.running():
        await bench.until_begun(1)
        bench.end(1)
        await bench.queue.drain(20)
        assert ([1], [1], []) == (bench.begun, bench.ended, bench.cancelled)
        assert bench.queue.draining


async def test_draining_cancels_late_tasks() -> None:
    bench = Bench(limit=2)
    bench.queue.add(build_task(1, "a"))
    async with bench.running():
        await bench.until_begun(1)
        await bench.queue.drain(0)
        assert [1] == bench.cancelled


async def test_running_and_waiting_tasks_are_listed() -> None:
    bench = Bench(limit=1)
    first, second, third = build_task(1, "a"), build_task(2, "a"), build_task(3, "b")
    for each in (first, second, third):
        bench.queue.add(each)
    async with bench.running():
        await bench.until_begun(1)
        assert first is bench.queue.running("a")
        assert (second,) == bench.queue.waiting("a")
        assert bench.queue.running("b") is None
        assert {first, second, third} == set(bench.queue.all())
