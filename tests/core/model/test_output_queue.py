"""The event loop's end of a sequence."""

from __future__ import annotations

import asyncio

from core.model.host import HIGH_WATER, LOW_WATER, OutputQueue
from core.model.sequence import SequenceOutput, TextOutput


def queue_with_pauses() -> tuple[OutputQueue, list[bool]]:
    queue, news = OutputQueue(), list[bool]()
    queue.pause = news.append
    return queue, news


async def take(queue: OutputQueue, count: int) -> list[SequenceOutput | None]:
    return [await queue.get(60) for _ in range(count)]


async def test_what_was_written_is_read_in_order() -> None:
    """Also what came before anybody read."""
    queue = OutputQueue()
    for n in range(3):
        queue.put(TextOutput(str(n)))

    assert await take(queue, 3) == [TextOutput("0"), TextOutput("1"), TextOutput("2")]


async def test_reading_waits_for_what_comes() -> None:
    """A handler that is ahead is woken by the next output."""
    queue = OutputQueue()
    waiting = asyncio.create_task(queue.get(60))
    asyncio.get_running_loop().call_soon(lambda: queue.put(TextOutput("late")))

    assert await waiting == TextOutput("late")


async def test_nothing_within_the_deadline_is_none() -> None:
    """So that a silent stream can say that it lives; what comes afterwards is not lost."""
    queue = OutputQueue()

    assert await queue.get(0) is None
    queue.put(TextOutput("after all"))
    assert await queue.get(60) == TextOutput("after all")


async def test_a_reader_that_falls_behind_pauses_its_sequence_once() -> None:
    """Above the high-water mark the sequence is paused, and told so once, not at every output."""
    queue, news = queue_with_pauses()
    for n in range(HIGH_WATER + 10):
        queue.put(TextOutput(str(n)))

    assert news == [True]


async def test_a_reader_that_caught_up_goes_on_and_lost_nothing() -> None:
    """Below the low-water mark the sequence goes on; in between nothing is said."""
    queue, news = queue_with_pauses()
    for n in range(HIGH_WATER + 1):
        queue.put(TextOutput(str(n)))
    read = await take(queue, HIGH_WATER + 1 - LOW_WATER)
    assert news == [True]
    read += await take(queue, LOW_WATER)

    assert news == [True, False]
    assert read == [TextOutput(str(n)) for n in range(HIGH_WATER + 1)]


async def test_a_reader_that_keeps_up_is_never_paused() -> None:
    """However much passes through."""
    queue, news = queue_with_pauses()
    for n in range(3 * HIGH_WATER):
        queue.put(TextOutput(str(n)))
        await queue.get(60)

    assert news == []
