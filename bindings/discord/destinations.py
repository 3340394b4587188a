"""Creates, edits and lists the messages of one answer: in a channel, or as the reply to a slash command.

Knows ids and bodies, not pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import discord

from bindings.delivery.outlet import Gone, Refused
from bindings.discord.api import ApiAction, DiscordApi, MessageBody, build_content
from bindings.incoming import IncomingMessage

CHANNEL_MESSAGES = "/channels/{channel_id}/messages"
CHANNEL_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
FOLLOW_UP = "/webhooks/{webhook_id}/{webhook_token}"
ORIGINAL = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
REPLY_MESSAGE = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"

HISTORY_LIMIT = 100  # messages, Discord's maximum per call
TOKEN_S = 14 * 60.0  # of the 15 minutes for which a command's token is valid
LOADING = 1 << 7  # the flag of a reply that still shows "thinking …"


class Destination(Protocol):
    """Methods raise DeliveryError."""

    async def create(self, body: MessageBody, nonce: str, file: discord.File | None = None) -> MessageBody:
        """Returns Discord's message. A channel returns the same message for the same nonce for a few minutes."""
        ...

    async def edit(self, ref: str, body: MessageBody) -> None: ...

    async def delete(self, ref: str) -> None: ...

    async def list_own(self) -> list[MessageBody]:
        """Returns this answer's messages, oldest first."""
        ...


class ChannelDestination:
    """A channel, thread or direct message. `question` is the message to reply to; `since` an id before the answer."""

    def __init__(self, api: DiscordApi, channel: str, bot_id: str, since: str, question: str | None) -> None:
        self._api = api
        self._ids = {"channel_id": channel}
        self._bot_id = bot_id
        self._since = since
        self._question = question

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
        messages = await self._api.call("read", "GET", CHANNEL_MESSAGES, self._ids, params=params)
        own = [each for each in messages if each["author"]["id"] == self._bot_id]
        if self._question is not None:
            own = [each for each in own if replied_message(each) == self._question]
        return sorted(own, key=lambda each: int(each["id"]))

    def replying_to(self, message: str) -> ChannelDestination:
        return ChannelDestination(self._api, self._ids["channel_id"], self._bot_id, self._since, message)


class CommandReply:
    """The reply to a slash command and its follow-ups; once the token expires, ordinary messages in `channel`."""

    def __init__(
        self, api: DiscordApi, incoming: IncomingMessage, channel: ChannelDestination, clock: Callable[[], float]
    ) -> None:
        route = incoming.place.route
        self._api = api
        self._ids = {"webhook_id": route["application"], "webhook_token": route["token"]}
        self._interaction = route["interaction"]
        self._expires_at = discord.utils.snowflake_time(int(self._interaction)).timestamp() + TOKEN_S
        self._channel = channel
        self._clock = clock
        self._replied = False

    @property
    def is_open(self) -> bool:
        return self._clock() < self._expires_at

    async def create(self, body: MessageBody, nonce: str, file: discord.File | None = None) -> MessageBody:
        if not self.is_open:
            return await (await self._build_follow_up()).create(body, nonce, file)
        if file is None and not self._replied and await self._is_loading():
            message = await self._api.call_for_message("answer", "PATCH", ORIGINAL, self._ids, json=body)
            self._replied = True
            return message
        return await self._api.call_for_message("answer", "POST", FOLLOW_UP, self._ids, **build_content(body, file))

    async def edit(self, ref: str, body: MessageBody) -> None:
        if self.is_open:
            await self._api.call("edit", "PATCH", REPLY_MESSAGE, {**self._ids, "message_id": ref}, json=body)
        else:
            await self._channel.edit(ref, body)

    async def delete(self, ref: str) -> None:
        if self.is_open:
            await self._api.call("delete", "DELETE", REPLY_MESSAGE, {**self._ids, "message_id": ref})
        else:
            await self._channel.delete(ref)

    async def list_own(self) -> list[MessageBody]:
        """Finds the reply by its token if the bot may not read the channel."""
        try:
            recent = await self._channel.list_own()
        except (Refused, Gone):
            recent = []
        own = [each for each in recent if self._belongs(each)]
        if self.is_open and not own:
            own = [await self._api.call_for_message("read", "GET", ORIGINAL, self._ids)]
        own += [each for each in recent if own and replied_message(each) == own[0]["id"]]
        return [each for each in own if not is_loading(each)]

    async def _is_loading(self) -> bool:
        """Asks Discord, because an earlier process may have replaced "thinking …"."""
        self._replied = not is_loading(await self._api.call_for_message("read", "GET", ORIGINAL, self._ids))
        return not self._replied

    async def _build_follow_up(self) -> ChannelDestination:
        """The channel, in reply to the answer's first message."""
        own = await self.list_own()
        return self._channel.replying_to(own[0]["id"]) if own else self._channel

    def _belongs(self, message: MessageBody) -> bool:
        return (message.get("interaction_metadata") or {}).get("id") == self._interaction


def replied_message(message: MessageBody) -> str | None:
    reference = (message.get("message_reference") or {}).get("message_id")
    return None if reference is None else str(reference)


def is_loading(message: MessageBody) -> bool:
    return bool(message.get("flags", 0) & LOADING)


def build_destination(
    incoming: IncomingMessage, api: DiscordApi, bot_id: str, clock: Callable[[], float] = time.time
) -> Destination:
    place = incoming.place
    since = incoming.event.rpartition(":")[2].removeprefix("i")
    is_command = "interaction" in place.route
    question = None if is_command else incoming.message
    channel = ChannelDestination(api, place.thread or place.channel, bot_id, since, question)
    return CommandReply(api, incoming, channel, clock) if is_command else channel
