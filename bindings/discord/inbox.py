"""Events between the gateway, which calls, and those who work on them, who wait."""

from __future__ import annotations

import asyncio

from bindings.discord.mapping import Payload

Event = tuple[str, Payload]


class Inbox:
    """Bounded by whoever fills it: `room` is awaited before the next event is read from the network."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._roomy = asyncio.Event()
        self._roomy.set()

    def put(self, event: Event) -> None:
        self._events.put_nowait(event)
        if self._events.qsize() >= self._limit:
            self._roomy.clear()

    async def get(self) -> Event:
        event = await self._events.get()
        if self._events.qsize() < self._limit:
            self._roomy.set()
        return event

    async def room(self) -> None:
        await self._roomy.wait()
