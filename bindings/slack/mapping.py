"""An event of Slack → what a person said to the bot, and where. Pure, and total: Slack's fields may be of any type.

Owns ids: a place is a thread of a channel, for a mention in a channel opens a thread with the answer; or a direct
conversation, or one thread of it where the app is an assistant. Knows no call to Slack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bindings.incoming import AttachedFile, IncomingMessage, Place
from bindings.slack.mrkdwn import mentions, plain, without_mention
from core.contract import Attachment

Fields = Mapping[str, Any]

SPOKEN = (None, "file_share", "thread_broadcast", "me_message")  # subtypes that are a person's own words
FILES_LIMIT = 10
QUOTES_LIMIT = 5
QUOTE_CHARS = 8000


@dataclass(frozen=True, slots=True)
class Me:
    """Who the bot is, as auth.test says."""

    team: str
    user: str
    bot: str
    name: str = ""


def to_prompt(body: Fields, me: Me) -> IncomingMessage | None:
    """Of a `message` or `app_mention`, in its envelope; the same for both that one post makes. None: not for us.

    Whether a message in a thread that names nobody is for the bot (`addressed`) only the intake knows.
    """
    event = fields(body, "event")
    channel, ts, user = text(event, "channel"), text(event, "ts"), text(event, "user")
    if not (channel and ts and user) or not by_person(event, me):
        return None
    if not (addressed(event, me) or in_thread(event)):
        return None
    place = place_of(body, event, me)
    return IncomingMessage(
        event=f"slack:{place.tenant}:{channel}:{ts}",
        place=place,
        message=ts,
        user=user,
        text=plain(without_mention(text(event, "text"), me.user)),
        files=files_of(event),
        quoted=quoted_in(event),
    )


def by_person(event: Fields, me: Me) -> bool:
    """Not by a bot, this one above all, and not Slack's note of an edit, a deletion or somebody joining."""
    said = event.get("subtype") in SPOKEN and "bot_id" not in event and "bot_profile" not in event
    return said and text(event, "user") not in (me.user, "USLACKBOT") and not event.get("hidden")


def addressed(event: Fields, me: Me) -> bool:
    """The bot is mentioned, or nobody else is there."""
    return (
        event.get("type") == "app_mention"
        or kind_of(text(event, "channel"), event.get("channel_type")) == "personal"
        or mentions(text(event, "text"), me.user)
    )


def in_thread(event: Fields) -> bool:
    return bool(text(event, "thread_ts"))


def place_of(body: Fields, event: Fields, me: Me) -> Place:
    channel = text(event, "channel")
    kind = kind_of(channel, event.get("channel_type"))
    thread = text(event, "thread_ts") or (None if kind == "personal" else text(event, "ts"))
    # A stream in a channel names whom it is for; people of other workspaces are in shared channels.
    home = text(event, "user_team") or text(event, "team") or team_of(body, me)
    route = {"user": text(event, "user"), "team": home}
    return Place("slack", team_of(body, me), channel, thread, kind, route)


def kind_of(channel: str, channel_type: object = None) -> Literal["personal", "group", "channel"]:
    """An app_mention does not say the type; ids of direct conversations begin with D."""
    if channel_type == "im" or channel.startswith("D"):
        return "personal"
    return "group" if channel_type == "mpim" or channel.startswith("G") else "channel"


def team_of(body: Fields, me: Me) -> str:
    """The workspace that the app is installed in, which for a shared channel need not be the sender's."""
    granted = body.get("authorizations")
    if isinstance(granted, list) and granted and isinstance(granted[0], dict) and text(granted[0], "team_id"):
        return text(granted[0], "team_id")
    return text(body, "team_id") or me.team


def files_of(event: Fields) -> tuple[AttachedFile, ...]:
    found = [file_of(each) for each in listed(event, "files")]
    return tuple(file for file in found if file is not None)[:FILES_LIMIT]


def file_of(each: Fields) -> AttachedFile | None:
    """A file of another workspace has no address until Slack is asked for it by its id."""
    url = text(each, "url_private_download") or text(each, "url_private")
    if each.get("file_access") == "check_file_info" and text(each, "id"):
        url = f"slack-file:{text(each, 'id')}"
    if not url or each.get("mode") in ("tombstone", "hidden_by_limit"):
        return None
    size = each.get("size")
    name = text(each, "name") or text(each, "title") or "file"
    return AttachedFile(
        name, url, text(each, "mimetype") or "application/octet-stream", size if isinstance(size, int) else None
    )


def quoted_in(event: Fields) -> tuple[Attachment, ...]:
    """Messages that were shared or linked to."""
    shared = [each for each in listed(event, "attachments") if each.get("is_share") or each.get("is_msg_unfurl")]
    quotes = [
        Attachment(quote_name(each), plain(text(each, "text") or text(each, "fallback"))[:QUOTE_CHARS])
        for each in shared[:QUOTES_LIMIT]
    ]
    return tuple(quote for quote in quotes if quote.text)


def quote_name(each: Fields) -> str:
    return text(each, "author_name") or text(each, "author_subname") or text(each, "author_id") or "message"


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message that is no more."""

    place: Place
    message: str


def deleted_in(body: Fields, me: Me) -> Deleted | None:
    """What a `message` event says was deleted. The root of a thread is not: it becomes a tombstone, by an edit."""
    event = fields(body, "event")
    before, after = fields(event, "previous_message"), fields(event, "message")
    gone = text(event, "deleted_ts") if event.get("subtype") == "message_deleted" else ""
    if event.get("subtype") == "message_changed" and after.get("subtype") == "tombstone":
        gone = text(after, "ts")
    if not gone:
        return None
    where = {**event, "ts": gone, "thread_ts": text(before, "thread_ts") or text(after, "thread_ts")}
    return Deleted(place_of(body, where, me), gone)


def fields(value: Fields, key: str) -> Fields:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def text(value: Fields, key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def listed(value: Fields, key: str) -> Sequence[Fields]:
    found = value.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
