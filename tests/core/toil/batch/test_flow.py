"""How many rows are under way, and in which order they come out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from core.errors import ModelUnavailable
from core.toil.batch.flow import HELD_PER_PLACE, Flow


class Source:
    """Numbers from 0, for ever or up to `end`."""

    def __init__(self, end: int | None = None) -> None:
        self.read = 0
        self._end = end

    async def items(self) -> AsyncIterator[int]:
        while self.read != self._end:
            self.read += 1
            yield self.read - 1


class Collected:
    """A delivery that takes everything, until `stop` is set."""

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
async def test_each_row_once(in_order: bool) -> None:
    """Whatever they take, every row is answered and delivered once, and no more than `concurrency` run at once."""
    running = most = 0
    turn = asyncio.Condition()

    async def answer(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(number * 7 % 5):  # some take longer than those after them
            await asyncio.sleep(0)
        running -= 1
        async with turn:
            turn.notify_all()
        return number

    collected = Collected()
    await Flow(answer, collected.deliver, 3, in_order=in_order).run(Source(50).items())

    assert list(range(50)) == (collected.got if in_order else sorted(collected.got))
    assert 3 == most


async def test_order_is_kept_while_the_first_is_slow() -> None:
    """Others go on beside it, but only so many, and come out after it."""
    gate, source, collected = asyncio.Event(), Source(), Collected(stop_at=20)
    full = asyncio.Event()

    async def answer(number: int) -> int:
        if number == 0:
            await gate.wait()
        if number == 2 * HELD_PER_PLACE - 1:
            full.set()
        return number

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Flow(answer, collected.deliver, 2, in_order=True).run(source.items()))
        await full.wait()
        assert (2 * HELD_PER_PLACE, []) == (source.read, collected.got)
        gate.set()
        await collected.stopped.wait()
        running.cancel()

    assert list(range(20)) == collected.got[:20]


async def test_as_they_come_nobody_waits_for_the_slow() -> None:
    """Those after it are out first."""
    gate, collected = asyncio.Event(), Collected()

    async def answer(number: int) -> int:
        if number == 0:
            await gate.wait()
        elif number == 9:
            gate.set()
        return number

    await Flow(answer, collected.deliver, 2, in_order=False).run(Source(10).items())

    assert 0 != collected.got[0]
    assert set(range(10)) == set(collected.got)


@pytest.mark.parametrize("in_order", [True, False])
async def test_an_endless_source_is_read_only_as_fast_as_it_is_taken(in_order: bool) -> None:
    """A delivery that hangs stops the reading."""
    source, collected = Source(), Collected(stop_at=1)

    async def answer(number: int) -> int:
        return number

    running = asyncio.create_task(Flow(answer, collected.deliver, 2, in_order=in_order).run(source.items()))
    await collected.stopped.wait()
    for _ in range(200):
        await asyncio.sleep(0)

    assert source.read <= len(collected.got) + 2 * HELD_PER_PLACE
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_failure_ends_everything_and_comes_out_as_it_is() -> None:
    """Not wrapped in a group; what runs beside it is cancelled."""
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
        await Flow(answer, Collected().deliver, 2, in_order=False).run(Source().items())
    assert cancelled.is_set()
