"""An activity of Teams → a value for the intake. Pure.

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
from botbuilder.schema import Attachment as TeamsAttachment

from bindings.incoming import AttachedFile, IncomingMessage, Place
from bindings.teams.activities import activity_language, get_text, get_value, tenant_id
from bindings.teams.message_html import parse_html
from core.contract import Attachment

HTML = "text/html"
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"
BOT_PREFIX = "28:"  # of a bot's account id; a person's begins with "29:"
ROOT = ";messageid="
TAG = re.compile(r"</?at(?:\s[^<>]{0,200})?>", re.IGNORECASE)
BLANKS = re.compile(r"[ \t\xa0]{2,}")
QUOTE_NAME = "message"  # of a quote without an author
VALUES_LIMIT = 50
Kind = Literal["personal", "group", "channel"]


def parse_message(activity: Activity) -> IncomingMessage | None:
    """Returns a person's message, or None for other activities and for messages without content.

    In a channel or group, Teams sends only messages that mention the bot, unless the app may read all messages. Then
    `is_addressed` decides.
    """
    if activity.type != "message" or not activity.id or not is_from_person(activity):
        return None
    html = parse_html(find_html(activity), bot_mentions(activity))
    text = (html.text if html.is_rich else remove_mentions(activity)) or render_submission(activity.value)
    files = tuple(file for each in activity.attachments or [] if (file := parse_file(each)) is not None)
    quotes = (*parse_quotes(activity), *html.quotes)
    quoted = tuple(Attachment(author or QUOTE_NAME, body) for author, body in quotes if body)
    if not (text or files or quoted or mentions_bot(activity)):
        return None
    return IncomingMessage(
        event=f"teams:{activity.conversation.id}:{activity.id}",
        place=build_place(activity),
        message=activity.id,
        user=user_id(activity),
        text=text,
        language=activity_language(activity),
        files=files,
        quoted=quoted,
    )


def build_place(activity: Activity) -> Place:
    """Builds the place of the answer. In a channel each thread is a conversation; a chat is one conversation."""
    conversation: str = activity.conversation.id
    channel, _, root = conversation.partition(ROOT)
    kind = conversation_kind(activity)
    # A message at the top of a channel begins a thread; an event about the channel does not.
    new_root = activity.id if activity.type.startswith("message") else None
    thread = (root or new_root) if kind == "channel" else None
    reply_conversation = f"{channel}{ROOT}{thread}" if thread else conversation
    route = {
        "service_url": activity.service_url or "",
        "conversation": reply_conversation,
        "bot": activity.recipient.id,
        "bot_name": activity.recipient.name or "",
        "person": activity.from_property.id,
        "team": get_text(activity.channel_data, "team", "id"),
    }
    return Place("teams", tenant_id(activity), channel, thread, kind, route)


def conversation_kind(activity: Activity) -> Kind:
    kind = (activity.conversation.conversation_type or "").lower()
    if kind == "channel" or get_text(activity.channel_data, "channel", "id"):
        return "channel"
    return "group" if kind == "groupchat" or activity.conversation.is_group else "personal"


def user_id(activity: Activity) -> str:
    """Returns the directory's id, which is the same in the whole tenant, else the account's."""
    return str(activity.from_property.aad_object_id or activity.from_property.id)


def is_from_person(activity: Activity) -> bool:
    sender = activity.from_property
    return sender.role != "bot" and sender.id != activity.recipient.id and not sender.id.startswith(BOT_PREFIX)


def is_addressed(activity: Activity) -> bool:
    """Returns whether it is surely for the bot: in a personal chat, or with a mention. Others may continue a thread."""
    return conversation_kind(activity) == "personal" or mentions_bot(activity)


def is_for_others(activity: Activity) -> bool:
    """Returns whether it mentions people but not the bot."""
    return bool(parse_mentions(activity)) and not mentions_bot(activity)


def parse_mentions(activity: Activity) -> list[dict[str, Any]]:
    return [each.additional_properties for each in activity.entities or [] if (each.type or "").lower() == "mention"]


def bot_mentions(activity: Activity) -> frozenset[int]:
    """Returns the indexes, from 0, of the mentions of the bot among all mentions."""
    mentions = enumerate(parse_mentions(activity))
    return frozenset(index for index, each in mentions if get_text(each, "mentioned", "id") == activity.recipient.id)


def mentions_bot(activity: Activity) -> bool:
    return bool(bot_mentions(activity))


def remove_mentions(activity: Activity) -> str:
    """Returns the text without mentions of the bot; mentions of others become names."""
    text = activity.text or ""
    of_bot = bot_mentions(activity)
    for index, each in enumerate(parse_mentions(activity)):
        mention = get_text(each, "text")
        if index in of_bot and mention:
            text = text.replace(mention, " ", 1)
    text = TAG.sub("", text)
    if activity.text_format == "xml":
        text = unescape(text)
    text = text.replace("&nbsp;", " ").replace("\r\n", "\n")
    return "\n".join(BLANKS.sub(" ", line).strip(" \t\xa0") for line in text.split("\n")).strip()


def find_html(activity: Activity) -> str:
    """Returns the HTML version of the message, which Teams attaches, or ""."""
    attached = (each.content for each in activity.attachments or [] if each.content_type == HTML)
    return next((content for content in attached if isinstance(content, str)), "")


def parse_quotes(activity: Activity) -> Sequence[tuple[str, str]]:
    """Returns author and text of the quotes, as newer clients send them."""
    entities = [each.additional_properties for each in activity.entities or [] if each.type == "quotedReply"]
    quotes = [get_value(each, "quotedReply") for each in entities]
    return [(get_text(quote, "senderName"), get_text(quote, "preview")) for quote in quotes]


def render_submission(value: object) -> str:
    """Renders the fields of a submitted card, which comes without a text, as lines "name: value"."""
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, dict):
        return ""
    fields = [(name, each) for name, each in list(value.items())[:VALUES_LIMIT] if isinstance(each, (str, int, float))]
    return "\n".join(f"{name}: {each if isinstance(each, str) else json.dumps(each)}" for name, each in fields)


def parse_file(attachment: TeamsAttachment) -> AttachedFile | None:
    """Returns a file that can be downloaded, or None for the HTML, cards and other attachments."""
    kind = (attachment.content_type or "").lower()
    if kind == DOWNLOAD:
        url = get_text(attachment.content, "downloadUrl")
        name = attachment.name or f"file.{get_text(attachment.content, 'fileType') or 'txt'}"
        size = get_value(attachment.content, "fileSize")
        is_size = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return AttachedFile(name, url, media_type, size if is_size else None) if url else None
    if kind.startswith("image/") and attachment.content_url:
        return AttachedFile(attachment.name or "image", attachment.content_url, kind)
    return None
