"""Parses Slack's events and Slack's text format. Pure and total: fields may have any type. Makes no call to Slack.

A place is a thread of a channel, a direct conversation, or a thread in one where the app is an assistant. A mention in
a channel opens a thread with the answer.

Text: https://docs.slack.dev/messaging/formatting-message-text. Links, channels and mentions are <…>; & < > are escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bindings.incoming import AttachedFile, IncomingMessage, Place
from bindings.slack.markup import has_mention, remove_mention, to_plain_text
from bindings.slack.payloads import SlackObject, get_object, get_objects, get_text
from core.contract import Attachment

PERSON_SUBTYPES = (None, "file_share", "thread_broadcast", "me_message")
FILES_LIMIT = 10
QUOTES_LIMIT = 5
QUOTE_CHARS = 8000
FILE_ID_PREFIX = "slack-file:"  # before the id of a file whose URL Slack did not send


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """The bot's ids and name, from auth.test."""

    team: str
    user: str
    bot: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class DeletedMessage:
    place: Place
    message: str


# ------------------------------------------------------------ events


def parse_message(body: SlackObject, me: BotIdentity) -> IncomingMessage | None:
    """Maps a `message` or `app_mention` with its envelope; both events of one post give the same value.

    None: not for the bot. A thread reply without a mention (see `is_addressed`) may be: the intake decides.
    """
    event = get_object(body, "event")
    channel, ts, user = get_text(event, "channel"), get_text(event, "ts"), get_text(event, "user")
    if not (channel and ts and user) or not is_from_person(event, me):
        return None
    if not (is_addressed(event, me) or get_text(event, "thread_ts")):
        return None
    place = build_place(body, event, me)
    return IncomingMessage(
        event=f"slack:{place.tenant}:{channel}:{ts}",
        place=place,
        message=ts,
        user=user,
        text=to_plain_text(remove_mention(get_text(event, "text"), me.user)),
        files=parse_files(event),
        quoted=parse_quotes(event),
    )


def is_from_person(event: SlackObject, me: BotIdentity) -> bool:
    """Returns False for bots, and for Slack's notes of edits, deletions and people who join."""
    personal = event.get("subtype") in PERSON_SUBTYPES and "bot_id" not in event and "bot_profile" not in event
    return personal and get_text(event, "user") not in (me.user, "USLACKBOT") and not event.get("hidden")


def is_addressed(event: SlackObject, me: BotIdentity) -> bool:
    """Returns True for a mention of the bot, and for a direct conversation with it."""
    return (
        event.get("type") == "app_mention"
        or place_kind(get_text(event, "channel"), event.get("channel_type")) == "personal"
        or has_mention(get_text(event, "text"), me.user)
    )


def build_place(body: SlackObject, event: SlackObject, me: BotIdentity) -> Place:
    channel = get_text(event, "channel")
    kind = place_kind(channel, event.get("channel_type"))
    thread = get_text(event, "thread_ts") or (None if kind == "personal" else get_text(event, "ts"))
    # A stream in a channel names its recipient. Shared channels include people of other workspaces.
    home = get_text(event, "user_team") or get_text(event, "team") or installed_team(body, me)
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


def parse_files(event: SlackObject) -> tuple[AttachedFile, ...]:
    files = [parse_file(each) for each in get_objects(event, "files")]
    return tuple(file for file in files if file is not None)[:FILES_LIMIT]


def parse_file(each: SlackObject) -> AttachedFile | None:
    """A file of another workspace comes without a URL: files.info gives it by the id."""
    url = get_text(each, "url_private_download") or get_text(each, "url_private")
    if each.get("file_access") == "check_file_info" and get_text(each, "id"):
        url = FILE_ID_PREFIX + get_text(each, "id")
    if not url or each.get("mode") in ("tombstone", "hidden_by_limit"):
        return None
    size = each.get("size")
    name = get_text(each, "name") or get_text(each, "title") or "file"
    media_type = get_text(each, "mimetype") or "application/octet-stream"
    return AttachedFile(name, url, media_type, size if isinstance(size, int) else None)


def parse_quotes(event: SlackObject) -> tuple[Attachment, ...]:
    """Messages that the person shared or linked to."""
    shared = [each for each in get_objects(event, "attachments") if each.get("is_share") or each.get("is_msg_unfurl")]
    quotes = [
        Attachment(
            quote_author(each), to_plain_text(get_text(each, "text") or get_text(each, "fallback"))[:QUOTE_CHARS]
        )
        for each in shared[:QUOTES_LIMIT]
    ]
    return tuple(quote for quote in quotes if quote.text)


def quote_author(each: SlackObject) -> str:
    return get_text(each, "author_name") or get_text(each, "author_subname") or get_text(each, "author_id") or "message"


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
