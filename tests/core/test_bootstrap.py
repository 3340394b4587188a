"""Background tasks end with their engine."""

from __future__ import annotations

import asyncio
from typing import Any

from core.bootstrap import keep_sources_warm
from core.errors import ModelUnavailable


class Gathering:
    """A finder whose parts raise an error when they are cancelled, as an opening connection may.

    `gather` then raises that error, and not CancelledError.
    """

    def __init__(self) -> None:
        self.started = asyncio.Event()

    async def warm(self) -> None:
        await asyncio.gather(self._part(), self._part())

    async def _part(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ModelUnavailable("the model cannot be reached") from None


async def test_warming_ends_when_it_is_cancelled() -> None:
    """Before, it never ended, so `toil run` and a web process on SIGTERM waited for ever."""
    finder: Any = Gathering()
    warming = asyncio.create_task(keep_sources_warm(finder, asyncio.Event()))
    await finder.started.wait()
    warming.cancel()
    await asyncio.wait([warming], timeout=30)
    assert warming.cancelled()
