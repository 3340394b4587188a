"""The admission queue: its limits on concurrency, length and waiting time."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import Overloaded
from core.runtime.admission_queue import AdmissionQueue


async def hold(queue: AdmissionQueue, until: asyncio.Event) -> None:
    async with queue.slot():
        await until.wait()


async def test_a_full_queue_rejects_the_next_caller_at_once() -> None:
    """The error says when to retry; the callers in the queue get their slots in order."""
    queue, go = AdmissionQueue("reading", slots=2, queue_limit=1, wait_limit_s=60), asyncio.Event()
    served = [asyncio.create_task(hold(queue, go)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="reading: 1 wait") as refusal:
        await hold(queue, go)
    go.set()
    await asyncio.gather(*served)

    assert refusal.value.retry_after_s == 60
    await hold(queue, go)


async def test_a_caller_is_rejected_after_the_wait_limit() -> None:
    """The rejected caller does not keep a slot that becomes free later."""
    queue, go = AdmissionQueue("reading", slots=1, queue_limit=9, wait_limit_s=0.01), asyncio.Event()
    served = asyncio.create_task(hold(queue, go))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match=r"no turn within 0\.01 s"):
        await hold(queue, go)
    go.set()
    await served

    await hold(queue, go)


async def test_a_cancelled_caller_frees_its_place() -> None:
    """A caller cancelled in the queue frees its place there; one cancelled in a slot frees the slot."""
    queue, go = AdmissionQueue("reading", slots=1, queue_limit=1, wait_limit_s=60), asyncio.Event()
    served, waiting = (asyncio.create_task(hold(queue, go)) for _ in range(2))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    after = asyncio.create_task(hold(queue, go))
    await asyncio.sleep(0)
    served.cancel()
    go.set()

    await after
