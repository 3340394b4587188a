"""The interface of Discord that the intake uses, with the typing indicator. See `bindings.incoming.Platform`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace

from bindings.delivery.outlet import DeliveryError, Gone, Refused
from bindings.discord.api import DiscordApi
from bindings.discord.destinations import CHANNEL_MESSAGE, CHANNEL_MESSAGES
from bindings.discord.files import DiscordFiles
from bindings.discord.guild_cache import GuildCache
from bindings.discord.mention_names import MentionDirectory
from bindings.discord.outlet import DiscordOutlet
from bindings.discord.payloads import Payload
from bindings.discord.places import build_places
from bindings.discord.thread import build_thread, since_last_answer, sort_newest_first
from bindings.incoming import AttachedFile, IncomingMessage, Place, ThreadMessages
from bindings.intake.commands import message_language

THREAD_LIMIT = 50  # messages
TYPING_DELAY_S = 0.3  # quicker answers need no indicator
TYPING_REPEAT_S = 8.0  # Discord shows the indicator for ten seconds
TYPING_CALLS = 8  # about a minute, by which a first post or a status has replaced it


class DiscordPlatform:
    """`spawn` starts a background task that ends with the process."""

    name = "discord"

    def __init__(
        self,
        api: DiscordApi,
        files: DiscordFiles,
        guilds: GuildCache,
        names: MentionDirectory,
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._api = api
        self._files = files
        self._guilds = guilds
        self._names = names
        self._spawn = spawn

    def outlet(self, incoming: IncomingMessage) -> DiscordOutlet:
        """Starts the typing indicator, except for slash commands: Discord itself shows "thinking …" for them."""
        place, posted = incoming.place, asyncio.Event()
        if not place.route:
            self._spawn(self._show_typing(place.thread or place.channel, posted))
        bot_id = self._guilds.cached_context(place.tenant).bot_id
        return DiscordOutlet(build_places(incoming, self._api, bot_id), posted.set)

    async def thread_messages(self, incoming: IncomingMessage) -> ThreadMessages:
        """Without the Message Content intent, other people's messages come empty and are left out."""
        place = find_source(incoming.place)
        if place.kind == "personal" or "external" in place.route:
            return ThreadMessages()  # all messages are to the bot there, or the bot is not there
        try:
            messages, begun = await self._read_latest(place, incoming.message)
        except (Refused, Gone):
            return ThreadMessages()  # the permission "Read Message History" is missing, or the bot is not there
        context = self._guilds.cached_context(place.tenant)
        if place.thread and not begun:
            title = await self._guilds.fetch_title(place.tenant, place.thread)
            context = replace(context, title=title if incoming.message != place.thread else None)
        names = await self._names.fetch(place.tenant, messages)
        return build_thread(messages, replace(context, names=names), message_language(incoming) or "en")

    async def _read_latest(self, place: Place, before: str) -> tuple[list[Payload], bool]:
        """The messages since the bot's last one, oldest first. True: the bot has written before them.

        Of a thread that is longer than one call's answer, the first message is read too.
        """
        ids = {"channel_id": place.thread or place.channel}
        params = {"before": before, "limit": THREAD_LIMIT}
        answer = await self._api.call("read", "GET", CHANNEL_MESSAGES, ids, params=params)
        bot_id = self._guilds.cached_context(place.tenant).bot_id
        messages, begun = since_last_answer(sort_newest_first(answer), bot_id)
        if place.thread and not begun and len(messages) >= THREAD_LIMIT:
            messages = [*await self._read_starter(place.channel, place.thread), *messages]
        return messages, begun

    async def _read_starter(self, parent: str, thread: str) -> list[Payload]:
        """The message that began a thread has the thread's id: in the thread (a forum's post), or in its channel."""
        for channel in (thread, parent):
            ids = {"channel_id": channel, "message_id": thread}
            with suppress(Refused, Gone):
                return [await self._api.call_for_message("read", "GET", CHANNEL_MESSAGE, ids)]
        return []

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        return await self._files.fetch(file, limit_bytes)

    async def forget(self, place: Place) -> None:
        """Does nothing: no data is kept outside the database."""

    async def purge(self) -> None:
        """Does nothing: no data is kept outside the database."""

    async def _show_typing(self, channel: str, posted: asyncio.Event) -> None:
        """Shows that the bot is typing until `posted` is set. Ends if Discord refuses: the answer reports it too."""
        for pause_s in (TYPING_DELAY_S, *[TYPING_REPEAT_S] * (TYPING_CALLS - 1)):
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await posted.wait()
            if posted.is_set():
                return
            try:
                await self._api.call("post", "POST", "/channels/{channel_id}/typing", {"channel_id": channel})
            except DeliveryError:
                return


def find_source(place: Place) -> Place:
    """The channel or thread in which a message was written: a private answer has a conversation of its own."""
    channel = place.route.get("channel")
    return place if channel is None else replace(place, thread=None if channel == place.channel else channel)
