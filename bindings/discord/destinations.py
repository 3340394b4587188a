"""Creates, edits and lists the messages of one answer in a channel, a thread or a direct message.

Knows ids and bodies, not pages.
"""

from __future__ import annotations

from typing import Protocol

import discord

from bindings.discord.api import ApiAction, DiscordApi, MessageBody, build_content
from bindings.discord.payloads import as_id, as_mapping, as_mappings

CHANNEL_MESSAGES = "/channels/{channel_id}/messages"
CHANNEL_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
DIRECT_CHANNELS = "/users/@me/channels"

HISTORY_LIMIT = 100  # messages, Discord's maximum per call


class Destination(Protocol):
    """Methods raise DeliveryError."""

    is_ordered: bool  # `list_own` returns all messages of this answer and no others, so that their positions count

    @property
    def is_safe_to_repeat(self) -> bool:
        """True if a repeated `create` makes no second message, because of its nonce or after `list_own`."""
        ...

    async def create(self, body: MessageBody, nonce: str, file: discord.File | None = None) -> MessageBody:
        """Returns Discord's message. A channel returns the same message for the same nonce for a few minutes."""
        ...

    async def edit(self, ref: str, body: MessageBody) -> None: ...

    async def delete(self, ref: str) -> None: ...

    async def list_own(self) -> list[MessageBody]:
        """Returns messages of the bot that may be this answer's, oldest first."""
        ...


class ChannelDestination:
    """A channel, thread or direct message. `question` is the message to reply to; `since` an id before the answer."""

    is_safe_to_repeat = True  # Discord knows the nonce

    def __init__(self, api: DiscordApi, channel: str, bot_id: str, since: str, question: str | None) -> None:
        self._api = api
        self._ids = {"channel_id": channel}
        self._bot_id = bot_id
        self._since = since
        self._question = question
        self.is_ordered = question is not None

    async def create(self, body: MessageBody, nonce: str, file: discord.File | None = None) -> MessageBody:
        body = {**body, "nonce": nonce, "enforce_nonce": True}
        if self._question is not None:
            body["message_reference"] = {"message_id": self._question, "fail_if_not_exists": False}
        action: ApiAction = "upload" if file else "post"
        return await self._api.call_for_message(
            action, "POST", CHANNEL_MESSAGES, self._ids, **build_content(body, file)
        )

    async def edit(self, ref: str, body: MessageBody) -> None:
        await self._api.call("edit", "PATCH", CHANNEL_MESSAGE, {**self._ids, "message_id": ref}, json=body)

    async def delete(self, ref: str) -> None:
        await self._api.call("delete", "DELETE", CHANNEL_MESSAGE, {**self._ids, "message_id": ref})

    async def list_own(self) -> list[MessageBody]:
        params = {"after": self._since, "limit": HISTORY_LIMIT}
        messages = as_mappings(await self._api.call("read", "GET", CHANNEL_MESSAGES, self._ids, params=params))
        own = [dict(each) for each in messages if as_id(as_mapping(each.get("author")).get("id")) == self._bot_id]
        if self._question is not None:
            own = [each for each in own if replied_message(each) == self._question]
        return sorted(own, key=lambda each: int(as_id(each.get("id")) or 0))

    def replying_to(self, message: str | None) -> ChannelDestination:
        return ChannelDestination(self._api, self._ids["channel_id"], self._bot_id, self._since, message)


class DirectMessages:
    """Direct messages to a person. https://discord.com/developers/docs/resources/user#create-dm"""

    is_ordered = False
    is_safe_to_repeat = True

    def __init__(self, api: DiscordApi, user: str, bot_id: str, since: str) -> None:
        self._api = api
        self._user = user
        self._bot_id = bot_id
        self._since = since
        self._channel: ChannelDestination | None = None

    async def create(self, body: MessageBody, nonce: str, file: discord.File | None = None) -> MessageBody:
        return await (await self._open()).create(body, nonce, file)

    async def edit(self, ref: str, body: MessageBody) -> None:
        await (await self._open()).edit(ref, body)

    async def delete(self, ref: str) -> None:
        await (await self._open()).delete(ref)

    async def list_own(self) -> list[MessageBody]:
        return await (await self._open()).list_own()

    async def _open(self) -> ChannelDestination:
        """Returns the channel, which Discord opens or already has."""
        if self._channel is None:
            body = {"recipient_id": self._user}
            channel = await self._api.call_for_message("direct", "POST", DIRECT_CHANNELS, {}, json=body)
            channel_id = str(channel["id"])
            self._channel = ChannelDestination(self._api, channel_id, self._bot_id, self._since, None)
        return self._channel


def replied_message(message: MessageBody) -> str | None:
    return as_id(as_mapping(message.get("message_reference")).get("message_id")) or None
