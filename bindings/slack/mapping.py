"""Parses Slack's events. Pure and total: fields may have any type. Makes no call to Slack.

A place is a thread of a channel, a direct conversation, or a thread in one where the app is an assistant. A mention in
a channel opens a thread with the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bindings.content import MessageContent
from bindings.incoming import IncomingMessage, Place
from bindings.slack.markup import find_mentions
from bindings.slack.message_content import SLACKBOT, is_by_app, read_message
from bindings.slack.payloads import SlackObject, get_object, get_objects, get_text
from bindings.slack.references import NO_REFERENCES, MarkupReferences
from core.contract import Language
from core.language import detect_language

PERSON_SUBTYPES = (None, "file_share", "thread_broadcast", "me_message")
APP_SUBTYPES = (*PERSON_SUBTYPES, "bot_message")
MENTION_KEYS = {"user": "user_id", "usergroup": "usergroup_id"}  # of elements in rich text


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """The bot's ids and name, from auth.test."""

    team: str
    user: str
    bot: str
    name: str = ""
    enterprise: str = ""  # the organisation in an Enterprise Grid


@dataclass(frozen=True, slots=True)
class ListenRules:
    """The messages that the bot reads besides mentions. `bots`: ids of bots, workflows and apps that may ask."""

    bots: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()  # where a new thread needs no mention


MENTIONS_ONLY = ListenRules()


@dataclass(frozen=True, slots=True)
class DeletedMessage:
    place: Place
    message: str


# ------------------------------------------------------------ events


def parse_message(
    body: SlackObject,
    me: BotIdentity,
    rules: ListenRules = MENTIONS_ONLY,
    references: MarkupReferences = NO_REFERENCES,
) -> IncomingMessage | None:
    """Maps a `message` or `app_mention` with its envelope. All events about one post have one `event`.

    None: not for the bot. A message without a mention (see `is_addressed`) may be: the intake decides.
    """
    event = find_message(body, me)
    channel, ts = get_text(event, "channel"), get_text(event, "ts")
    user = get_text(event, "user") or get_text(event, "bot_id")
    if not (channel and ts and user) or not may_ask(event, me, rules):
        return None
    if not (is_addressed(event, me) or get_text(event, "thread_ts") or channel in rules.channels):
        return None
    place = build_place(body, event, me)
    content = read_message(event, references.with_name(me.user, me.name), own=me.user)
    return IncomingMessage(
        event=f"slack:{place.tenant}:{channel}:{ts}",
        place=place,
        message=ts,
        user=user,
        text=content.text,
        files=content.files,
        quoted=content.attachments(find_language(content)),
        unread=content.unread,
        groups=find_groups(body, event, me),
    )


def find_language(content: MessageContent) -> Language:
    """The language of the names of parts: that of the person's words, or of what they forward without words."""
    texts = (content.text, *(part.text for part in content.parts))
    return next(filter(None, map(detect_language, texts)), "en")


def find_message(body: SlackObject, me: BotIdentity) -> SlackObject:
    """The message of an event: the event itself, or a message that an edit addresses to the bot. {} for other edits."""
    event = get_object(body, "event")
    if event.get("subtype") != "message_changed":
        return event
    after, before = get_object(event, "message"), get_object(event, "previous_message")
    if not before or me.user not in find_addressees(after) or me.user in find_addressees(before):
        return {}
    return {**after, "channel": event.get("channel"), "channel_type": event.get("channel_type")}


def may_ask(event: SlackObject, me: BotIdentity, rules: ListenRules) -> bool:
    """False for the bot itself, for Slack's notes, and for bots unless they are listed and mention the bot."""
    if event.get("hidden") or is_own(event, me):
        return False
    if not is_by_app(event):
        return event.get("subtype") in PERSON_SUBTYPES
    listed = rules.bots.intersection(bot_ids(event))
    return bool(listed) and event.get("subtype") in APP_SUBTYPES and me.user in find_addressees(event)


def is_own(event: SlackObject, me: BotIdentity) -> bool:
    return get_text(event, "user") == me.user or (bool(me.bot) and get_text(event, "bot_id") == me.bot)


def bot_ids(event: SlackObject) -> tuple[str, ...]:
    """The ids by which an operator may list a bot: of the bot, of its app, and of its user. Slackbot has none."""
    profile = get_object(event, "bot_profile")
    ids = (get_text(event, "bot_id"), get_text(event, "app_id"), get_text(profile, "id"), get_text(profile, "app_id"))
    return tuple(dict.fromkeys(each for each in (*ids, get_text(event, "user")) if each and each != SLACKBOT))


