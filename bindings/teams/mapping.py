"""An activity of Teams → a value for the intake. Pure.

Sources: Microsoft's pages "Messages in bot conversations", "Channel and group conversations", "Send and receive files".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from botbuilder.schema import Activity

from bindings.content import MessageContent, MessagePart
from bindings.incoming import IncomingMessage, Place
from bindings.teams.activities import activity_language, get_text, get_value, is_id, tenant_id
from bindings.teams.attachments import HTML, MessageAttachment, SharedFileAddress
from bindings.teams.authors import author_groups, is_own
from bindings.teams.message_content import MessageSource, build_content
from bindings.teams.message_html import HtmlContext, QuotedReply, parse_html

ROOT = ";messageid="
TAG = re.compile(r"</?at(?:\s[^<>]{0,200})?>", re.IGNORECASE)
BLANKS = " \t\xa0"
VALUES_LIMIT = 50
PLACES = frozenset({"place", "geocoordinates"})
Kind = Literal["personal", "group", "channel"]


@dataclass(frozen=True, slots=True)
class MappingOptions:
    """`home_tenant`: people of others are external; None: nobody is. `file_address`: None without Microsoft Graph."""

    home_tenant: str | None = None
    file_address: SharedFileAddress | None = None


def parse_message(activity: Activity, options: MappingOptions | None = None) -> IncomingMessage | None:
    """Returns a message of a person or of another bot, or None for other activities and for messages without content.

    In a channel or group, Teams sends only messages that mention the bot, unless the app may read all messages. Then
    `is_addressed` decides.
    """
    options = options or MappingOptions()
    if not (activity.type == "message" or is_edit(activity)) or not activity.id or is_own(activity):
        return None
    content, language = parse_content(activity, options.file_address), activity_language(activity)
    if content.is_empty and not mentions_bot(activity):
        return None
    return IncomingMessage(
        event=f"teams:{activity.conversation.id}:{activity.id}",
        place=build_place(activity),
        message=activity.id,
        user=user_id(activity),
        text=content.text,
        language=language,
        files=content.files,
        quoted=content.attachments(language or "en"),
        unread=content.unread,
        groups=author_groups(activity, options.home_tenant),
    )


def parse_content(activity: Activity, file_address: SharedFileAddress | None = None) -> MessageContent:
    attachments = [MessageAttachment.from_activity(each) for each in activity.attachments or []]
    author = directory_id(activity)
    context = HtmlContext(bot_mentions(activity), bot_name(activity))
    return build_content(
        MessageSource(
            html=find_html(activity),
            text=remove_mentions(activity) or render_submission(activity.value),
            attachments=attachments,
            quotes=tuple(parse_quotes(activity)),
            parts=tuple(parse_places(activity)),
            subject=get_text(activity.channel_data, "subject"),
            importance=get_text(activity.channel_data, "importance"),
            context=context,
            file_address=(lambda url: file_address(url, author)) if file_address else None,
        )
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
        "bot_name": bot_name(activity),
        "person": activity.from_property.id,
        "team": get_text(activity.channel_data, "team", "id"),
        "team_group": get_text(activity.channel_data, "team", "aadGroupId"),
    }
    return Place("teams", tenant_id(activity), channel, thread, kind, route)


def conversation_kind(activity: Activity) -> Kind:
    kind = str(activity.conversation.conversation_type or "").lower()
    if kind == "channel" or get_text(activity.channel_data, "channel", "id"):
        return "channel"
    return "group" if kind == "groupchat" or activity.conversation.is_group else "personal"


def user_id(activity: Activity) -> str:
    """Returns the directory's id, which is the same in the whole tenant, else the account's."""
    return directory_id(activity) or str(activity.from_property.id)


def directory_id(activity: Activity) -> str:
    """Returns the author's id in Entra, or "" for anonymous people, personal accounts and bots."""
    found = activity.from_property.aad_object_id
    return found if isinstance(found, str) and is_id(found) else ""


def bot_name(activity: Activity) -> str:
    name = activity.recipient.name
    return name if isinstance(name, str) else ""


def is_edit(activity: Activity) -> bool:
    """True for an edited message; Teams sends a restored one as the same type."""
    return bool(activity.type == "messageUpdate") and get_text(activity.channel_data, "eventType") == "editMessage"


def is_addressed(activity: Activity) -> bool:
    """Returns whether it is surely for the bot: in a personal chat, with a mention, or in reply to the bot's message.

    Others may continue a thread.
    """
    if conversation_kind(activity) == "personal" or mentions_bot(activity):
        return True
    return not is_for_others(activity) and replies_to_bot(activity)


def replies_to_bot(activity: Activity) -> bool:
    """Returns whether it quotes a message of the bot. Only an app that may read all messages gets such a one."""
    quotes = (*parse_html(find_html(activity)).quotes, *parse_quotes(activity))
    return any(quote.sender == activity.recipient.id for quote in quotes)


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
    """Returns the plain text without mentions of the bot; mentions of others become names."""
    text = activity.text or ""
    of_bot = bot_mentions(activity)
    for index, each in enumerate(parse_mentions(activity)):
        before, mention, after = text.partition(get_text(each, "text") or "\0")
        if index in of_bot and mention:
            text = before.rstrip(BLANKS) + (" " if before.strip(BLANKS) else "") + after.lstrip(BLANKS)
    if activity.text_format in ("xml", "html"):
        return parse_html(text).text
    text = TAG.sub("", text).replace("&nbsp;", " ").replace("\xa0", " ").replace("\r\n", "\n")
    return "\n".join(line.rstrip(BLANKS) for line in text.split("\n")).strip()


def find_html(activity: Activity) -> str:
    """Returns the HTML version of the message, which Teams attaches, or ""."""
    attached = (each.content for each in activity.attachments or [] if each.content_type == HTML)
    return next((content for content in attached if isinstance(content, str)), "")


def parse_quotes(activity: Activity) -> Iterator[QuotedReply]:
    """Yields the quotes as newer clients send them."""
    for entity in activity.entities or []:
        if entity.type == "quotedReply":
            quote = get_value(entity.additional_properties, "quotedReply")
            names = ("messageId", "senderName", "preview", "senderId")
            yield QuotedReply(*(get_text(quote, name) for name in names))


def parse_places(activity: Activity) -> Iterator[MessagePart]:
    """Yields shared locations. Source: "Entities and activity types" in the pages of Bot Framework."""
    for entity in activity.entities or []:
        if (entity.type or "").casefold() in PLACES and (place := render_place(entity.additional_properties)):
            yield MessagePart("embedded", place, get_text(entity.additional_properties, "name")[:VALUES_LIMIT])


def render_place(place: dict[str, Any]) -> str:
    address = get_value(place, "address")
    lines = [get_text(place, "name"), address if isinstance(address, str) else render_submission(address)]
    position = get_value(place, "geo") or place
    numbers = [get_value(position, name) for name in ("latitude", "longitude")]
    if all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in numbers):
        lines.append(", ".join(str(number)[:VALUES_LIMIT] for number in numbers))
    return "\n".join(line for line in lines if line)


def render_submission(value: object) -> str:
    """Renders the fields of a submitted card, which comes without a text, as lines "name: value"."""
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, dict):
        return ""
    fields = [(name, each) for name, each in list(value.items())[:VALUES_LIMIT] if isinstance(each, (str, int, float))]
    return "\n".join(f"{name}: {each if isinstance(each, str) else json.dumps(each)}" for name, each in fields)
