"""Heartbeats of a silent stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from web.heartbeat import with_heartbeats

SOON_S = 0.001
NEVER_S = 3600.0


async def test_silence_is_broken_until_the_next_part() -> None:
    """None stands for each silence; the parts keep their order, and none is lost."""
    noticed = asyncio.Event()

    async def parts() -> AsyncGenerator[int, None]:
        yield 1
        await noticed.wait()
        yield 2

    received = []
    async with aclosing(with_heartbeats(parts(), SOON_S)) as beating:
        async for part in beating:
            received.append(part)
            if part is None:
                noticed.set()

    assert [part for part in received if part] == [1, 2]
    assert None in received[1 : received.index(2)]


async def test_an_error_comes_after_the_parts_before_it() -> None:
    """It is the same exception."""

    async def parts() -> AsyncGenerator[int, None]:
        yield 1
        raise KeyError("x")

    beating = with_heartbeats(parts(), NEVER_S)
    assert await anext(beating) == 1
    with pytest.raises(KeyError, match="x"):
        await anext(beating)


async def test_closing_cancels_the_parts() -> None:
    """Also while one is awaited."""
    closed = asyncio.Event()

    async def parts() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with aclosing(with_heartbeats(parts(), SOON_S)) as beating:
        assert await anext(beating) == 1
        assert await anext(beating) is None

    assert closed.is_set()
