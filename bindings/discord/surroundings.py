"""What a message does not say itself: which role is the bot's own in a guild, and whether a channel is a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import discord
from cachetools import LRUCache

from bindings.delivery.outlet import DeliveryError, Throttled, Unreachable
from bindings.discord.calls import Calls
from bindings.discord.interactions import THREADS
from bindings.discord.mapping import Around, Payload

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # all later messages wait meanwhile
IN_VIEW = 1024  # that the SDK does not know


class Surroundings:
    """From the SDK's books where they have it: Discord sends them at the start and keeps them current."""

    def __init__(self, client: Callable[[], discord.Client], calls: Calls) -> None:
        self._client = client
        self._calls = calls
        self._asked: LRUCache[str, str | None] = LRUCache(IN_VIEW)  # channel → parent
        self._roles: LRUCache[str, str | None] = LRUCache(IN_VIEW)  # guild → role

    def of_guild(self, guild_id: str) -> Around:
        client = self._client()
        assert client.user is not None  # logged in
        guild = client.get_guild(int(guild_id)) if guild_id else None
        role = guild.self_role if guild else None
        return Around(str(client.user.id), frozenset({str(role.id)} if role else ()))

    async def of(self, payload: Payload) -> Around:
        """Of whom a message may call."""
        guild_id = str(payload.get("guild_id") or "")
        around = self.of_guild(guild_id)
        if around.my_roles or not payload.get("mention_roles"):
            return around
        role = await self._asked_role(guild_id, around.me)
        return replace(around, my_roles=frozenset({role} if role else ()))

    async def _asked_role(self, guild_id: str, me: str) -> str | None:
        """After a restart Discord does not tell again what the guilds are like."""
        if guild_id not in self._roles:
            try:
                roles = await insist(
                    lambda: self._calls.ask("read", "GET", "/guilds/{guild_id}/roles", {"guild_id": guild_id})
                )
            except DeliveryError:
                return None
            own = (str(each["id"]) for each in roles if (each.get("tags") or {}).get("bot_id") == me)
            self._roles[guild_id] = next(own, None)
        return self._roles[guild_id]

    async def parent_of(self, payload: Payload) -> str | None:
        """Of the channel of a message, if it is a thread."""
        if payload.get("guild_id") is None:
            return None
        guild = self._client().get_guild(int(payload["guild_id"]))
        channel = guild.get_channel_or_thread(int(payload["channel_id"])) if guild else None
        if isinstance(channel, discord.Thread):
            return str(channel.parent_id)
        return None if channel else await self._asked_parent(str(payload["channel_id"]))

    async def _asked_parent(self, channel_id: str) -> str | None:
        if channel_id not in self._asked:
            try:
                found = await insist(
                    lambda: self._calls.message("read", "GET", "/channels/{channel_id}", {"channel_id": channel_id})
                )
            except DeliveryError:
                return None  # taken for a channel, which is right for most
            self._asked[channel_id] = found.get("parent_id") if found.get("type") in THREADS else None
        return self._asked[channel_id]


async def insist(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The answer, though it fails in passing: a message that is taken for one elsewhere is answered without its past.

    Raises DeliveryError.
    """
    for pause_s in PAUSES_S:
        try:
            return await ask()
        except (Throttled, Unreachable) as exc:
            await asyncio.sleep(min(PAUSES_S[-1], max(pause_s, exc.retry_after_s or 0.0)))
    return await ask()
