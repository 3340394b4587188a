"""The limiter of concurrency per key."""

from __future__ import annotations

import asyncio

from core.runtime.keyed_limiter import KeyedLimiter


async def test_a_key_admits_its_limit_and_other_keys_are_free() -> None:
    """The second caller of a key waits for the first and finds its result; another key does not wait."""
    limiter: KeyedLimiter[str] = KeyedLimiter(1)
    results: list[str | None] = []

    async def second() -> None:
        async with limiter.slot("a") as entry:
            results.append(entry.result)

    async with limiter.slot("a") as entry:
        waiting = asyncio.create_task(second())
        async with limiter.slot("b"):
            await asyncio.sleep(0)
        assert not results
        entry.result = "page"
    await waiting

    assert results == ["page"]


async def test_a_key_without_callers_is_forgotten() -> None:
    """The next caller starts without a result."""
    limiter: KeyedLimiter[str] = KeyedLimiter(1)
    async with limiter.slot("a") as entry:
        entry.result = "page"
    async with limiter.slot("a") as entry:
        assert entry.result is None
