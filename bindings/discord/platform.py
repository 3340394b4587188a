"""What the intake asks of Discord. See `bindings.platform.Platform`."""

from __future__ import annotations

from collections.abc import Callable

from bindings.delivery.outlet import Refused
from bindings.discord.calls import Calls
from bindings.discord.destinations import destination_of
from bindings.discord.files import Files
from bindings.discord.indicator import Indicator
from bindings.discord.mapping import Around, heard_in
from bindings.discord.outlet import DiscordOutlet
from bindings.incoming import AttachedFile, IncomingMessage, Place
from core.contract import Turn

HEARD = 50  # messages back, at most


def nothing() -> None:
    """A command shows by itself that it is thought about."""


class DiscordPlatform:
    """`around`: what is known of us in a guild, by its id."""

    name = "discord"

    def __init__(
        self,
        calls: Calls,
        files: Files,
        indicator: Indicator,
        around: Callable[[str], Around],
    ) -> None:
        self._calls = calls
        self._files = files
        self._indicator = indicator
        self._around = around

    def outlet(self, incoming: IncomingMessage) -> DiscordOutlet:
        place = incoming.place
        me = self._around(place.tenant).me
        shown = nothing if place.route else self._indicator.begin(place.thread or place.channel)
        return DiscordOutlet(destination_of(incoming, self._calls, me), shown)

    async def thread_messages(self, incoming: IncomingMessage) -> tuple[Turn, ...]:
        """Without the message-content intent, others' words are empty, and only what is visible is heard."""
        place = incoming.place
        if place.kind == "personal":
            return ()  # everything there is said to us
        ids = {"channel_id": place.thread or place.channel}
        params = {"before": incoming.message, "limit": HEARD}
        try:
            found = await self._calls.ask("read", "GET", "/channels/{channel_id}/messages", ids, params=params)
        except Refused:
            return ()  # without "Read Message History" it cannot be known
        newest_first = sorted(found, key=lambda each: int(each["id"]), reverse=True)
        return heard_in(newest_first, self._around(place.tenant))

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        return await self._files.fetch(file, limit_bytes)

    async def forget(self, place: Place) -> None:
        """Nothing is kept."""

    async def purge(self) -> None:
        """Nothing is kept."""
