"""Messages of Microsoft Graph → the turns and files of a thread. Pure.

Source: https://learn.microsoft.com/graph/api/resources/chatmessage
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bindings.content import MessageContent, collect_files, collect_unread
from bindings.incoming import AttachedFile, FoundParts, IncomingMessage, ThreadMessages, UnreadPart
from bindings.teams.activities import get_text, get_value
from bindings.teams.attachments import MessageAttachment, SharedFileAddress
from bindings.teams.message_content import MessageSource, build_content
from bindings.teams.message_html import HtmlContext
from core.contract import Turn

MESSAGES_LIMIT = 30
MESSAGE_CHARS = 2000
NAME_CHARS = 80
ATTACHMENTS_LIMIT = 50
# Parts of which the activity has only the place in the text.
WITHHELD_FILE, WITHHELD_MESSAGE = UnreadPart("file"), UnreadPart("message")

GraphMessage = dict[str, Any]


def build_thread(
    messages: Sequence[GraphMessage], incoming: IncomingMessage, app_id: str, file_address: SharedFileAddress
) -> ThreadMessages:
    """The messages before the question since the bot's last one, oldest first, and the question's own files."""
    question = message_number(incoming.message)
    since: list[GraphMessage] = []
    numbered = sorted(((message_number(get_text(each, "id")), each) for each in messages), key=lambda each: each[0])
    for message in [each for number, each in numbered if number < question]:
        if is_own(message, app_id):
            since.clear()
        elif is_shown(message):
            since.append(message)
    contents = [(message, parse_content(message, app_id, file_address)) for message in since[-MESSAGES_LIMIT:]]
    asked = [parse_content(each, app_id, file_address) for each in messages if get_text(each, "id") == incoming.message]
    turns = tuple(build_turn(message, content, incoming) for message, content in contents if not content.is_empty)
    earlier = tuple(file for file in collect_files(content for _, content in contents) if is_document(file))
    unread = collect_unread(content for _, content in contents)
    return ThreadMessages(turns, earlier, find_parts(asked, incoming), unread)


def find_parts(asked: Sequence[MessageContent], incoming: IncomingMessage) -> FoundParts:
    """The files, and the quoted and forwarded messages of the question that its activity did not have."""
    known = {file.url for file in incoming.files} | {each.text for each in incoming.quoted}
    files = tuple(file for file in collect_files(asked) if is_document(file) and file.url not in known)
    parts = [part for content in asked for part in content.attachments(incoming.language or "en")]
    quoted = tuple(part for part in parts if part.text not in known)
    unread = [part for part in incoming.unread if part == WITHHELD_FILE][: len(files)]
    unread += [part for part in incoming.unread if part == WITHHELD_MESSAGE][: len(quoted)]
    return FoundParts(files, quoted, tuple(unread))


def is_document(file: AttachedFile) -> bool:
    return not file.media_type.startswith("image/")


def build_turn(message: GraphMessage, content: MessageContent, incoming: IncomingMessage) -> Turn:
    return Turn("user", content.turn_text(incoming.language or "en")[:MESSAGE_CHARS], author_name(message))


def message_number(message: str) -> int:
    """An id as a number: ids are the time of posting, in milliseconds since 1970."""
    return int(message) if message.isascii() and message.isdigit() and len(message) < 20 else 0


def is_own(message: GraphMessage, app_id: str) -> bool:
    return bool(app_id) and get_text(message, "from", "application", "id").casefold() == app_id.casefold()


def is_shown(message: GraphMessage) -> bool:
    """False for deleted messages, and for events such as a new member."""
    return get_text(message, "messageType") in ("", "message") and not message.get("deletedDateTime")


def author_name(message: GraphMessage) -> str | None:
    names = (get_text(message, "from", kind, "displayName") for kind in ("user", "application", "device"))
    return next((" ".join(name.split())[:NAME_CHARS] for name in names if name.strip()), None)


def parse_content(message: GraphMessage, app_id: str, file_address: SharedFileAddress) -> MessageContent:
    body, is_html = get_text(message, "body", "content"), get_text(message, "body", "contentType") == "html"
    attachments = get_value(message, "attachments")
    author = get_text(message, "from", "user", "id")
    listed = attachments[:ATTACHMENTS_LIMIT] if isinstance(attachments, list) else []
    return build_content(
        MessageSource(
            html=body if is_html else "",
            text="" if is_html else body.replace("\xa0", " ").strip(),
            attachments=[MessageAttachment.from_json(each) for each in listed if isinstance(each, dict)],
            subject=get_text(message, "subject"),
            importance=get_text(message, "importance"),
            context=HtmlContext(bot_mentions(message, app_id)),
            file_address=lambda url: file_address(url, author),
        )
    )


def bot_mentions(message: GraphMessage, app_id: str) -> frozenset[int]:
    """The ids of the mentions of the bot, by which the HTML refers to them."""
    mentions = get_value(message, "mentions")
    indexes = []
    for mention in mentions[:ATTACHMENTS_LIMIT] if isinstance(mentions, list) else []:
        index = get_value(mention, "id")
        mentioned = get_text(mention, "mentioned", "application", "id").casefold()
        if isinstance(index, int) and mentioned == app_id.casefold():
            indexes.append(index)
    return frozenset(indexes)