def is_addressed(event: SlackObject, me: BotIdentity) -> bool:
    """Returns True for a mention of the bot, and for a direct conversation with it."""
    return (
        event.get("type") == "app_mention"
        or place_kind(get_text(event, "channel"), event.get("channel_type")) == "personal"
        or me.user in find_addressees(event)
    )


def is_for_others(event: SlackObject, me: BotIdentity) -> bool:
    """True if a message mentions other people, and not the bot."""
    return not is_addressed(event, me) and bool(find_addressees(event))


def find_addressees(message: SlackObject) -> set[str]:
    """The people, user groups and `@here` that a message mentions; not those in what it forwards."""
    return find_mentions(get_text(message, "text")).union(*map(walk_mentions, get_objects(message, "blocks")))


def walk_mentions(block: SlackObject) -> Iterator[str]:
    """Does not recurse: the sender controls the depth."""
    values: list[object] = [block]
    while values:
        value = values.pop()
        if isinstance(value, list):
            values.extend(value)
        elif isinstance(value, dict):
            mentioned = get_text(value, MENTION_KEYS.get(get_text(value, "type"), ""))
            yield from ({mentioned} if mentioned else ())
            yield from find_mentions(get_text(value, "text")) if value.get("type") in ("mrkdwn", "markdown") else ()
            values.extend(each for each in value.values() if isinstance(each, (dict, list)))


def build_place(body: SlackObject, event: SlackObject, me: BotIdentity) -> Place:
    channel = get_text(event, "channel")
    kind = place_kind(channel, event.get("channel_type"))
    thread = get_text(event, "thread_ts") or (None if kind == "personal" else get_text(event, "ts"))
    # A stream in a channel names its recipient. Shared channels include people of other workspaces.
    home = author_team(event) or installed_team(body, me)
    route = {"user": get_text(event, "user"), "team": home}
    return Place("slack", installed_team(body, me), channel, thread, kind, route)


def place_kind(channel: str, channel_type: object = None) -> Literal["personal", "group", "channel"]:
    """An app_mention has no channel type, but the ids of direct conversations begin with D."""
    if channel_type == "im" or channel.startswith("D"):
        return "personal"
    return "group" if channel_type == "mpim" or channel.startswith("G") else "channel"


def installed_team(body: SlackObject, me: BotIdentity) -> str:
    """The workspace where the app is installed. In a shared channel, the sender may belong to another one."""
    granted = get_objects(body, "authorizations")[:1]
    return (get_text(granted[0], "team_id") if granted else "") or get_text(body, "team_id") or me.team


def parse_deletion(body: SlackObject, me: BotIdentity) -> DeletedMessage | None:
    """The message that an event deletes. Slack does not delete a thread's root, but edits it into a tombstone."""
    event = get_object(body, "event")
    before, after = get_object(event, "previous_message"), get_object(event, "message")
    deleted = get_text(event, "deleted_ts") if event.get("subtype") == "message_deleted" else ""
    if event.get("subtype") == "message_changed" and after.get("subtype") == "tombstone":
        deleted = get_text(after, "ts")
    if not deleted:
        return None
    thread = get_text(before, "thread_ts") or get_text(after, "thread_ts")
    return DeletedMessage(build_place(body, {**event, "ts": deleted, "thread_ts": thread}, me), deleted)


# ------------------------------------------------------------ authors


def author_team(event: SlackObject) -> str:
    """The author's workspace, or organisation in an Enterprise Grid: https://docs.slack.dev/apis/slack-connect"""
    return next(filter(None, (get_text(event, key) for key in ("user_team", "source_team", "team"))), "")


def find_groups(body: SlackObject, event: SlackObject, me: BotIdentity) -> tuple[str, ...]:
    """The author's groups, as far as the event tells them."""
    if is_by_app(event):
        return ("bots", *bot_ids(event))
    team = author_team(event)
    if not team and body.get("is_ext_shared_channel") is True:
        return ("external",)
    return team_groups(team or installed_team(body, me), me)


def team_groups(team: str, me: BotIdentity) -> tuple[str, ...]:
    """The groups of the people of a workspace, or of an organisation."""
    return ("home",) if team in (me.team, me.enterprise) else ("external", team)
