"""The attachments of a message: forwarded messages, link previews, and the cards and alerts of apps. Pure and total.

https://docs.slack.dev/messaging/formatting-message-text#attachments. Texts of parts are mrkdwn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bindings.content import MessagePart
from bindings.incoming import UnreadKind, UnreadPart
from bindings.slack.attached_files import FileFragment, read_attached
from bindings.slack.blocks import join_text, read_blocks
from bindings.slack.markup import build_link, escape_once
from bindings.slack.payloads import SlackObject, get_object, get_objects, get_shown, get_text
from bindings.slack.references import MarkupReferences
from bindings.slack.wording import choose_wording

NESTING_LIMIT = 4  # a forwarded message that forwards another one
ATTACHMENTS_LIMIT = 100  # Slack's own
TIME_CHARS = 12
PERSON_BLOCKS = ("rich_text", "table")
NO_PREVIEW = "[no preview available]"  # Slack's fallback for an attachment with blocks
MEDIA: Mapping[str, UnreadKind] = {
    "image_url": "image",
    "video_html": "video",
    "video_url": "video",
    "audio_html": "audio",
    "audio_url": "audio",
}


def read_attachments(
    message: SlackObject, references: MarkupReferences, depth: int = NESTING_LIMIT
) -> Iterator[FileFragment]:
    for each in get_objects(message, "attachments")[:ATTACHMENTS_LIMIT] if depth else ():
        yield from read_attachment(each, references, depth)


def read_attachment(each: SlackObject, references: MarkupReferences, depth: int) -> Iterator[FileFragment]:
    """A message that was forwarded or linked to comes as an attachment, too."""
    inner = [get_object(block, "message") for block in get_objects(each, "message_blocks")]
    is_message = bool(inner) or any(each.get(key) is True for key in ("is_share", "is_msg_unfurl", "is_reply_unfurl"))
    blocks = [*get_objects(each, "blocks"), *(block for message in inner for block in get_objects(message, "blocks"))]
    fragments = list(read_blocks(blocks))
    text = get_text(each, "text") or join_text(get_text(message, "text") for message in inner)
    body = choose_wording(text, join_text(fragments), by_app=not is_message or is_of_app(blocks, inner))
    part = build_message(each, body, references) if is_message else build_card(each, body)
    unread = [fragment for fragment in fragments if isinstance(fragment, UnreadPart)]
    others = [*unread, *read_media(each), *read_inner(each, inner, references, depth)]
    if part.text.strip():
        yield part
    elif not others:
        yield UnreadPart("message" if is_message else "card", part.author)
    yield from others


def is_of_app(blocks: list[SlackObject], inner: list[SlackObject]) -> bool:
    """True for a forwarded message of an app: people's messages have rich text, and no other text in their blocks."""
    return any(get_text(message, "bot_id") for message in inner) or any(
        get_text(block, "type") not in PERSON_BLOCKS for block in blocks
    )


def read_inner(
    each: SlackObject, inner: list[SlackObject], references: MarkupReferences, depth: int
) -> Iterator[FileFragment]:
    """The files and attachments of a forwarded message. Those of an alert in it are cards of their own."""
    for holder in (each, *inner):
        for file in get_objects(holder, "files"):
            yield from read_attached(file, references)
        yield from read_attachments(holder, references, depth - 1)


def build_message(each: SlackObject, body: str, references: MarkupReferences) -> MessagePart:
    names = (get_text(each, key) for key in ("author_name", "author_subname"))
    author_id = get_text(each, "author_id")
    author = next(filter(None, names), "") or references.names.get(author_id, author_id)
    return MessagePart("forwarded", join_lines(*read_card(each, body)) or get_text(each, "fallback"), author)


def build_card(each: SlackObject, body: str) -> MessagePart:
    title = get_text(each, "title") or get_text(each, "service_name") or get_text(each, "author_name")
    text = join_lines(get_text(each, "pretext"), get_text(each, "author_name"), *read_card(each, body))
    if text:
        text = join_lines(text, read_footer(each), *read_buttons(each))
    fallback = get_text(each, "fallback")
    return MessagePart("embedded", text or ("" if fallback == NO_PREVIEW else fallback), title)


def read_card(each: SlackObject, body: str) -> Iterator[str]:
    """The title with its address, the text, and the fields."""
    title = get_text(each, "title")
    if title or get_text(each, "title_link"):
        link = get_text(each, "title_link") or get_text(each, "original_url") or get_text(each, "from_url")
        yield build_link(link, title) if link else escape_once(title)
    yield body
    for field in get_objects(each, "fields"):
        yield ": ".join(filter(None, (get_shown(field, "title"), get_shown(field, "value"))))


def read_footer(each: SlackObject) -> str:
    """The footer, with the time that Slack shows beside it."""
    seconds = get_shown(each, "ts").partition(".")[0][:TIME_CHARS]
    time = f"<!date^{seconds}>" if seconds.isascii() and seconds.isdigit() else ""
    return " | ".join(filter(None, (get_text(each, "footer"), time)))


def read_buttons(each: SlackObject) -> Iterator[str]:
    """Buttons that open an address are links."""
    for action in get_objects(each, "actions"):
        if url := get_text(action, "url"):
            yield build_link(url, get_text(action, "text"))


def read_media(each: SlackObject) -> Iterator[UnreadPart]:
    name = get_text(each, "title") or get_text(each, "alt_text")
    for key, kind in MEDIA.items():
        if get_text(each, key):
            yield UnreadPart(kind, name)


def join_lines(*lines: str) -> str:
    return "\n".join(line.strip("\n") for line in dict.fromkeys(lines) if line.strip())
