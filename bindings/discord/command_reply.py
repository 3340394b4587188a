"""The reply to a slash command, through the command's token. Knows ids and bodies, not pages.

https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
"""

from __future__ import annotations

from collections.abc import Callable

import discord

from bindings.delivery.outlet import Gone, Refused, Unreachable, Unsent
from bindings.discord.api import DiscordApi, MessageBody, build_content
from bindings.discord.destinations import ChannelDestination, Destination, replied_message
from bindings.discord.interactions import EPHEMERAL
from bindings.discord.payloads import as_id, as_mapping, as_number
from bindings.incoming import IncomingMessage

FOLLOW_UP = "/webhooks/{webhook_id}/{webhook_token}"
ORIGINAL = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
REPLY_MESSAGE = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"

TOKEN_S = 14 * 60.0  # of the 15 minutes for which a command's token is valid
LOADING = 1 << 7  # the flag of a reply that still shows "thinking …"


class CommandReply:
    """The reply to a command and its follow-ups. `later` takes over once the token has expired.

    None: only the token reaches these messages, because they are private or the bot is not in the channel.
    """

    def __init__(
        self, api: DiscordApi, incoming: IncomingMessage, later: ChannelDestination | None, clock: Callable[[], float]
    ) -> None:
        route = incoming.place.route
        self._api = api
        self._ids = {"webhook_id": route["application"], "webhook_token": route["token"]}
        self._interaction = route["interaction"]
        self._expires_at = discord.utils.snowflake_time(int(self._interaction)).timestamp() + TOKEN_S
        self._is_private = "private" in route
        self._later = later
        self._clock = clock
        self._closed = False
        self._replied = False
        self.is_ordered = later is not None

    @property
    def is_safe_to_repeat(self) -> bool:
        """False for follow-ups that no lookup finds; the reply itself is always found."""
        return self._later is not None or not self._replied

    @property
    def is_open(self) -> bool:
        """True while the token is used. Without another way, Discord decides whether it has expired."""
        return not self._closed and (self._later is None or self._clock() < self._expires_at)

    def close(self) -> bool:
        """Uses the token no more. False: there is no other way."""
        can_close = self.is_open and self._later is not None
        self._closed = self._closed or can_close
        return can_close

    async def create(self, body: MessageBody, nonce: str, file: discord.File | None = None) -> MessageBody:
        if not self.is_open:
            return await (await self._build_follow_up()).create(body, nonce, file)
        if file is None and not self._replied and await self._is_loading():
            message = await self._api.call_for_message("answer", "PATCH", ORIGINAL, self._ids, json=body)
            self._replied = True
            return message
        if self._is_private:
            body = {**body, "flags": as_number(body.get("flags")) | EPHEMERAL}
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
        recent = await self._list_recent()
        own = [each for each in recent if self._belongs(each)]
        if self.is_open and not own:
            own = [await self._read_original()]
        own += [each for each in recent if own and replied_message(each) == own[0]["id"]]
        return [each for each in own if not is_loading(each)]

    @property
    def _channel(self) -> Destination:
        assert self._later is not None  # else the token stays open
        return self._later

    async def _list_recent(self) -> list[MessageBody]:
        if self._later is None:
            return []
        try:
            return await self._later.list_own()
        except (Refused, Gone):
            return []

    async def _is_loading(self) -> bool:
        """Asks Discord, because an earlier process may have replaced "thinking …". Raises Unsent if that fails."""
        try:
            original = await self._read_original()
        except Unreachable as exc:
            raise Unsent(exc.message) from exc
        return is_loading(original)

    async def _read_original(self) -> MessageBody:
        original = await self._api.call_for_message("read", "GET", ORIGINAL, self._ids)
        self._replied = not is_loading(original)
        return original

    async def _build_follow_up(self) -> ChannelDestination:
        """The channel, in reply to the answer's first message."""
        assert self._later is not None
        own = await self.list_own()
        return self._later.replying_to(own[0]["id"]) if own else self._later

    def _belongs(self, message: MessageBody) -> bool:
        return as_id(as_mapping(message.get("interaction_metadata")).get("id")) == self._interaction


def is_loading(message: MessageBody) -> bool:
    return bool(as_number(message.get("flags")) & LOADING)
