"""The event loop's end of a sequence."""

from __future__ import annotations

import asyncio

from core.model.reader import HIGH_WATER, LOW_WATER, OutputQueue
from core.model.sequence import SequenceOutput, TextOutput


def reader_with_news() -> tuple[OutputQueue, list[bool]]:
    reader, news = OutputQueue(), list[bool]()
    reader.pause = news.append
    return reader, news


async def take(reader: OutputQueue, count: int) -> list[SequenceOutput | None]:
    return [await reader.next(60) for _ in range(count)]


async def test_what_was_written_is_read_in_order() -> None:
    """Also what came before anybody read."""
    reader = OutputQueue()
    for n in range(3):
        reader(TextOutput(str(n)))

    assert await take(reader, 3) == [TextOutput("0"), TextOutput("1"), TextOutput("2")]


async def test_reading_waits_for_what_comes() -> None:
    """A handler that is ahead is woken by the next output."""
    reader = OutputQueue()
    waiting = asyncio.create_task(reader.next(60))
    asyncio.get_running_loop().call_soon(lambda: reader(TextOutput("late")))

    assert await waiting == TextOutput("late")


async def test_nothing_within_the_deadline_is_none() -> None:
    """So that a silent stream can say that it lives; what comes afterwards is not lost."""
    reader = OutputQueue()

    assert await reader.next(0) is None
    reader(TextOutput("after all"))
    assert await reader.next(60) == TextOutput("after all")


async def test_a_reader_that_falls_behind_pauses_its_sequence_once() -> None:
    """Above the high-water mark the sequence is paused, and told so once, not at every output."""
    reader, news = reader_with_news()
    for n in range(HIGH_WATER + 10):
        reader(TextOutput(str(n)))

    assert news == [True]


async def test_a_reader_that_caught_up_goes_on_and_lost_nothing() -> None:
    """Below the low-water mark the sequence goes on; in between nothing is said."""
    reader, news = reader_with_news()
    for n in range(HIGH_WATER + 1):
        reader(TextOutput(str(n)))
    read = await take(reader, HIGH_WATER + 1 - LOW_WATER)
    assert news == [True]
    read += await take(reader, LOW_WATER)

    assert news == [True, False]
    assert read == [TextOutput(str(n)) for n in range(HIGH_WATER + 1)]


async def test_a_reader_that_keeps_up_is_never_paused() -> None:
    """However much passes through."""
    reader, news = reader_with_news()
    for n in range(3 * HIGH_WATER):
        reader(TextOutput(str(n)))
        await reader.next(60)

    assert news == []
