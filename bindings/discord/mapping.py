"""Messages from Discord's gateway → `IncomingMessage`. Pure; knows no SDK.

https://discord.com/developers/docs/events/gateway-events#message-create
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bindings.incoming import AttachedFile, IncomingMessage, Place
from core.contract import Attachment, Turn

Payload = Mapping[str, Any]

PERSON_TYPES = (0, 19)  # an ordinary message, a reply; Discord itself writes the other types
REPLY, FORWARD = 0, 1  # types of references
USER_MENTION = re.compile(r"<@!?(\d+)>")
EMOJI = re.compile(r"<a?(:\w+:)\d+>")
COMMAND_MENTION = re.compile(r"<(/[^<>:\n]+):\d+>")
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # neither UTF-8 nor a database accepts these
SMALL_PRINT = re.compile(r"^-# .*$\n?", re.MULTILINE)  # status and footer of the bot's own messages


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """Facts about a message's channel that its payload lacks."""

    bot_id: str
    bot_roles: frozenset[str] = frozenset()  # the bot's own role in the guild
    parent: str | None = None  # of a thread: the channel that contains it
    participating: bool = False  # the bot has answered in this thread


def parse_message(payload: Payload, context: ChannelContext) -> IncomingMessage | None:
    """None: not for the bot. Without the Message Content intent, messages that do not mention it come empty."""
    if not is_from_person(payload, context.bot_id):
        return None
    text, files = parse_text(payload, context), parse_files(payload)
    if not is_for_bot(payload, context, readable=bool(text or files)):
        return None
    return IncomingMessage(
        event=f"discord:{payload['id']}",
        place=build_place(payload, context.parent),
        message=str(payload["id"]),
        user=str(payload["author"]["id"]),
        text=text,
        files=files,
        quoted=parse_quotes(payload, context),
    )


def is_for_bot(payload: Payload, context: ChannelContext, *, readable: bool) -> bool:
    """An empty message is for the bot only if it mentions the bot."""
    if not readable:
        return is_mentioned(payload, context)
    if payload.get("guild_id") is None or is_addressed(payload, context):
        return True
    return context.participating and not is_for_others(payload)


def is_from_person(payload: Payload, bot_id: str) -> bool:
    """False for bots, webhooks and Discord's own messages."""
    author = payload.get("author") or {}
    if payload.get("type", 0) not in PERSON_TYPES or author.get("bot") or payload.get("webhook_id"):
        return False
    return author.get("id") not in (None, bot_id)


def build_place(payload: Payload, parent: str | None) -> Place:
    channel, guild = str(payload["channel_id"]), payload.get("guild_id")
    if guild is None:
        return Place("discord", "", channel, None, "personal")
    if parent is None:
        return Place("discord", str(guild), channel, None, "channel")
    return Place("discord", str(guild), parent, channel, "channel")


def is_addressed(payload: Payload, context: ChannelContext) -> bool:
    """True if the message mentions the bot or replies to it."""
    author = (referenced_message(payload) or {}).get("author") or {}
    return is_mentioned(payload, context) or author.get("id") == context.bot_id


def is_mentioned(payload: Payload, context: ChannelContext) -> bool:
    users = {user.get("id") for user in payload.get("mentions") or ()}
    return context.bot_id in users or bool(context.bot_roles.intersection(payload.get("mention_roles") or ()))


def is_for_others(payload: Payload) -> bool:
    """True if a message in the bot's thread is addressed to other people."""
    return bool(payload.get("mentions") or payload.get("mention_roles") or referenced_message(payload))


def referenced_message(payload: Payload) -> Payload | None:
    """The message that this one replies to, unless it is deleted."""
    reference = payload.get("message_reference") or {}
    message = payload.get("referenced_message")
    return message if reference.get("type", REPLY) == REPLY and isinstance(message, Mapping) else None


def parse_text(payload: Payload, context: ChannelContext) -> str:
    """The text without mentions of the bot, and with other mentions as names."""
    roles = [f"@&{role}" for role in sorted(context.bot_roles)]
    own = "|".join(re.escape(token) for token in (f"@{context.bot_id}", f"@!{context.bot_id}", *roles))
    # The match starts only at the first blank of a run: starting at each of them would take quadratic time.
    text = re.sub(rf"(?:(?<![ \t])[ \t]++)?<(?:{own})>[ \t]*", " ", payload.get("content") or "")
    return to_plain_text(text, payload).strip()


def to_plain_text(text: str, payload: Payload) -> str:
    """Replaces Discord's tokens for users, emoji and commands with the text that people see."""
    names = {user.get("id"): display_name(user, user.get("member")) for user in payload.get("mentions") or ()}
    text = USER_MENTION.sub(lambda match: f"@{names.get(match[1]) or match[1]}", remove_non_text(text))
    return COMMAND_MENTION.sub(r"\1", EMOJI.sub(r"\1", text))


def display_name(user: Payload, member: Payload | None) -> str:
    return remove_non_text((member or {}).get("nick") or user.get("global_name") or user.get("username") or "")


def remove_non_text(text: str) -> str:
    return NOT_TEXT.sub("", text)


def parse_files(payload: Payload) -> tuple[AttachedFile, ...]:
    """The files of the message, of the one that it replies to, and of those that it forwards."""
    messages = [payload, referenced_message(payload) or {}, *forwarded_messages(payload)]
    return tuple(parse_file(each) for message in messages for each in message.get("attachments") or ())


def parse_file(attachment: Payload) -> AttachedFile:
    name, url = remove_non_text(attachment["filename"]), remove_non_text(attachment["url"])
    media_type = (attachment.get("content_type") or "").partition(";")[0].strip()
    return AttachedFile(name, url, media_type, attachment.get("size"))


def parse_quotes(payload: Payload, context: ChannelContext) -> tuple[Attachment, ...]:
    quotes = [Attachment("forwarded message", message_text(each)) for each in forwarded_messages(payload)]
    if reply := referenced_message(payload):
        author = "this assistant" if reply["author"]["id"] == context.bot_id else display_name(reply["author"], None)
        quotes.append(Attachment(f"message from {author}", message_text(reply)))
    return tuple(each for each in quotes if each.text)


def forwarded_messages(payload: Payload) -> list[Payload]:
    return [each["message"] for each in payload.get("message_snapshots") or ()]


def message_text(payload: Payload) -> str:
    return SMALL_PRINT.sub("", to_plain_text(payload.get("content") or "", payload)).strip()


def parse_thread_messages(newest_first: list[Payload], context: ChannelContext) -> tuple[Turn, ...]:
    """People's messages since the bot's last one, oldest first, without those to the bot: they are turns already."""
    turns: list[Turn] = []
    for payload in newest_first:
        if (payload.get("author") or {}).get("id") == context.bot_id:
            break
        text = message_text(payload)
        if text and is_from_person(payload, context.bot_id) and not is_addressed(payload, context):
            turns.append(Turn("user", text, display_name(payload["author"], payload.get("member"))))
    return tuple(reversed(turns))
