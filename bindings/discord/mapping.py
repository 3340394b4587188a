"""Messages from Discord's gateway → `IncomingMessage`, and the other messages of a thread. Pure; knows no SDK.

Fields may have any type. https://discord.com/developers/docs/events/gateway-events#message-create
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bindings.discord.markup import MentionNames
from bindings.discord.message_content import REPLY_TYPE, ContentReader, display_name, join
from bindings.discord.payloads import Payload, as_id, as_ids, as_mapping, as_mappings, as_number, as_text
from bindings.incoming import IncomingMessage, Place
from core.contract import Language
from core.language import detect_language
from core.texts import text

PERSON_TYPES = (0, REPLY_TYPE)  # an ordinary message, a reply; Discord itself and commands write the other types
REPLY = 0  # a type of reference
# The match starts only at the first blank of a run: starting at each of them would take quadratic time.
OWN_MENTION = r"(?:(?<![ \t])[ \t]++)?<(?:{tokens})>[ \t]*"


@dataclass(frozen=True, slots=True)
class ThreadTitle:
    """The title of a thread, or of a post in a forum, with its tags."""

    title: str
    tags: tuple[str, ...] = ()
    is_post: bool = False

    def render(self, language: Language) -> str:
        kind = "discord-post-title" if self.is_post else "discord-thread-title"
        tags = text("discord-post-tags", language, tags=", ".join(self.tags)) if self.tags else ""
        return "\n".join(filter(None, (text(kind, language, title=self.title), tags)))


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """Facts about a message's channel that its payload lacks."""

    bot_id: str
    bot_roles: frozenset[str] = frozenset()  # the bot's own role in the guild
    parent: str | None = None  # of a thread: the channel that contains it
    participating: bool = False  # messages need no mention here
    bots: frozenset[str] = frozenset()  # ids of bots that may ask
    names: MentionNames = field(default_factory=MentionNames)  # of mentions, besides those in the payload
    title: ThreadTitle | None = None  # of a thread


def parse_message(payload: Payload, context: ChannelContext) -> IncomingMessage | None:
    """None: not for the bot. Without the Message Content intent, messages that do not mention it come empty."""
    if not may_be_for_bot(payload, context):
        return None
    own = {**payload, "content": remove_own_mention(as_text(payload.get("content")), context)}
    language = find_language(own)
    reader = ContentReader(context.bot_id, collect_names([payload], context.names), language)
    content = reader.read_own(own)
    if content.is_empty and not is_mentioned(payload, context):
        return None
    content = join(content, reader.read_reply(own))
    return IncomingMessage(
        event=f"discord:{as_id(payload.get('id'))}",
        place=build_place(payload, context.parent),
        message=as_id(payload.get("id")),
        user=author_id(payload),
        text=with_title(content.text, payload, context.title),
        files=content.files,
        quoted=content.attachments(language),
        unread=content.unread,
        groups=parse_groups(payload),
    )


def may_be_for_bot(payload: Payload, context: ChannelContext) -> bool:
    """Decides by ids alone, because most messages end here."""
    guild = payload.get("guild_id")
    ids = (payload.get("id"), payload.get("channel_id"), as_mapping(payload.get("author")).get("id"))
    if not all(map(as_id, ids)) or (guild is not None and not as_id(guild)):
        return False
    if is_bot(payload):
        return is_listed_bot(payload, context) and is_person_mentioned(payload, context)
    if as_number(payload.get("type")) not in PERSON_TYPES or author_id(payload) == context.bot_id:
        return False
    return guild is None or is_addressed(payload, context) or (context.participating and not is_for_others(payload))


def is_bot(payload: Payload) -> bool:
    """True for bots, webhooks and Discord's own account."""
    author = as_mapping(payload.get("author"))
    return bool(author.get("bot") or author.get("system") or payload.get("webhook_id"))


def is_listed_bot(payload: Payload, context: ChannelContext) -> bool:
    """True for another bot or webhook that the operator named."""
    ids = {author_id(payload), *map(as_id, (payload.get("webhook_id"), payload.get("application_id")))}
    return context.bot_id not in ids and bool(ids & context.bots)


