"""Reads the attachments of a message: files, quoted and forwarded messages, cards, parts that cannot be read. Pure.

The same attachments come in activities and in messages of Microsoft Graph, there with their content as a JSON string.
Sources: https://learn.microsoft.com/graph/api/resources/chatmessageattachment, and
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from botbuilder.schema import Attachment as TeamsAttachment

from bindings.content import MessagePart, find_media_kind
from bindings.incoming import AttachedFile, UnreadPart
from bindings.teams.activities import get_text, get_value
from bindings.teams.cards import read_card
from bindings.teams.message_html import QuotedReply, parse_html
from core import strict_json
from core.errors import BadRequest

HTML = "text/html"
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"
CARD = "application/vnd.microsoft.card."
TEAMS_CARD = "application/vnd.microsoft.teams.card."
CONTENT_CHARS = 1 << 17
NAME_CHARS = 200
URL_CHARS = 4000
EMOJI_HOSTS = ("statics.teams.", "statics.skypeassets.")  # Teams attaches a picture of each emoji

FileAddress = Callable[[str], str]  # turns the address of a shared file into one that the bot can read, or ""
SharedFileAddress = Callable[[str, str], str]  # the same, by the directory's id of the message's author


@dataclass(frozen=True, slots=True)
class MessageAttachment:
    id: str
    kind: str  # the content type in lower case
    name: str
    url: str
    content: Any

    @classmethod
    def from_activity(cls, attachment: TeamsAttachment) -> MessageAttachment:
        fields = {
            "contentType": attachment.content_type,
            "contentUrl": attachment.content_url,
            "name": attachment.name,
            "content": attachment.content,
        }
        return cls.from_json({**fields, "id": (attachment.additional_properties or {}).get("id")})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MessageAttachment:
        fields = {name: get_text(dict(value), name) for name in ("id", "contentType", "contentUrl", "name")}
        name, url = " ".join(fields["name"].split())[:NAME_CHARS], fields["contentUrl"][:URL_CHARS]
        return cls(fields["id"], fields["contentType"].casefold(), name, url, value.get("content"))

    @property
    def fields(self) -> Any:
        """The content as JSON, or None."""
        if not isinstance(self.content, str):
            return self.content
        try:
            return strict_json.parse(self.content[:CONTENT_CHARS], last_wins=True)
        except BadRequest:
            return None


@dataclass(frozen=True, slots=True)
class AttachmentContent:
    """One attachment by its kind. `link` is Markdown for its place in the text."""

    file: AttachedFile | None = None
    part: MessagePart | None = None
    quote: QuotedReply | None = None
    unread: tuple[UnreadPart, ...] = ()
    link: str = ""


def read_attachment(attachment: MessageAttachment, file_address: FileAddress | None = None) -> AttachmentContent:
    """`file_address`: None without a permission for files of group chats and channels."""
    kind = attachment.kind
    if reader := REFERENCES.get(kind):
        return reader(attachment)
    if kind == "reference":
        return read_shared_file(attachment, file_address)
    if kind.startswith((CARD, TEAMS_CARD)):
        return read_card_attachment(attachment)
    if kind.startswith(("audio/", "video/")) and (media := find_media_kind(kind, attachment.name)):
        return unread(media, attachment.name)
    if kind.startswith("image/") or attachment.url:
        return read_direct_file(attachment)
    return AttachmentContent() if kind == HTML else unread("other", attachment.name)


def unread(kind: Any, name: str, link: str = "") -> AttachmentContent:
    return AttachmentContent(unread=(UnreadPart(kind, name[:NAME_CHARS]),), link=link)


def render_link(name: str, url: str) -> str:
    if not url.startswith(("https://", "http://")):
        return name
    address = url.replace(" ", "%20").replace("(", "%28").replace(")", "%29")
    return f"[{name.replace('[', '(').replace(']', ')')}]({address})" if name else address


def name_of_url(url: str) -> str:
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])[:NAME_CHARS]
    except ValueError:
        return ""


def guess_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def read_download(attachment: MessageAttachment) -> AttachmentContent:
    """A file in a personal chat."""
    content = attachment.fields
    url = get_text(content, "downloadUrl")
    name = attachment.name or f"file.{get_text(content, 'fileType')[:NAME_CHARS] or 'txt'}"
    size = get_value(content, "fileSize")
    is_size = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    if not url:
        return unread("file", name)
    return AttachmentContent(AttachedFile(name, url, guess_type(name), size if is_size else None))


def read_shared_file(attachment: MessageAttachment, file_address: FileAddress | None) -> AttachmentContent:
    """A file in a group chat or channel is a link into SharePoint, which needs a permission."""
    name = attachment.name or name_of_url(attachment.url)
    address = file_address(attachment.url) if file_address and attachment.url else ""
    if address:
        return AttachmentContent(AttachedFile(name or "file", address, guess_type(name)))
    return unread("file", name, render_link(name, attachment.url))


def read_direct_file(attachment: MessageAttachment) -> AttachmentContent:
    """A picture or file that the connector keeps. A picture of an emoji repeats the text."""
    kind, url = attachment.kind, attachment.url
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    if host.startswith(EMOJI_HOSTS):
        return AttachmentContent()
    if not url:
        return unread("image", attachment.name)
    name = attachment.name or ("image" if kind.startswith("image/") else name_of_url(url) or "file")
    media_type = kind if "/" in kind and not kind.startswith("application/vnd.microsoft") else guess_type(name)
    return AttachmentContent(AttachedFile(name, url, media_type))


def read_forwarded(attachment: MessageAttachment) -> AttachmentContent:
    content = attachment.fields
    text = words(get_text(content, "originalMessageContent") or get_text(content, "body", "content"))
    author = sender_name(get_value(content, "originalMessageSender"))
    if not text:
        return unread("message", author)
    return AttachmentContent(part=MessagePart("forwarded", text, author))


def read_message_reference(attachment: MessageAttachment) -> AttachmentContent:
    """The message that this one replies to."""
    content = attachment.fields
    message = get_text(content, "messageId") or attachment.id
    author, text = sender_name(get_value(content, "messageSender")), words(get_text(content, "messagePreview"))
    return AttachmentContent(quote=QuotedReply(message, author, text))


def sender_name(sender: object) -> str:
    names = (get_text(sender, kind, "displayName") for kind in ("user", "application", "device"))
    return next((name[:NAME_CHARS] for name in names if name), "")


def words(text: str) -> str:
    """The text of a referenced message, which Teams sends as HTML or plain, with the messages within it."""
    if "<" not in text and "&" not in text:
        return text.strip()
    html = parse_html(text)
    inner = (f"> {each.author}: {each.text}".replace("\n", "\n> ") for each in (*html.quotes, *html.forwards))
    named = (part.name for part in (*html.images, *html.unread) if part.name)
    return "\n".join((*inner, html.text, *named)).strip()


def read_meeting(attachment: MessageAttachment) -> AttachmentContent:
    content = attachment.fields
    return unread("call", attachment.name or get_text(content, "subject") or get_text(content, "title"))


def read_tab(attachment: MessageAttachment) -> AttachmentContent:
    return unread("link", attachment.name, render_link(attachment.name, attachment.url))


def read_code_snippet(attachment: MessageAttachment) -> AttachmentContent:
    """The code itself is at an address of Microsoft Graph."""
    return unread("file", attachment.name or get_text(attachment.fields, "name"))


def read_loop(attachment: MessageAttachment) -> AttachmentContent:
    url = get_text(attachment.fields, "componentUrl") or attachment.url
    return unread("canvas", attachment.name or "Loop", render_link(attachment.name or "Loop", url[:URL_CHARS]))


def read_announcement(attachment: MessageAttachment) -> AttachmentContent:
    """The large title above a channel's announcement. It is the author's own."""
    content = attachment.fields
    lines = (get_text(content, "title"), get_text(content, "subtitle"))
    title = " – ".join(" ".join(line.split())[:NAME_CHARS] for line in lines if line.strip())
    return AttachmentContent(link=f"\n# {title}\n") if title else unread("card", "")


def read_file_card(attachment: MessageAttachment) -> AttachmentContent:
    """A file that the bot or another app offered or saved."""
    return unread("file", attachment.name, render_link(attachment.name, attachment.url))


def read_card_attachment(attachment: MessageAttachment) -> AttachmentContent:
    kind, card = attachment.kind, read_card(attachment.fields)
    clip = {"audiocard": "audio", "audio": "audio", "video": "video", "animation": "image"}.get(kind.rpartition(".")[2])
    parts = (*card.unread, *((UnreadPart(clip, card.title),) if clip else ()))  # type: ignore[arg-type]
    title = attachment.name or card.title
    if not card.text:
        return AttachmentContent(unread=parts or (UnreadPart("card", title),))
    return AttachmentContent(part=MessagePart("embedded", card.text, title), unread=parts)


REFERENCES: dict[str, Callable[[MessageAttachment], AttachmentContent]] = {
    DOWNLOAD: read_download,
    "forwardedmessagereference": read_forwarded,
    "messagereference": read_message_reference,
    "meetingreference": read_meeting,
    "tabreference": read_tab,
    f"{CARD}codesnippet": read_code_snippet,
    f"{CARD}announcement": read_announcement,
    f"{CARD}fluidembedcard": read_loop,
    f"{CARD}fluid": read_loop,
    f"{TEAMS_CARD}file.info": read_file_card,
    f"{TEAMS_CARD}file.consent": read_file_card,
}
