"""Messages as Discord's gateway sends them → `IncomingMessage`. Pure; knows no SDK.

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

SPOKEN = (0, 19)  # an ordinary message, a reply; the others are Discord's own words
REPLY, FORWARD = 0, 1  # kinds of references
NAMED = re.compile(r"<@!?(\d+)>")
EMOJI = re.compile(r"<a?(:\w+:)\d+>")
SLASH = re.compile(r"<(/[^<>:\n]+):\d+>")
UNTEXT = re.compile("[\x00\ud800-\udfff]")  # what no database and no UTF-8 takes; no person writes it
SMALL_PRINT = re.compile(r"^-# .*$\n?", re.MULTILINE)  # of our own messages


@dataclass(frozen=True, slots=True)
class Around:
    """What a message does not say itself."""

    me: str  # the bot's user id
    my_roles: frozenset[str] = frozenset()  # that the bot alone has, in the message's guild
    parent: str | None = None  # if the message's channel is a thread: the channel that it belongs to
    taking_part: bool = False  # the bot has answered in this thread


def to_prompt(payload: Payload, around: Around) -> IncomingMessage | None:
    """None: not for us. Without the message-content intent, others' messages are empty unless they mention us."""
    if not from_person(payload, around.me):
        return None
    text, files = text_of(payload, around), files_of(payload)
    if not for_us(payload, around, readable=bool(text or files)):
        return None
    return IncomingMessage(
        event=f"discord:{payload['id']}",
        place=place_of(payload, around.parent),
        message=str(payload["id"]),
        user=str(payload["author"]["id"]),
        text=text,
        files=files,
        quoted=quoted_in(payload, around),
    )


def for_us(payload: Payload, around: Around, *, readable: bool) -> bool:
    """What has nothing to read is for us only if it calls us by name."""
    if not readable:
        return named(payload, around)
    if payload.get("guild_id") is None or called(payload, around):
        return True
    return around.taking_part and not meant_for_another(payload)


def from_person(payload: Payload, me: str) -> bool:
    """Not from a bot, a webhook, or Discord itself."""
    author = payload.get("author") or {}
    spoken = payload.get("type", 0) in SPOKEN
    return spoken and not author.get("bot") and not payload.get("webhook_id") and author.get("id") not in (None, me)


def place_of(payload: Payload, parent: str | None) -> Place:
    channel, guild = str(payload["channel_id"]), payload.get("guild_id")
    if guild is None:
        return Place("discord", "", channel, None, "personal")
    if parent is None:
        return Place("discord", str(guild), channel, None, "channel")
    return Place("discord", str(guild), parent, channel, "channel")


def called(payload: Payload, around: Around) -> bool:
    """By a mention, or by a reply to something that we said."""
    replied_to = (referenced(payload) or {}).get("author") or {}
    return named(payload, around) or replied_to.get("id") == around.me


def named(payload: Payload, around: Around) -> bool:
    people = {user.get("id") for user in payload.get("mentions") or ()}
    return around.me in people or bool(around.my_roles.intersection(payload.get("mention_roles") or ()))


def meant_for_another(payload: Payload) -> bool:
    """In a thread that the bot takes part in: people also talk to each other there."""
    return bool(payload.get("mentions") or payload.get("mention_roles") or referenced(payload))


def referenced(payload: Payload) -> Payload | None:
    """The message that this one replies to, if it is still there."""
    reference = payload.get("message_reference") or {}
    found = payload.get("referenced_message")
    return found if reference.get("type", REPLY) == REPLY and isinstance(found, Mapping) else None


def text_of(payload: Payload, around: Around) -> str:
    """What was said, with the mention of the bot taken out and others' written as their names."""
    own = "|".join(re.escape(token) for token in (f"@{around.me}", f"@!{around.me}", *own_roles(around)))
    # Blanks are looked at from their first one only: from each of them, many would take for ever.
    text = re.sub(rf"(?:(?<![ \t])[ \t]++)?<(?:{own})>[ \t]*", " ", payload.get("content") or "")
    return as_seen(text, payload).strip()


def own_roles(around: Around) -> list[str]:
    return [f"@&{role}" for role in sorted(around.my_roles)]


def as_seen(text: str, payload: Payload) -> str:
    """Discord's tokens for people, emoji and commands as what people see of them."""
    names = {user.get("id"): name_of(user, user.get("member")) for user in payload.get("mentions") or ()}
    text = NAMED.sub(lambda found: f"@{names.get(found[1]) or found[1]}", clean(text))
    return SLASH.sub(r"\1", EMOJI.sub(r"\1", text))


def name_of(user: Payload, member: Payload | None) -> str:
    return clean((member or {}).get("nick") or user.get("global_name") or user.get("username") or "")


def clean(text: str) -> str:
    return UNTEXT.sub("", text)


def files_of(payload: Payload) -> tuple[AttachedFile, ...]:
    """What is attached to the message, to the one that it replies to, and to those that it forwards."""
    sources = [payload, referenced(payload) or {}, *forwarded(payload)]
    return tuple(file_of(each) for source in sources for each in source.get("attachments") or ())


def file_of(attachment: Payload) -> AttachedFile:
    media_type = (attachment.get("content_type") or "").partition(";")[0].strip()
    return AttachedFile(clean(attachment["filename"]), clean(attachment["url"]), media_type, attachment.get("size"))


def quoted_in(payload: Payload, around: Around) -> tuple[Attachment, ...]:
    quoted = [Attachment("forwarded message", said(each)) for each in forwarded(payload)]
    if reply := referenced(payload):
        speaker = "this assistant" if reply["author"]["id"] == around.me else name_of(reply["author"], None)
        quoted.append(Attachment(f"message from {speaker}", said(reply)))
    return tuple(each for each in quoted if each.text)


def forwarded(payload: Payload) -> list[Payload]:
    return [each["message"] for each in payload.get("message_snapshots") or ()]


def said(payload: Payload) -> str:
    return SMALL_PRINT.sub("", as_seen(payload.get("content") or "", payload)).strip()


def heard_in(newest_first: list[Payload], around: Around) -> tuple[Turn, ...]:
    """What people said since the bot last spoke, oldest first. What was said to the bot is a turn of its own."""
    turns: list[Turn] = []
    for payload in newest_first:
        if (payload.get("author") or {}).get("id") == around.me:
            break
        text = said(payload)
        if text and from_person(payload, around.me) and not called(payload, around):
            turns.append(Turn("user", text, name_of(payload["author"], payload.get("member"))))
    return tuple(reversed(turns))
