"""One request's queue of outputs on the event loop."""

from __future__ import annotations

import asyncio

from core.contract import Usage
from core.model.worker.loaded_model import HIGH_WATER, OutputQueue
from core.model.worker.sequence import FinishedOutput, QueuedOutput, SequenceOutput, TextOutput


def queue_with_pauses() -> tuple[OutputQueue, list[bool]]:
    queue, pauses = OutputQueue(), list[bool]()
    queue.pause = pauses.append
    return queue, pauses


async def take(queue: OutputQueue, count: int) -> list[SequenceOutput | None]:
    return [await queue.get(60) for _ in range(count)]


async def test_outputs_arrive_in_order() -> None:
    """Outputs queued before the first get arrive too. Texts that follow each other are one."""
    waiting, end = QueuedOutput(1, None), FinishedOutput("stop", Usage(1, 2, 0))
    queue = OutputQueue()
    for output in (waiting, TextOutput("a"), TextOutput("b"), end):
        queue.put(output)

    assert await take(queue, 3) == [waiting, TextOutput("ab"), end]


async def test_a_consumer_that_keeps_up_gets_each_text() -> None:
    """No text waits for a later one."""
    queue, texts = OutputQueue(), list[SequenceOutput | None]()
    for n in range(3):
        queue.put(TextOutput(str(n)))
        texts.append(await queue.get(60))

    assert texts == [TextOutput("0"), TextOutput("1"), TextOutput("2")]


async def test_get_waits_for_the_next_output() -> None:
    """A waiting consumer wakes up at the next output."""
    queue = OutputQueue()
    waiting = asyncio.create_task(queue.get(60))
    asyncio.get_running_loop().call_soon(lambda: queue.put(TextOutput("late")))

    assert await waiting == TextOutput("late")


async def test_get_returns_none_after_its_timeout() -> None:
    """A later output is not lost."""
    queue = OutputQueue()

    assert await queue.get(0) is None
    queue.put(TextOutput("after all"))
    assert await queue.get(60) == TextOutput("after all")


async def test_a_slow_consumer_pauses_its_sequence_once() -> None:
    """Above the high-water mark the queue calls pause once, not at every output."""
    queue, pauses = queue_with_pauses()
    for n in range(HIGH_WATER + 10):
        queue.put(TextOutput(str(n)))

    assert pauses == [True]


async def test_a_consumer_that_catches_up_continues_its_sequence() -> None:
    """The sequence continues, and no output was lost."""
    queue, pauses = queue_with_pauses()
    for n in range(HIGH_WATER + 1):
        queue.put(TextOutput(str(n)))
    assert pauses == [True]
    outputs = await take(queue, 1)

    assert pauses == [True, False]
    assert outputs == [TextOutput("".join(map(str, range(HIGH_WATER + 1))))]


async def test_a_sequence_stays_paused_while_its_outputs_wait() -> None:
    """A report of the queue stands before the texts."""
    queue, pauses = queue_with_pauses()
    queue.put(QueuedOutput(1, None))
    for n in range(HIGH_WATER + 1):
        queue.put(TextOutput(str(n)))
    await take(queue, 1)
    assert pauses == [True]
    await take(queue, 1)

    assert pauses == [True, False]


async def test_a_fast_consumer_never_pauses_its_sequence() -> None:
    """The number of outputs does not matter."""
    queue, pauses = queue_with_pauses()
    for n in range(3 * HIGH_WATER):
        queue.put(TextOutput(str(n)))
        await queue.get(60)

    assert pauses == []
