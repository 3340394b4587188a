"""The way of an event from the gateway to its handler. Knows no event's meaning."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bindings.discord.payloads import Payload
from core.errors import CspsError, Stopping

log = structlog.get_logger()


class EventQueue:
    """Events on their way to a handler. The gateway awaits `wait_for_capacity` before it reads the next one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._events: asyncio.Queue[tuple[str, Payload]] = asyncio.Queue()
        self._has_capacity = asyncio.Event()
        self._has_capacity.set()

    def put(self, kind: str, data: Payload) -> None:
        self._events.put_nowait((kind, data))
        if self._events.qsize() >= self._limit:
            self._has_capacity.clear()

    async def get(self) -> tuple[str, Payload]:
        event = await self._events.get()
        if self._events.qsize() < self._limit:
            self._has_capacity.set()
        return event

    async def wait_for_capacity(self) -> None:
        await self._has_capacity.wait()


async def handle_all(queue: EventQueue, handle: Callable[[str, Payload], Awaitable[None]]) -> None:
    """Handles events until cancelled."""
    while True:
        await handle(*await queue.get())


async def handle_safely(kind: str, handling: Awaitable[None]) -> None:
    """Logs the error of one event, so that the next is handled. Raises Stopping."""
    try:
        await handling
    except Stopping:
        raise
    except CspsError as exc:
        log.warning("event_failed", platform="discord", kind=kind, code=exc.code, problem=exc.message)
    except Exception:  # e.g. a malformed payload; its text must not end the bot
        log.exception("event_failed", platform="discord", kind=kind)
