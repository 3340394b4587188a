"""Decides what a message of Teams is made of, in an activity or from Microsoft Graph. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bindings.content import MessageContent, MessagePart
from bindings.incoming import UnreadPart
from bindings.teams.activities import get_text
from bindings.teams.attachments import HTML, AttachmentContent, FileAddress, MessageAttachment, read_attachment
from bindings.teams.message_html import HtmlContext, MessageHtml, QuotedReply, parse_html

ATTACHMENTS_LIMIT = 50
SUBJECT_CHARS = 300
IMPORTANCES = {"high": "IMPORTANT", "urgent": "URGENT"}  # as Teams shows them, in English and in French


@dataclass(frozen=True, slots=True)
class MessageSource:
    """A message as Teams gives it. `text` counts only without HTML."""

    html: str
    text: str
    attachments: Sequence[MessageAttachment] = ()
    quotes: tuple[QuotedReply, ...] = ()
    parts: tuple[MessagePart, ...] = ()
    subject: str = ""
    importance: str = ""
    context: HtmlContext = field(default_factory=HtmlContext)
    file_address: FileAddress | None = None


def build_content(source: MessageSource) -> MessageContent:
    attachments = [each for each in source.attachments[:ATTACHMENTS_LIMIT] if each.kind != HTML]
    contents = [read_attachment(each, source.file_address) for each in attachments]
    links = {each.id: content.link for each, content in zip(attachments, contents, strict=True) if each.id}
    html = parse_html(source.html, replace(source.context, links=links))
    placed = set(html.attachments)
    after = [content.link.strip() for each, content in zip(attachments, contents, strict=True) if each.id not in placed]
    body = source.text if html.is_empty else html.text
    quotes = merge_quotes((*html.quotes, *source.quotes, *(each.quote for each in contents if each.quote)))
    parts = tuple(MessagePart("quoted", quote.text, quote.author) for quote in quotes if quote.text)
    lost = [UnreadPart("message", each.author) for each in (*quotes, *html.forwards) if not each.text]
    return MessageContent(
        "\n\n".join(part for part in (render_heading(source), body, *after) if part),
        (*parts, *find_forwards(html, contents), *(each.part for each in contents if each.part), *source.parts),
        tuple(each.file for each in contents if each.file),
        (*find_unread(html, attachments, contents), *lost),
    )


def find_forwards(html: MessageHtml, contents: Sequence[AttachmentContent]) -> list[MessagePart]:
    """The forwarded messages in the text, but those that are attached as well."""
    attached = {each.part.text for each in contents if each.part}
    forwards = [each for each in html.forwards if each.text and each.text not in attached]
    return [MessagePart("forwarded", each.text, each.author) for each in forwards]


def render_heading(source: MessageSource) -> str:
    """The importance and subject of a channel's post, which Teams shows above it."""
    subject = " ".join(source.subject.split())[:SUBJECT_CHARS]
    lines = (IMPORTANCES.get(source.importance.casefold(), ""), f"# {subject}" if subject else "")
    return "\n".join(line for line in lines if line)


def merge_quotes(quotes: Sequence[QuotedReply]) -> tuple[QuotedReply, ...]:
    """Each quoted message once: clients send some in several forms. The longest text counts."""
    merged: dict[str, QuotedReply] = {}
    for quote in quotes:
        key = quote.message or quote.text
        known = merged.get(key)
        if known is None:
            merged[key] = quote
        else:
            longest = max(known.text, quote.text, key=len)
            merged[key] = QuotedReply(
                quote.message, known.author or quote.author, longest, known.sender or quote.sender
            )
    return tuple(merged.values())


def find_unread(
    html: MessageHtml, attachments: Sequence[MessageAttachment], contents: Sequence[AttachmentContent]
) -> tuple[UnreadPart, ...]:
    """The parts that cannot be read. Pictures in the text that are attached as well count once."""
    pictures = sum(1 for each in contents if each.file and each.file.media_type.startswith("image/"))
    attached = [part for content in contents for part in content.unread]
    return (*html.unread, *html.images[pictures:], *attached, *find_missing(html.attachments, attachments))


def find_missing(placeholders: Sequence[str], attachments: Sequence[MessageAttachment]) -> list[UnreadPart]:
    """Placeholders whose attachment Teams did not deliver: it withholds files of group chats and channels from bots.

    An id of digits is a message's. Attachments without an id account for as many placeholders.
    """
    known = {each.id.casefold() for each in attachments if each.id}
    known |= {get_text(each.content, "uniqueId").casefold() for each in attachments}
    missing = [each for each in placeholders if each.casefold() not in known]
    nameless = sum(1 for each in attachments if not each.id and not each.kind.startswith("image/"))
    kept = missing[: max(0, len(missing) - nameless)]
    return [UnreadPart("message" if each.isascii() and each.isdigit() else "file") for each in kept]
