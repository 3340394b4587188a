"""The places to which the answer to one message may go."""

from __future__ import annotations

import time
from collections.abc import Callable

from bindings.discord.api import DiscordApi
from bindings.discord.command_reply import CommandReply
from bindings.discord.destinations import ChannelDestination, DirectMessages
from bindings.discord.outlet import AnswerPlaces
from bindings.incoming import IncomingMessage


def build_places(
    incoming: IncomingMessage, api: DiscordApi, bot_id: str, clock: Callable[[], float] = time.time
) -> AnswerPlaces:
    place, route = incoming.place, incoming.place.route
    since = incoming.event.rpartition(":")[2].removeprefix("i")
    asked_in = route.get("channel") or place.thread or place.channel
    is_command = "interaction" in route
    channel = ChannelDestination(api, asked_in, bot_id, since, None if is_command else incoming.message)
    reaches_channel = "private" not in route and "external" not in route
    reply = CommandReply(api, incoming, channel if reaches_channel else None, clock) if is_command else channel
    direct = DirectMessages(api, incoming.user, bot_id, since)
    return AnswerPlaces(
        reply,
        None if place.kind == "personal" and reaches_channel else direct,
        asked_in,
        incoming.language or "en",
        "private" in route,
    )
