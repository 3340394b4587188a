"""An activity of Teams → what it means to the intake. Pure: asks nobody.

Sources: Microsoft's pages "Messages in bot conversations", "Channel and group conversations", "Send and receive files".
"""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Sequence
from html import unescape
from typing import Any, Literal

from botbuilder.schema import Activity
from botbuilder.schema import Attachment as SentAttachment

from bindings.incoming import AttachedFile, IncomingMessage, Place
from bindings.teams import markup
from bindings.teams.activities import language_of, member, tenant_of, text_at
from core.contract import Attachment

HTML = "text/html"
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"
BOT_ACCOUNT = "28:"  # people are "29:"
ROOT = ";messageid="
TAG = re.compile(r"</?at(?:\s[^<>]{0,200})?>", re.IGNORECASE)
BLANKS = re.compile(r"[ \t\xa0]{2,}")
QUOTED = "message"  # the name of a quote whose author is not told
VALUES_LIMIT = 50
Kind = Literal["personal", "group", "channel"]


def to_prompt(activity: Activity) -> IncomingMessage | None:
    """What a person said to the bot; None for what is not said to it, or by no person.

    In a channel or group, Teams only sends what mentions the bot, unless the app was granted to read all: then see
    `is_addressed`.
    """
    if activity.type != "message" or not activity.id or not is_person(activity):
        return None
    read = markup.read(html_of(activity), own_mentions(activity))
    text = read.text if read.rich else without_mentions(activity)
    text = text or submitted(activity.value)
    files = tuple(file for each in activity.attachments or [] if (file := file_of(each)) is not None)
    quoted = (*quotes_of(activity), *(Attachment(q.author or QUOTED, q.text) for q in read.quotes if q.text))
    if not (text or files or quoted or mentions_bot(activity)):
        return None
    return IncomingMessage(
        event=f"teams:{activity.conversation.id}:{activity.id}",
        place=place_of(activity),
        message=activity.id,
        user=user_of(activity),
        text=text,
        language=language_of(activity),
        files=files,
        quoted=quoted,
    )


def place_of(activity: Activity) -> Place:
    """A thread in a channel is a conversation; a chat is one as a whole."""
    conversation: str = activity.conversation.id
    channel, _, root = conversation.partition(ROOT)
    kind = kind_of(activity)
    # What is said at the top of a channel begins a thread; what happens to the channel does not.
    begun = activity.id if activity.type.startswith("message") else None
    thread = (root or begun) if kind == "channel" else None
    answered_in = f"{channel}{ROOT}{thread}" if thread else conversation
    return Place("teams", tenant_of(activity), channel, thread, kind, route_of(activity, answered_in))


def route_of(activity: Activity, conversation: str) -> dict[str, str]:
    return {
        "service_url": activity.service_url or "",
        "conversation": conversation,
        "bot": activity.recipient.id,
        "bot_name": activity.recipient.name or "",
        "person": activity.from_property.id,
        "team": text_at(activity.channel_data, "team", "id"),
    }


def kind_of(activity: Activity) -> Kind:
    told = (activity.conversation.conversation_type or "").lower()
    if told == "channel" or text_at(activity.channel_data, "channel", "id"):
        return "channel"
    return "group" if told == "groupchat" or activity.conversation.is_group else "personal"


def user_of(activity: Activity) -> str:
    """The directory's id, which is the same in all of a tenant."""
    return str(activity.from_property.aad_object_id or activity.from_property.id)


def is_person(activity: Activity) -> bool:
    sender = activity.from_property
    return sender.role != "bot" and sender.id != activity.recipient.id and not sender.id.startswith(BOT_ACCOUNT)


def is_addressed(activity: Activity) -> bool:
    """Said to the bot for certain: alone with it, or by mentioning it. Else it may be the next word in a thread."""
    return kind_of(activity) == "personal" or mentions_bot(activity)


def is_for_others(activity: Activity) -> bool:
    """It mentions people, and not the bot."""
    return bool(mentions_of(activity)) and not mentions_bot(activity)


def mentions_of(activity: Activity) -> list[dict[str, Any]]:
    return [each.additional_properties for each in activity.entities or [] if (each.type or "").lower() == "mention"]


def own_mentions(activity: Activity) -> frozenset[int]:
    """Which of the mentions, counted from 0, are of the bot."""
    told = enumerate(mentions_of(activity))
    return frozenset(number for number, each in told if text_at(each, "mentioned", "id") == activity.recipient.id)


def mentions_bot(activity: Activity) -> bool:
    return bool(own_mentions(activity))


def without_mentions(activity: Activity) -> str:
    """The text: the bot's mentions gone wherever they stand, those of others as their names."""
    text = activity.text or ""
    own = own_mentions(activity)
    for number, each in enumerate(mentions_of(activity)):
        written = text_at(each, "text")
        if number in own and written:
            text = text.replace(written, " ", 1)
    text = TAG.sub("", text)
    if activity.text_format == "xml":
        text = unescape(text)
    text = text.replace("&nbsp;", " ").replace("\r\n", "\n")
    return "\n".join(BLANKS.sub(" ", line).strip(" \t\xa0") for line in text.split("\n")).strip()


def html_of(activity: Activity) -> str:
    """The second copy of what was said."""
    for each in activity.attachments or []:
        if each.content_type == HTML and isinstance(each.content, str):
            return each.content
    return ""


def quotes_of(activity: Activity) -> Sequence[Attachment]:
    """As newer clients tell them."""
    told = [each.additional_properties for each in activity.entities or [] if each.type == "quotedReply"]
    found = [(text_at(each, "quotedReply", "senderName"), text_at(each, "quotedReply", "preview")) for each in told]
    return [Attachment(author or QUOTED, text) for author, text in found if text]


def submitted(value: object) -> str:
    """What a person filled in on a card, which comes without a text."""
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, dict):
        return ""
    told = [(name, each) for name, each in list(value.items())[:VALUES_LIMIT] if isinstance(each, (str, int, float))]
    return "\n".join(f"{name}: {each if isinstance(each, str) else json.dumps(each)}" for name, each in told)


def file_of(attachment: SentAttachment) -> AttachedFile | None:
    """A file that can be fetched; None for the HTML, for cards, and for what else is no file."""
    kind = (attachment.content_type or "").lower()
    if kind == DOWNLOAD:
        url = text_at(attachment.content, "downloadUrl")
        name = attachment.name or f"file.{text_at(attachment.content, 'fileType') or 'txt'}"
        size = member(attachment.content, "fileSize")
        known = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        media = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return AttachedFile(name, url, media, size if known else None) if url else None
    if kind.startswith("image/") and attachment.content_url:
        return AttachedFile(attachment.name or "image", attachment.content_url, kind)
    return None
