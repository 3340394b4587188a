"""The bot's own role in a guild, and the parent channel of a thread, which message payloads lack."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import discord
from cachetools import LRUCache

from bindings.delivery.outlet import DeliveryError, Throttled, Unreachable
from bindings.discord.api import DiscordApi
from bindings.discord.interactions import THREADS
from bindings.discord.mapping import ChannelContext, Payload
from core.runtime.backoff import NO_JITTER, Backoff

BACKOFF = Backoff(first_s=0.5, limit_s=8.0, jitter=NO_JITTER)
RETRIES = 5  # later messages wait meanwhile
CACHE_SIZE = 1024


class GuildCache:
    """Uses the SDK's cache first: Discord fills it at the start of a session and keeps it current."""

    def __init__(self, client: Callable[[], discord.Client], api: DiscordApi) -> None:
        self._client = client
        self._api = api
        self._parents: LRUCache[str, str | None] = LRUCache(CACHE_SIZE)  # channel → parent
        self._roles: LRUCache[str, str | None] = LRUCache(CACHE_SIZE)  # guild → role

    def cached_context(self, guild_id: str) -> ChannelContext:
        client = self._client()
        assert client.user is not None  # logged in
        guild = client.get_guild(int(guild_id)) if guild_id else None
        role = guild.self_role if guild else None
        return ChannelContext(str(client.user.id), frozenset({str(role.id)} if role else ()))

    async def fetch_context(self, payload: Payload) -> ChannelContext:
        """The bot's id, and its role if the message mentions roles."""
        guild_id = str(payload.get("guild_id") or "")
        context = self.cached_context(guild_id)
        if context.bot_roles or not payload.get("mention_roles"):
            return context
        role = await self._fetch_role(guild_id, context.bot_id)
        return replace(context, bot_roles=frozenset({role} if role else ()))

    async def _fetch_role(self, guild_id: str, bot_id: str) -> str | None:
        """A resumed session has no guilds in the SDK's cache."""
        if guild_id not in self._roles:
            ids = {"guild_id": guild_id}
            try:
                roles = await retry(lambda: self._api.call("read", "GET", "/guilds/{guild_id}/roles", ids))
            except DeliveryError:
                return None
            own = (str(role["id"]) for role in roles if (role.get("tags") or {}).get("bot_id") == bot_id)
            self._roles[guild_id] = next(own, None)
        return self._roles[guild_id]

    async def fetch_parent(self, payload: Payload) -> str | None:
        """The parent of a message's channel. None: the channel is not a thread."""
        if payload.get("guild_id") is None:
            return None
        guild = self._client().get_guild(int(payload["guild_id"]))
        channel = guild.get_channel_or_thread(int(payload["channel_id"])) if guild else None
        if isinstance(channel, discord.Thread):
            return str(channel.parent_id)
        return None if channel else await self._fetch_unknown_parent(str(payload["channel_id"]))

    async def _fetch_unknown_parent(self, channel_id: str) -> str | None:
        if channel_id not in self._parents:
            ids = {"channel_id": channel_id}
            try:
                channel = await retry(lambda: self._api.call_for_message("read", "GET", "/channels/{channel_id}", ids))
            except DeliveryError:
                return None  # most channels are not threads
            self._parents[channel_id] = channel.get("parent_id") if channel.get("type") in THREADS else None
        return self._parents[channel_id]


async def retry(call: Callable[[], Awaitable[Any]]) -> Any:
    """Retries after passing errors: a thread mistaken for a channel would lose its conversation.

    Raises DeliveryError.
    """
    for failures in range(1, RETRIES + 1):
        try:
            return await call()
        except (Throttled, Unreachable) as exc:
            await asyncio.sleep(min(BACKOFF.limit_s, BACKOFF.pause_s(failures, exc.retry_after_s or 0.0)))
    return await call()
