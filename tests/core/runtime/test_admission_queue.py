"""A line before a few places."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import Overloaded
from core.runtime.admission_queue import Line


async def hold(line: Line, until: asyncio.Event) -> None:
    async with line.place():
        await until.wait()


async def test_who_finds_the_line_full_is_sent_away() -> None:
    """At once, with when to come back; those in line have their turn one after another."""
    line, go = Line("reading", places=2, limit=1, wait_limit_s=60), asyncio.Event()
    served = [asyncio.create_task(hold(line, go)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="reading: 1 wait") as refusal:
        await hold(line, go)
    go.set()
    await asyncio.gather(*served)

    assert refusal.value.retry_after_s == 60
    await hold(line, go)


async def test_nobody_waits_for_ever() -> None:
    """Nor takes a place that is given to them too late."""
    line, go = Line("reading", places=1, limit=9, wait_limit_s=0.01), asyncio.Event()
    served = asyncio.create_task(hold(line, go))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match=r"no turn within 0\.01 s"):
        await hold(line, go)
    go.set()
    await served

    await hold(line, go)


async def test_who_leaves_the_line_leaves_room_in_it() -> None:
    """And who is cancelled in a place leaves that."""
    line, go = Line("reading", places=1, limit=1, wait_limit_s=60), asyncio.Event()
    served, waiting = (asyncio.create_task(hold(line, go)) for _ in range(2))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    after = asyncio.create_task(hold(line, go))
    await asyncio.sleep(0)
    served.cancel()
    go.set()

    await after
