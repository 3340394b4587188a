"""Names of the people, roles and channels that a message mentions, which its payload often lacks.

A channel is named only if everybody in the server may see it: anybody can write any channel's id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Literal

import discord
from cachetools import TTLCache

from bindings.delivery.outlet import DeliveryError
from bindings.discord.api import DiscordApi
from bindings.discord.markup import MentionNames, find_mentions
from bindings.discord.message_content import display_name
from bindings.discord.payloads import Payload, as_id, as_mapping, as_mappings, as_text

NameKind = Literal["user", "role", "channel"]

CACHE_SIZE = 4096
CACHE_S = 600.0  # names change
CALLS_LIMIT = 10  # for one message
LOOKUP_S = 3.0  # for all calls of one message: later messages wait meanwhile
VIEW_CHANNEL = 1 << 10  # https://discord.com/developers/docs/topics/permissions
THREADS = (10, 11, 12)  # types of channels; their visibility is that of another channel


class MentionDirectory:
    """Uses the SDK's cache first. After a failed call, the mention stays an id."""

    def __init__(self, client: Callable[[str], discord.Client], api: DiscordApi) -> None:
        self._client = client
        self._api = api
        self._names: TTLCache[tuple[NameKind, str], str] = TTLCache(CACHE_SIZE, CACHE_S)

    async def fetch(self, guild_id: str, payloads: Iterable[Payload]) -> MentionNames:
        """The names of everything that the texts of these messages mention. Does not raise."""
        payloads = list(payloads)
        found = find_mentions(payloads)
        sources = {as_id(as_mapping(each.get("message_reference")).get("channel_id")) for each in payloads}
        channels = found.channels | (sources - {""})
        guild = self._client(guild_id).get_guild(int(guild_id)) if guild_id else None
        missing: list[tuple[NameKind, str]] = [
            *(("role", each) for each in found.roles if not self._find_role(guild, each)),
            *(("channel", each) for each in channels if not self._find_channel(guild, each)),
            *(("user", each) for each in found.users - known_users(payloads) if not self._names.get(("user", each))),
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOKUP_S):
                await self._fetch_missing(guild_id, missing[:CALLS_LIMIT])
        return MentionNames(
            {each: self._names.get(("user", each), "") for each in found.users},
            {each: self._find_role(guild, each) for each in found.roles},
            {each: self._find_channel(guild, each) for each in channels},
        )

    def _find_role(self, guild: discord.Guild | None, role_id: str) -> str:
        role = guild.get_role(int(role_id)) if guild else None
        return role.name if role else self._names.get(("role", role_id), "")

    def _find_channel(self, guild: discord.Guild | None, channel_id: str) -> str:
        channel = guild.get_channel_or_thread(int(channel_id)) if guild else None
        if guild and channel:
            return channel.name if everybody_sees(guild, channel) else ""
        return self._names.get(("channel", channel_id), "")

    async def _fetch_missing(self, guild_id: str, missing: list[tuple[NameKind, str]]) -> None:
        if guild_id and any(kind == "role" for kind, _ in missing):
            await self._fetch_roles(guild_id)
        users = [self._fetch_user(each) for kind, each in missing if kind == "user"]
        channels = [self._fetch_channel(guild_id, each) for kind, each in missing if kind == "channel" and guild_id]
        await asyncio.gather(*users, *channels)

    async def _fetch_roles(self, guild_id: str) -> None:
        with suppress(DeliveryError):
            roles = await self._api.call("read", "GET", "/guilds/{guild_id}/roles", {"guild_id": guild_id})
            for role in as_mappings(roles):
                self._names["role", as_id(role.get("id"))] = as_text(role.get("name"))

    async def _fetch_user(self, user_id: str) -> None:
        with suppress(DeliveryError):
            user = await self._api.call_for_message("read", "GET", "/users/{user_id}", {"user_id": user_id})
            self._names["user", user_id] = display_name(user)

    async def _fetch_channel(self, guild_id: str, channel_id: str) -> None:
        with suppress(DeliveryError):
            ids = {"channel_id": channel_id}
            channel = await self._api.call_for_message("read", "GET", "/channels/{channel_id}", ids)
            if is_visible(channel, guild_id):
                self._names["channel", channel_id] = as_text(channel.get("name"))


def everybody_sees(guild: discord.Guild, channel: discord.abc.GuildChannel | discord.Thread) -> bool:
    if isinstance(channel, discord.Thread):
        return not channel.is_private() and channel.parent is not None and everybody_sees(guild, channel.parent)
    return channel.permissions_for(guild.default_role).view_channel


def is_visible(channel: Payload, guild_id: str) -> bool:
    """True if a channel's payload is of this server and hides it from nobody. A thread's payload cannot tell."""
    if as_id(channel.get("guild_id")) != guild_id or channel.get("type") in THREADS:
        return False
    overwrites = as_mappings(channel.get("permission_overwrites"))
    everybody = next((each for each in overwrites if as_id(each.get("id")) == guild_id), {})
    denied = as_id(everybody.get("deny")) or "0"
    return not int(denied) & VIEW_CHANNEL


def known_users(payloads: Iterable[Payload]) -> set[str]:
    """The ids of people whose names the payloads contain."""
    return {as_id(user.get("id")) for each in payloads for user in as_mappings(each.get("mentions"))}