def parse_groups(payload: Payload) -> tuple[str, ...]:
    """The author's groups, as access lists name them: everybody in a server is at home there."""
    roles = sorted(as_ids(as_mapping(payload.get("member")).get("roles")))
    home = "home" if payload.get("guild_id") is not None else ""
    bots = ("bots", as_id(payload.get("application_id"))) if is_bot(payload) else ()
    return tuple(filter(None, (home, *bots, *roles)))


def author_id(payload: Payload) -> str:
    return as_id(as_mapping(payload.get("author")).get("id"))


def build_place(payload: Payload, parent: str | None) -> Place:
    channel, guild = as_id(payload.get("channel_id")), payload.get("guild_id")
    if guild is None:
        return Place("discord", "", channel, None, "personal")
    if parent is None:
        return Place("discord", as_id(guild), channel, None, "channel")
    return Place("discord", as_id(guild), parent, channel, "channel")


def is_addressed(payload: Payload, context: ChannelContext) -> bool:
    """True if the message mentions the bot or replies to it."""
    author = as_mapping((referenced_message(payload) or {}).get("author"))
    return is_mentioned(payload, context) or as_id(author.get("id")) == context.bot_id


def is_mentioned(payload: Payload, context: ChannelContext) -> bool:
    return is_person_mentioned(payload, context) or bool(context.bot_roles & as_ids(payload.get("mention_roles")))


def is_person_mentioned(payload: Payload, context: ChannelContext) -> bool:
    """True if the message mentions the bot itself, not its role."""
    return any(as_id(user.get("id")) == context.bot_id for user in as_mappings(payload.get("mentions")))


def is_for_others(payload: Payload) -> bool:
    """True if a message in the bot's thread is addressed to other people."""
    return bool(payload.get("mentions") or payload.get("mention_roles") or referenced_message(payload))


def referenced_message(payload: Payload) -> Payload | None:
    """The message that this one replies to, unless it is deleted."""
    reference = as_mapping(payload.get("message_reference"))
    message = as_mapping(payload.get("referenced_message"))
    return message if as_number(reference.get("type")) == REPLY and message else None


def remove_own_mention(content: str, context: ChannelContext) -> str:
    roles = [f"@&{role}" for role in sorted(context.bot_roles)]
    tokens = "|".join(map(re.escape, (f"@{context.bot_id}", f"@!{context.bot_id}", *roles)))
    return re.sub(OWN_MENTION.format(tokens=tokens), " ", content)


def with_title(words: str, payload: Payload, title: ThreadTitle | None) -> str:
    """A forum's post begins with its title, which is the author's words too."""
    is_start = title is not None and title.is_post and as_id(payload.get("id")) == as_id(payload.get("channel_id"))
    return f"{title.title}\n\n{words}".strip() if title and is_start else words


def find_language(payload: Payload) -> Language:
    """The language of a message's words, else of the message that it replies to or forwards."""
    snapshots = [as_mapping(each.get("message")) for each in as_mappings(payload.get("message_snapshots"))]
    for message in (payload, as_mapping(payload.get("referenced_message")), *snapshots):
        if language := detect_language(as_text(message.get("content"))):
            return language
    return "en"


def collect_names(payloads: Iterable[Payload], known: MentionNames) -> MentionNames:
    """Names of mentioned people and of authors, as the payloads give them, before the names that are known."""
    users, channels = dict(known.users), dict(known.channels)
    for payload in flatten(payloads):
        for user in (as_mapping(payload.get("author")), *as_mappings(payload.get("mentions"))):
            if (user_id := as_id(user.get("id"))) and (name := display_name(user, as_mapping(user.get("member")))):
                users[user_id] = name
        for channel in as_mappings(payload.get("mention_channels")):
            channels[as_id(channel.get("id"))] = as_text(channel.get("name"))
    return MentionNames(users, known.roles, channels)


def flatten(payloads: Iterable[Payload]) -> Iterator[Payload]:
    """Messages, with those that they reply to and forward."""
    for payload in payloads:
        yield payload
        yield as_mapping(payload.get("referenced_message"))
        yield from (as_mapping(each.get("message")) for each in as_mappings(payload.get("message_snapshots")))
