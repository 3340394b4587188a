"""Concurrency, order of delivery and failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from core.errors import ModelUnavailable
from core.toil.batch.pipeline import PENDING_PER_SLOT, BoundedPipeline


class NumberSource:
    """Numbers from 0, without end or up to `end`."""

    def __init__(self, end: int | None = None) -> None:
        self.read = 0
        self._end = end

    async def items(self) -> AsyncIterator[int]:
        while self.read != self._end:
            self.read += 1
            yield self.read - 1


class Collector:
    """Collects the outcomes; from `stop_at` outcomes on, a delivery never returns."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.got: list[int] = []
        self.stopped = asyncio.Event()
        self._stop_at = stop_at

    async def deliver(self, outcomes: Sequence[int]) -> None:
        self.got += outcomes
        if self._stop_at is not None and len(self.got) >= self._stop_at:
            self.stopped.set()
            await asyncio.Event().wait()


@pytest.mark.parametrize("in_order", [True, False])
async def test_each_row_is_delivered_once(in_order: bool) -> None:
    """At most `concurrency` rows run at once, however long each takes."""
    running = most = 0
    turn = asyncio.Condition()

    async def answer(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(number * 7 % 5):  # some rows take longer than later ones
            await asyncio.sleep(0)
        running -= 1
        async with turn:
            turn.notify_all()
        return number

    collected = Collector()
    await BoundedPipeline(answer, collected.deliver, 3, in_order=in_order).run(NumberSource(50).items())

    assert list(range(50)) == (collected.got if in_order else sorted(collected.got))
    assert 3 == most


async def test_order_is_kept_behind_a_slow_row() -> None:
    """Later rows run up to the limit and are delivered after the slow one."""
    gate, source, collected = asyncio.Event(), NumberSource(), Collector(stop_at=20)
    full = asyncio.Event()

    async def answer(number: int) -> int:
        if number == 0:
            await gate.wait()
        if number == 2 * PENDING_PER_SLOT - 1:
            full.set()
        return number

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(BoundedPipeline(answer, collected.deliver, 2, in_order=True).run(source.items()))
        await full.wait()
        assert (2 * PENDING_PER_SLOT, []) == (source.read, collected.got)
        gate.set()
        await collected.stopped.wait()
        running.cancel()

    assert list(range(20)) == collected.got[:20]


async def test_unordered_rows_do_not_wait_for_a_slow_row() -> None:
    """Faster rows are delivered first."""
    gate, collected = asyncio.Event(), Collector()

    async def answer(number: int) -> int:
        if number == 0:
            await gate.wait()
        elif number == 9:
            gate.set()
        return number

    await BoundedPipeline(answer, collected.deliver, 2, in_order=False).run(NumberSource(10).items())

    assert 0 != collected.got[0]
    assert set(range(10)) == set(collected.got)


@pytest.mark.parametrize("in_order", [True, False])
async def test_stalled_delivery_stops_reading(in_order: bool) -> None:
    """A delivery that hangs bounds the rows that are read."""
    source, collected = NumberSource(), Collector(stop_at=1)

    async def answer(number: int) -> int:
        return number

    running = asyncio.create_task(BoundedPipeline(answer, collected.deliver, 2, in_order=in_order).run(source.items()))
    await collected.stopped.wait()
    for _ in range(200):
        await asyncio.sleep(0)

    assert source.read <= len(collected.got) + 2 * PENDING_PER_SLOT
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_failure_is_raised_unwrapped() -> None:
    """The error is not in a group, and the other rows are cancelled."""
    cancelled = asyncio.Event()
    started = asyncio.Event()

    async def answer(number: int) -> int:
        if number == 1:
            await started.wait()
            raise ModelUnavailable("gone")
        try:
            started.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return number

    with pytest.raises(ModelUnavailable, match="gone"):
        await BoundedPipeline(answer, Collector().deliver, 2, in_order=False).run(NumberSource().items())
    assert cancelled.is_set()
