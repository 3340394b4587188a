"""Gives Discord's events to the intake. Owns no policy, and nothing that a restart may lose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import replace

import discord
import structlog
from cachetools import LRUCache

from bindings.delivery.outlet import DeliveryError, Gone, Refused
from bindings.discord import interactions
from bindings.discord.api import DiscordApi, MessageBody
from bindings.discord.command_reply import FOLLOW_UP, ORIGINAL
from bindings.discord.guild_cache import GuildCache
from bindings.discord.interactions import ButtonPress
from bindings.discord.mapping import ChannelContext, build_place, parse_message
from bindings.discord.mention_names import MentionDirectory
from bindings.discord.payloads import Payload, as_id, as_ids, as_text
from bindings.discord.rendering import NO_MENTIONS, SUPPRESS_EMBEDS, build_shown_message
from bindings.incoming import IncomingMessage
from bindings.intake.intake import Intake
from bindings.store import FeedbackValue
from core.contract import Language
from core.errors import CspsError, StorageError
from core.runtime.backoff import NO_JITTER, Backoff
from core.texts import error_text, text

log = structlog.get_logger()

ALREADY_ACKNOWLEDGED = 40060  # by an attempt whose outcome was unknown
BACKOFF = Backoff(first_s=1.0, limit_s=30.0, jitter=NO_JITTER)
EDIT_LIMIT_S = 24 * 3600.0  # the age of a message to which an edit may add a mention
SHOWN_LIMIT = 1024
RETRY_LIMIT_S = 1.5  # before the second acknowledgement; Discord's deadline is three seconds for both


class MessageEvents:
    """Handles events in order. `reads_threads`: with the Message Content intent, threads need no mentions.

    `bots`: ids of bots that may ask; `channels`: ids of channels where no message needs a mention.
    """

    def __init__(
        self,
        intake: Intake,
        guilds: GuildCache,
        names: MentionDirectory,
        *,
        reads_threads: bool,
        bots: Collection[str] = (),
        channels: Collection[str] = (),
    ) -> None:
        self._intake = intake
        self._guilds = guilds
        self._names = names
        self._reads_threads = reads_threads
        self._bots = frozenset(bots)
        self._channels = frozenset(channels)

    async def handle(self, kind: str, data: Payload) -> None:
        """Retries while the database fails, because Discord does not send the event again.

        Raises Stopping: the event was not handled and is left to the next process.
        """
        for pause_s in BACKOFF.pauses():
            try:
                await self._handle(kind, data)
            except StorageError as exc:
                problem = exc.message
            else:
                return
            log.error("event_store_failed", platform="discord", kind=kind, problem=problem)
            await asyncio.sleep(pause_s)

    async def _handle(self, kind: str, data: Payload) -> None:
        match kind:
            case "MESSAGE_CREATE":
                await self._take(await self._build_incoming(data))
            case "MESSAGE_UPDATE" if is_recent_edit(data, time.time()):  # a mention may be new
                await self._take(await self._build_asked(data))
            case "MESSAGE_DELETE":
                await self._withdraw(data, [data.get("id")])
            case "MESSAGE_DELETE_BULK":
                await self._withdraw(data, data.get("ids"))
            case "GUILD_DELETE" if not data.get("unavailable"):  # unavailable: an outage of Discord, not a removal
                await self._intake.forget_workspace(as_id(data.get("id")))

    async def _take(self, incoming: IncomingMessage | None) -> None:
        if incoming is not None:
            await self._intake.take(incoming)

    async def _build_incoming(self, data: Payload) -> IncomingMessage | None:
        """The message if it is addressed to the bot, or needs no mention where it is."""
        if incoming := await self._build_asked(data):
            return incoming
        if not self._reads_threads:
            return None
        context = replace(await self._guilds.fetch_context(data), participating=True)
        if parse_message(data, context) is None:
            return None
        context = replace(context, parent=await self._guilds.fetch_parent(data))
        follow_up = parse_message(data, context)
        if follow_up is None or not await self._needs_no_mention(follow_up):
            return None
        return parse_message(data, await self._name_all(data, context))

    async def _build_asked(self, data: Payload) -> IncomingMessage | None:
        context = replace(await self._guilds.fetch_context(data), bots=self._bots)
        if parse_message(data, context) is None:
            return None  # most messages end here, without a call or a query
        context = replace(context, parent=await self._guilds.fetch_parent(data))
        return parse_message(data, await self._name_all(data, context))

    async def _needs_no_mention(self, incoming: IncomingMessage) -> bool:
        """Outside threads only in the listed channels: a channel is no conversation with the bot."""
        place = incoming.place
        is_heard = place.thread is not None or place.channel in self._channels
        return is_heard and await self._intake.answers_without_mention(incoming)

    async def _name_all(self, data: Payload, context: ChannelContext) -> ChannelContext:
        """Adds names and titles, which need calls."""
        guild = as_id(data.get("guild_id"))
        names = await self._names.fetch(guild, [data])
        begins_thread = context.parent is not None and data.get("id") == data.get("channel_id")
        title = await self._guilds.fetch_title(guild, as_id(data.get("channel_id"))) if begins_thread else None
        return replace(context, names=names, title=title)

    async def _withdraw(self, data: Payload, messages: object) -> None:
        place = build_place(data, await self._guilds.fetch_parent(data))
        for message in sorted(as_ids(messages)):
            await self._intake.withdraw_question(place, message)


class InteractionEvents:
    """Handles slash commands and buttons. Discord's deadline for the acknowledgement is three seconds."""

    def __init__(self, intake: Intake, api: DiscordApi, names: MentionDirectory) -> None:
        self._intake = intake
        self._api = api
        self._names = names
        self._shown: LRUCache[str, bool] = LRUCache(SHOWN_LIMIT)  # messages that were shown to everyone

    async def handle(self, data: Payload) -> None:
        if data.get("type") not in (interactions.COMMAND, interactions.COMPONENT) or not await self._acknowledge(data):
            return
        if press := interactions.parse_button_press(data):
            await self._handle_press(press, data)
        elif interactions.parse_slash_command(data):
            await self._handle_command(data)

    async def _handle_command(self, data: Payload) -> None:
        names = await self._names.fetch(as_id(data.get("guild_id")), [data])
        incoming = interactions.parse_slash_command(data, names)
        if incoming and (problem := await self._submit(incoming)):
            await self._replace_loading(data, problem)

    async def _acknowledge(self, data: Payload) -> bool:
        """Tries twice. After False, Discord itself shows the person that the bot did not respond."""
        for last in (False, True):
            try:
                await self._send_acknowledgement(data)
            except DeliveryError as exc:
                if is_repeat(exc):
                    return True
                if last or isinstance(exc, (Gone, Refused)):
                    log.warning("acknowledgement_failed", platform="discord", problem=exc.message)
                    return False
                await asyncio.sleep(min(RETRY_LIMIT_S, exc.retry_after_s or 0.0))
            else:
                return True
        return False

    async def _send_acknowledgement(self, data: Payload) -> None:
        ids = {"webhook_id": as_id(data.get("id")), "webhook_token": as_text(data.get("token"))}
        path = "/interactions/{webhook_id}/{webhook_token}/callback"
        await self._api.call("answer", "POST", path, ids, json=interactions.build_acknowledgement(data))

    async def _submit(self, incoming: IncomingMessage) -> str | None:
        """Gives a message to the intake. Returns the reason for the person if it is rejected."""
        language: Language = incoming.language or "en"
        try:
            if rejection := self._intake.rejection(incoming, language):
                return rejection
            await self._intake.take(incoming)
        except CspsError as exc:
            log.warning("event_take_failed", platform="discord", code=exc.code, problem=exc.message)
            return error_text(exc, language)
        return None

    async def _handle_press(self, press: ButtonPress, data: Payload) -> None:
        match press.action:
            case "regenerate":
                if problem := await self._submit(interactions.build_regenerate(press, data)):
                    await self._reply_privately(data, problem)
            case "stop" if press.is_allowed:
                await self._intake.stop_answer(press.place, press.message)
            case "stop":
                await self._replace_loading(data, text("discord-stop-refused", press.language))
            case "show":
                await self._show_to_everyone(press, data)
            case "good" | "bad":
                await self._replace_loading(data, await self._record_feedback(press, press.action))

    async def _show_to_everyone(self, press: ButtonPress, data: Payload) -> None:
        """Posts a page of a private answer once. The acknowledgement has removed the button."""
        if press.message in self._shown:
            await self._reply_privately(data, text("discord-shown-already", press.language))
            return
        self._shown[press.message] = True
        try:
            await self._call(data, "POST", FOLLOW_UP, build_shown_message(data, press.language))
        except DeliveryError as exc:
            self._shown.pop(press.message, None)
            log.warning("answer_show_failed", platform="discord", problem=exc.message)
            await self._reply_privately(data, text("discord-show-failed", press.language))

    async def _record_feedback(self, press: ButtonPress, value: FeedbackValue) -> str:
        try:
            is_stored = await self._intake.record_feedback(press.answer, press.speaker, value)
        except CspsError as exc:
            log.warning("feedback_store_failed", platform="discord", code=exc.code, problem=exc.message)
            return text("discord-feedback-failed", press.language)
        return text("discord-feedback-stored" if is_stored else "discord-feedback-unknown", press.language)

    async def _replace_loading(self, data: Payload, sentence: str) -> None:
        """Replaces "thinking …"."""
        await self._send(data, "PATCH", ORIGINAL, sentence, SUPPRESS_EMBEDS)

    async def _reply_privately(self, data: Payload, sentence: str) -> None:
        """Sends a new message: here "@original" is the answer above the button."""
        await self._send(data, "POST", FOLLOW_UP, sentence, SUPPRESS_EMBEDS | interactions.EPHEMERAL)

    async def _send(self, data: Payload, method: str, path: str, sentence: str, flags: int) -> None:
        await self._call(data, method, path, {"content": sentence, "allowed_mentions": NO_MENTIONS, "flags": flags})

    async def _call(self, data: Payload, method: str, path: str, body: MessageBody) -> None:
        ids = {"webhook_id": as_id(data.get("application_id")), "webhook_token": as_text(data.get("token"))}
        await self._api.call("answer", method, path, ids, json=body)


def is_repeat(exc: DeliveryError) -> bool:
    return isinstance(exc.__cause__, discord.HTTPException) and exc.__cause__.code == ALREADY_ACKNOWLEDGED


def is_recent_edit(data: Payload, now: float) -> bool:
    """True if a person changed a message lately. Discord also sends this event when it adds previews to old messages.

    The intake ignores a message that it took before the edit.
    """
    if not as_text(data.get("edited_timestamp")) or not (message := as_id(data.get("id"))):
        return False
    return now - discord.utils.snowflake_time(int(message)).timestamp() < EDIT_LIMIT_S
