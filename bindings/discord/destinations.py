"""Where the messages of one answer are made, changed and found: in a channel, or as the reply to a slash command.

Knows ids and bodies, not pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

import discord

from bindings.delivery.outlet import Gone, Refused
from bindings.discord.calls import Body, Calls, Doing, content_of
from bindings.incoming import IncomingMessage

HISTORY = 100  # messages, the most that Discord gives at once
TOKEN_S = 14 * 60.0  # of the 15 minutes that a command can be answered in its own way
LOADING = 1 << 7  # a reply that only says "thinking …" so far


class Destination(Protocol):
    """Methods raise DeliveryError."""

    async def create(self, body: Body, nonce: str, file: discord.File | None = None) -> Body:
        """Discord's message. With the same nonce within a few minutes, the one that was made then."""
        ...

    async def change(self, ref: str, body: Body) -> None: ...

    async def remove(self, ref: str) -> None: ...

    async def ours(self) -> list[Body]:
        """Of the messages since the question, those of this answer, oldest first."""
        ...


class Channel:
    """A channel, thread or direct message. `question`: the message that is replied to, if there is one."""

    def __init__(self, calls: Calls, channel: str, me: str, since: str, question: str | None) -> None:
        self._calls = calls
        self._ids = {"channel_id": channel}
        self._me = me
        self._since = since
        self._question = question

    async def create(self, body: Body, nonce: str, file: discord.File | None = None) -> Body:
        body = {**body, "nonce": nonce, "enforce_nonce": True}
        if self._question is not None:
            body["message_reference"] = {"message_id": self._question, "fail_if_not_exists": False}
        doing: Doing = "upload" if file else "post"
        return await self._calls.message(
            doing, "POST", "/channels/{channel_id}/messages", self._ids, **content_of(body, file)
        )

    async def change(self, ref: str, body: Body) -> None:
        await self._calls.ask("edit", "PATCH", MESSAGE_IN_CHANNEL, {**self._ids, "message_id": ref}, json=body)

    async def remove(self, ref: str) -> None:
        await self._calls.ask("delete", "DELETE", MESSAGE_IN_CHANNEL, {**self._ids, "message_id": ref})

    async def ours(self) -> list[Body]:
        params = {"after": self._since, "limit": HISTORY}
        answer = await self._calls.ask("read", "GET", "/channels/{channel_id}/messages", self._ids, params=params)
        asked = self._question
        found = [each for each in answer if each["author"]["id"] == self._me and asked in (None, replied_to(each))]
        return sorted(found, key=lambda each: int(each["id"]))

    def replying_to(self, message: str) -> Channel:
        return Channel(self._calls, self._ids["channel_id"], self._me, self._since, message)


def replied_to(message: Body) -> str | None:
    found = (message.get("message_reference") or {}).get("message_id")
    return None if found is None else str(found)


MESSAGE_IN_CHANNEL = "/channels/{channel_id}/messages/{message_id}"


class CommandReply:
    """The reply to a slash command, and what follows it; after 15 minutes, ordinary messages in `channel`."""

    def __init__(
        self,
        calls: Calls,
        route: Mapping[str, str],
        channel: Channel,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._calls = calls
        self._ids = {"webhook_id": route["application"], "webhook_token": route["token"]}
        self._interaction = route["interaction"]
        self._until = discord.utils.snowflake_time(int(self._interaction)).timestamp() + TOKEN_S
        self._channel = channel
        self._clock = clock
        self._replied = False

    @property
    def open(self) -> bool:
        return self._clock() < self._until

    async def create(self, body: Body, nonce: str, file: discord.File | None = None) -> Body:
        if not self.open:
            return await (await self._below()).create(body, nonce, file)
        if file is None and not self._replied and await self._awaited():
            made = await self._calls.message("answer", "PATCH", ORIGINAL, self._ids, json=body)
            self._replied = True
            return made
        return await self._calls.message("answer", "POST", FOLLOW_UP, self._ids, **content_of(body, file))

    async def _awaited(self) -> bool:
        """Whether "thinking …" still stands there: a process before this one may have replaced it."""
        original = await self._calls.message("read", "GET", ORIGINAL, self._ids)
        self._replied = not original.get("flags", 0) & LOADING
        return not self._replied

    async def change(self, ref: str, body: Body) -> None:
        if self.open:
            ids = {**self._ids, "message_id": ref}
            await self._calls.ask("edit", "PATCH", MESSAGE_OF_REPLY, ids, json=body)
        else:
            await self._channel.change(ref, body)

    async def remove(self, ref: str) -> None:
        if self.open:
            await self._calls.ask("delete", "DELETE", MESSAGE_OF_REPLY, {**self._ids, "message_id": ref})
        else:
            await self._channel.remove(ref)

    async def _below(self) -> Channel:
        """The channel, in reply to the first message of this answer."""
        begun = await self.ours()
        return self._channel.replying_to(begun[0]["id"]) if begun else self._channel

    async def ours(self) -> list[Body]:
        """Without the right to read the channel, the reply itself is still known."""
        try:
            since = await self._channel.ours()
        except (Refused, Gone):
            since = []
        found = [each for each in since if self._follows(each)]
        if self.open and not found:
            found = [await self._calls.message("read", "GET", ORIGINAL, self._ids)]
        below = [each for each in since if found and replied_to(each) == found[0]["id"]]
        return [each for each in [*found, *below] if not each.get("flags", 0) & LOADING]

    def _follows(self, message: Body) -> bool:
        return (message.get("interaction_metadata") or {}).get("id") == self._interaction


FOLLOW_UP = "/webhooks/{webhook_id}/{webhook_token}"
ORIGINAL = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
MESSAGE_OF_REPLY = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"


def destination_of(incoming: IncomingMessage, calls: Calls, me: str) -> Destination:
    place = incoming.place
    since = incoming.event.rpartition(":")[2].removeprefix("i")
    command = "interaction" in place.route
    channel = Channel(calls, place.thread or place.channel, me, since, None if command else incoming.message)
    return CommandReply(calls, place.route, channel) if command else channel
