"""Notices that an engine hangs, while a stream of it is silent: a hung process closes no connection.

Silence alone is no failure. A request may stand in the engine's queue for minutes; its health check answers then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from core.errors import CspsError, ModelUnavailable
from core.openai.chat_protocol import StreamEvent

CHECK_AFTER_S = 10.0  # of silence, and then as often
FAILED_CHECKS = 2  # in a row


async def watch_silence(
    events: AsyncGenerator[StreamEvent, None], check: Callable[[], Awaitable[None]]
) -> AsyncGenerator[StreamEvent, None]:
    """Passes the events on. `check`: raises CspsError if the engine is not healthy.

    Raises ModelUnavailable if the engine is silent and fails its checks. The caller closes `events`.
    """
    while True:
        awaited = asyncio.ensure_future(anext(events))
        try:
            await wait_checked(awaited, check)
        finally:
            if not awaited.done():
                awaited.cancel()
                await asyncio.wait({awaited})
        try:
            event = awaited.result()
        except StopAsyncIteration:
            return
        yield event


async def wait_checked(awaited: asyncio.Future[StreamEvent], check: Callable[[], Awaitable[None]]) -> None:
    """Returns when the event is there. Raises ModelUnavailable."""
    failed = 0
    while not (await asyncio.wait({awaited}, timeout=CHECK_AFTER_S))[0]:
        try:
            await check()
            failed = 0
        except CspsError as exc:
            failed += 1
            if failed == FAILED_CHECKS and not awaited.done():
                raise ModelUnavailable(f"the engine hangs: {exc.message}") from exc
