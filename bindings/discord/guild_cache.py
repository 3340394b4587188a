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
from bindings.discord.mapping import ChannelContext, ThreadTitle
from bindings.discord.payloads import Payload, as_id, as_mapping, as_mappings, as_text
from core.runtime.backoff import NO_JITTER, Backoff

BACKOFF = Backoff(first_s=0.5, limit_s=8.0, jitter=NO_JITTER)
RETRIES = 5  # later messages wait meanwhile
CACHE_SIZE = 1024
CHANNEL = "/channels/{channel_id}"
FORUMS = (15, 16)  # types of channels whose threads are posts


class GuildCache:
    """Uses the SDK's cache first: Discord fills it at the start of a session and keeps it current.

    `client` returns the client that knows a server; "" is none.
    """

    def __init__(self, client: Callable[[str], discord.Client], api: DiscordApi) -> None:
        self._client = client
        self._api = api
        self._parents: LRUCache[str, str | None] = LRUCache(CACHE_SIZE)  # channel → parent
        self._roles: LRUCache[str, str | None] = LRUCache(CACHE_SIZE)  # guild → role

    def cached_context(self, guild_id: str) -> ChannelContext:
        client = self._client(guild_id)
        assert client.user is not None  # logged in
        guild = client.get_guild(int(guild_id)) if guild_id else None
        role = guild.self_role if guild else None
        return ChannelContext(str(client.user.id), frozenset({str(role.id)} if role else ()))

    async def fetch_context(self, payload: Payload) -> ChannelContext:
        """The bot's id, and its role if the message mentions roles."""
        guild_id = as_id(payload.get("guild_id"))
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
            own = (as_id(role.get("id")) for role in as_mappings(roles) if managing_bot(role) == bot_id)
            self._roles[guild_id] = next(own, None)
        return self._roles[guild_id]

    async def fetch_parent(self, payload: Payload) -> str | None:
        """The parent of a message's channel. None: the channel is not a thread."""
        guild_id, channel_id = as_id(payload.get("guild_id")), as_id(payload.get("channel_id"))
        if not guild_id or not channel_id:
            return None
        channel = self._cached_channel(guild_id, channel_id)
        if isinstance(channel, discord.Thread):
            return str(channel.parent_id)
        return None if channel else await self._fetch_unknown_parent(channel_id)

    async def fetch_title(self, guild_id: str, thread_id: str) -> ThreadTitle | None:
        """The title and tags of a thread. None: Discord does not tell."""
        thread = self._cached_channel(guild_id, thread_id)
        if isinstance(thread, discord.Thread):
            is_post = isinstance(thread.parent, discord.ForumChannel)
            return ThreadTitle(thread.name, tuple(tag.name for tag in thread.applied_tags), is_post)
        try:
            payload = await self._fetch_channel(thread_id)
            parent = await self._fetch_channel(as_id(payload.get("parent_id")))
        except DeliveryError:
            return None
        return parse_title(payload, parent)

    def _cached_channel(self, guild_id: str, channel_id: str) -> object | None:
        guild = self._client(guild_id).get_guild(int(guild_id))
        return guild.get_channel_or_thread(int(channel_id)) if guild else None

    async def _fetch_channel(self, channel_id: str) -> Payload:
        return await self._api.call_for_message("read", "GET", CHANNEL, {"channel_id": channel_id})

    async def _fetch_unknown_parent(self, channel_id: str) -> str | None:
        if channel_id not in self._parents:
            try:
                channel = await retry(lambda: self._fetch_channel(channel_id))
            except DeliveryError:
                return None  # most channels are not threads
            self._parents[channel_id] = as_id(channel.get("parent_id")) or None if is_thread(channel) else None
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


def is_thread(channel: Payload) -> bool:
    return channel.get("type") in THREADS


def managing_bot(role: Payload) -> str:
    """The id of the bot that has this role as its own."""
    return as_id(as_mapping(role.get("tags")).get("bot_id"))


def parse_title(thread: Payload, parent: Payload) -> ThreadTitle | None:
    names = {as_id(tag.get("id")): as_text(tag.get("name")) for tag in as_mappings(parent.get("available_tags"))}
    applied = thread.get("applied_tags")
    tags = [names.get(as_id(each), "") for each in applied] if isinstance(applied, list) else []
    title = as_text(thread.get("name"))
    return ThreadTitle(title, tuple(filter(None, tags)), parent.get("type") in FORUMS) if title else None
