"""Who may go on, by key: so many at a time for each, in order of arrival. Knows nothing of what they then do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

Found = TypeVar("Found")


@dataclass(slots=True)
class Line(Generic[Found]):
    """Those who want the same. `found`: what one of them leaves for the others."""

    gate: asyncio.Semaphore
    wanted_by: int = 0
    found: Found | None = None


class Turns(Generic[Found]):
    """A key that nobody wants any more is forgotten, and what was found with it."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lines: dict[str, Line[Found]] = {}

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[Line[Found]]:
        line = self._lines.setdefault(key, Line(asyncio.Semaphore(self._at_once)))
        line.wanted_by += 1
        try:
            async with line.gate:
                yield line
        finally:
            line.wanted_by -= 1
            if not line.wanted_by:
                del self._lines[key]
