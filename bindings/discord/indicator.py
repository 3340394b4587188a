"""Shows that the bot is writing, until its first words stand there. Discord shows it for ten seconds a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from bindings.delivery.outlet import DeliveryError
from bindings.discord.calls import Calls

FIRST_S = 0.3  # quicker answers need none
AGAIN_S = 8.0
TIMES = 8  # then whoever waits has long read what is being waited for

Spawn = Callable[[Coroutine[None, None, None]], None]


class Indicator:
    def __init__(self, calls: Calls, spawn: Spawn) -> None:
        self._calls = calls
        self._spawn = spawn

    def begin(self, channel: str) -> Callable[[], None]:
        """What is returned ends it."""
        posted = asyncio.Event()
        self._spawn(self._show(channel, posted))
        return posted.set

    async def _show(self, channel: str, posted: asyncio.Event) -> None:
        for pause_s in (FIRST_S, *[AGAIN_S] * (TIMES - 1)):
            if await within(pause_s, posted) or not await self._typing(channel):
                return

    async def _typing(self, channel: str) -> bool:
        """False: it cannot be shown there, which the answer itself will tell of."""
        try:
            await self._calls.ask("post", "POST", "/channels/{channel_id}/typing", {"channel_id": channel})
        except DeliveryError:
            return False
        return True


async def within(pause_s: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(pause_s):
            return await event.wait()
    except TimeoutError:
        return False
