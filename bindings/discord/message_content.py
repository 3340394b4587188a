"""The content of one message of Discord, as `MessageContent`: the question or another message of its thread. Pure.

docs/discord.md lists the kinds of messages. https://discord.com/developers/docs/resources/message
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from bindings.content import MessageContent, MessagePart
from bindings.discord.attachments import read_attachment
from bindings.discord.components import read_components
from bindings.discord.embeds import read_embed, read_poll
from bindings.discord.markup import MentionNames, to_plain_text
from bindings.discord.payloads import Payload, as_id, as_mapping, as_mappings, as_number, as_text
from bindings.incoming import AttachedFile, UnreadPart
from core.contract import Language
from core.texts import text

REPLY_TYPE, COMMAND_TYPE, STARTER_TYPE, CONTEXT_COMMAND_TYPE = 19, 20, 21, 23
WRITTEN_TYPES = (0, REPLY_TYPE, COMMAND_TYPE, STARTER_TYPE, CONTEXT_COMMAND_TYPE)  # Discord writes the other types
FORWARD = 1  # a type of reference
SMALL_PRINT = re.compile(r"^-# .*$\n?", re.MULTILINE)  # status and footer of the bot's own messages

SYSTEM_TEXTS = {  # https://discord.com/developers/docs/resources/message#message-object-message-types
    3: "call",
    4: "renamed",
    6: "pinned",
    7: "joined",
    8: "boosted",
    9: "boosted",
    10: "boosted",
    11: "boosted",
    12: "followed",
    18: "thread",
    24: "moderated",
    27: "stage",
    28: "stage_ended",
    31: "stage",
    46: "poll_ended",
}

ContentItem = str | MessagePart | AttachedFile | UnreadPart
PartKind = Literal["quoted", "forwarded"]


@dataclass(frozen=True, slots=True)
class ContentReader:
    """Reads messages of one channel for one person. `bot_id`: the bot's own messages lose their small print."""

    bot_id: str
    names: MentionNames
    language: Language

    def read(self, payload: Payload) -> MessageContent:
        """Everything in a message, and in those that it replies to and forwards."""
        if as_number(payload.get("type")) == STARTER_TYPE:
            starter = as_mapping(payload.get("referenced_message"))
            return collect(self._read_body(starter)) if starter else MessageContent(unread=(UnreadPart("message"),))
        return join(self.read_own(payload), self.read_reply(payload))

    def read_own(self, payload: Payload) -> MessageContent:
        """A message with those that it forwards."""
        return collect((*self._read_body(payload), *self._read_forwards(payload)))

    def read_reply(self, payload: Payload) -> MessageContent:
        """The message that this one replies to. Discord sends null for a deleted one, and may leave it out."""
        if as_number(payload.get("type")) not in (REPLY_TYPE, CONTEXT_COMMAND_TYPE):
            return MessageContent()
        reply = as_mapping(payload.get("referenced_message"))
        if not reply:
            return MessageContent(unread=(UnreadPart("message"),))
        content = self.read_own(reply)
        if content.is_empty and self._is_own(reply):
            return content  # only small print, such as a status
        return collect(self._as_part("quoted", content, self.display_name(as_mapping(reply.get("author")))))

    def display_name(self, user: Payload, member: Payload | None = None) -> str:
        if as_id(user.get("id")) == self.bot_id:
            return text("discord-this-assistant", self.language)
        return display_name(user, member)

    def _read_body(self, payload: Payload) -> Iterator[ContentItem]:
        yield from self._read_words(payload)
        for attachment in as_mappings(payload.get("attachments")):
            yield from read_attachment(attachment)
        for embed in as_mappings(payload.get("embeds")):
            yield from self._with_names(read_embed(embed, self.language))
        if not self._is_own(payload):  # its buttons are no content
            yield from self._with_names(read_component_part(payload))
        if isinstance(payload.get("poll"), dict):
            yield from self._with_names([read_poll(payload["poll"], self.language)])
        if isinstance(payload.get("activity"), dict):  # an invitation to a game or to listen together
            yield UnreadPart("other", as_text(as_mapping(payload.get("application")).get("name")))

    def _read_words(self, payload: Payload) -> Iterator[str]:
        words = to_plain_text(as_text(payload.get("content")), self.names)
        words = SMALL_PRINT.sub("", words) if self._is_own(payload) else words
        kind = as_number(payload.get("type"))
        if kind not in WRITTEN_TYPES:  # a line for what Discord wrote itself; some have a name or a topic as their text
            yield text(f"discord-system-{SYSTEM_TEXTS.get(kind, 'other')}", self.language)
        yield words
        for sticker in as_mappings(payload.get("sticker_items") or payload.get("stickers")):
            yield text("discord-sticker", self.language, name=as_text(sticker.get("name")))

    def _read_forwards(self, payload: Payload) -> Iterator[ContentItem]:
        """A snapshot has no author. https://discord.com/developers/docs/resources/message#message-snapshot-object"""
        reference = as_mapping(payload.get("message_reference"))
        snapshots = as_mappings(payload.get("message_snapshots"))
        if as_number(reference.get("type")) == FORWARD and not snapshots:
            yield UnreadPart("message")
        channel = self.names.channels.get(as_id(reference.get("channel_id")), "")
        for snapshot in snapshots:
            inner = collect(self._read_body(as_mapping(snapshot.get("message"))))
            yield from self._as_part("forwarded", inner, f"#{channel}" if channel else "")

    def _as_part(self, kind: PartKind, content: MessageContent, author: str) -> Iterator[ContentItem]:
        """A message within a message: words and parts are one part; files and what cannot be read stay apart.

        Without the Message Content intent, Discord empties other people's messages. An empty one is named.
        """
        if content.is_empty:
            yield UnreadPart("message", author)
        yield MessagePart(kind, replace(content, unread=()).turn_text(self.language), author)
        yield from content.files
        yield from content.unread

    def _with_names(self, items: Iterable[ContentItem]) -> Iterator[ContentItem]:
        for item in items:
            if isinstance(item, MessagePart):
                item = replace(item, text=to_plain_text(item.text, self.names))
            yield item

    def _is_own(self, payload: Payload) -> bool:
        return as_id(as_mapping(payload.get("author")).get("id")) == self.bot_id


def read_component_part(payload: Payload) -> Iterator[ContentItem]:
    """All text in the components as one part, then their files."""
    items = list(read_components(payload.get("components")))
    words = "\n".join(item for item in items if isinstance(item, str) and item)
    if words:
        yield MessagePart("embedded", words)
    yield from (item for item in items if not isinstance(item, str))


def collect(items: Iterable[ContentItem]) -> MessageContent:
    ordered = tuple(items)
    words = [item.strip() for item in ordered if isinstance(item, str)]
    files = {item.url: item for item in ordered if isinstance(item, AttachedFile)}
    return MessageContent(
        "\n".join(filter(None, words)),
        tuple(item for item in ordered if isinstance(item, MessagePart)),
        tuple(files.values()),
        tuple(item for item in ordered if isinstance(item, UnreadPart)),
    )


def join(*contents: MessageContent) -> MessageContent:
    """The content of a message, from that of its parts."""
    items: list[ContentItem] = []
    for content in contents:
        items += [content.text, *content.parts, *content.files, *content.unread]
    return collect(items)


def display_name(user: Payload, member: Payload | None = None) -> str:
    """The name that people see: the nickname in the server, else the display name, else the user name."""
    nick = as_text((member or {}).get("nick"))
    return nick or as_text(user.get("global_name")) or as_text(user.get("username"))
