"""A message of any mail format, and the document that it becomes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.contract import Language, Omission
from core.language import detect_language
from core.rag.documents import Block, Document, collapse_blanks, one_line
from core.rag.reading.pages import extract
from core.rag.reading.raw_document import LANGUAGE_SAMPLE_BLOCKS, RawDocument
from core.rag.reading.text.plain_text import text_blocks
from core.texts import text

NESTING_LIMIT = 5  # of attached messages
ATTACHMENTS_LIMIT = 200
RECIPIENTS_LIMIT_CHARS = 1000
PLAIN_SHARE = 0.3  # a plain part with fewer of the HTML part's words only says that there is an HTML part


@dataclass(slots=True)
class MailMessage:
    """`sent`: the date as shown to people. `attachments`: the names of files, which are not read."""

    subject: str = ""
    sender: str = ""
    to: str = ""
    cc: str = ""
    sent: str = ""
    body: list[Block] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    forwarded: list[MailMessage] = field(default_factory=list)
    encrypted: list[str] = field(default_factory=list)  # the names of parts that only recipients can open


def mail_document(raw: RawDocument, message: MailMessage, omission: Omission | None = None) -> Document:
    """The subject is the title. Attached messages follow as sections of their own."""
    sample = "\n".join(block.text for block in sample_blocks(message))
    blocks = list(message_blocks(message, detect_language(sample) or "en", 1))
    return raw.document(blocks, title=message.subject, omissions=(omission,) if omission else ())


def mailbox_document(raw: RawDocument, messages: Sequence[MailMessage], omission: Omission | None) -> Document:
    """Returns a mailbox: a section for each message."""
    blocks: list[Block] = []
    for message in messages:
        sample = "\n".join(block.text for block in sample_blocks(message))
        blocks.append(Block("heading", message.subject or "?", 1))
        blocks += message_blocks(message, detect_language(sample) or "en", 2)
    return raw.document(blocks, omissions=(omission,) if omission else ())


def sample_blocks(message: MailMessage) -> list[Block]:
    return [*message.body, *(block for each in message.forwarded for block in each.body)][:LANGUAGE_SAMPLE_BLOCKS]


def message_blocks(message: MailMessage, language: Language, level: int) -> Iterator[Block]:
    if head := header_lines(message, language):
        yield Block("paragraph", "\n".join(head))
    yield from message.body
    if message.attachments:
        names = ", ".join(message.attachments[:ATTACHMENTS_LIMIT])
        yield Block("paragraph", text("source-mail-attachments", language, names=names))
    for each in message.forwarded:
        yield Block("heading", text("source-mail-forwarded", language, subject=each.subject or "?"), level)
        yield from message_blocks(each, language, level + 1)


def header_lines(message: MailMessage, language: Language) -> list[str]:
    lines = (
        message.sender and text("source-mail-from", language, value=message.sender),
        message.to and text("source-mail-to", language, value=message.to),
        message.cc and text("source-mail-cc", language, value=message.cc),
        message.sent and text("source-mail-date", language, value=message.sent),
    )
    return [line for line in lines if line]


def shown_date(when: datetime) -> str:
    """Returns the day and time in the message's own offset: "2026-05-05 21:30 -0500"."""
    return when.strftime("%Y-%m-%d %H:%M %z").strip()


def shown_people(addresses: str) -> str:
    people = one_line(addresses)
    return people if len(people) <= RECIPIENTS_LIMIT_CHARS else f"{people[:RECIPIENTS_LIMIT_CHARS]}…"


def choose_body(plain: str | None, html: str | None) -> list[Block]:
    """Returns the plain part, or the HTML part if the plain one has much less text."""
    from_html = extract.html_blocks(html) if html else []
    words_of_html = sum(len(block.text.split()) for block in from_html)
    if plain is not None and len(plain.split()) >= PLAIN_SHARE * words_of_html and plain.strip():
        return text_blocks(plain)
    return from_html


def event_blocks(calendar: str, language: Language = "en") -> list[Block]:
    """Returns the words of an invitation (RFC 5545): what, when, where and its description."""
    unfolded = calendar.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "")
    blocks: list[Block] = []
    for event in unfolded.split("BEGIN:VEVENT")[1:]:
        fields = event_fields(event.partition("END:VEVENT")[0])
        lines = [fields.get("SUMMARY", ""), event_time(fields), fields.get("RRULE", ""), fields.get("LOCATION", "")]
        blocks += [Block("paragraph", "\n".join(filter(None, lines)))] if any(lines) else []
        blocks += text_blocks(fields.get("DESCRIPTION", ""))
    return blocks


def event_fields(event: str) -> dict[str, str]:
    """Returns the first value of each property. A time keeps the name of its zone."""
    fields: dict[str, str] = {}
    for line in event.split("\n"):
        name, separator, value = line.partition(":")
        key, _, parameters = name.partition(";")
        zone = parameters.partition("TZID=")[2].partition(";")[0].strip('"')
        if separator and key.upper() not in fields:
            words = value.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",").replace("\\;", ";")
            fields[key.upper()] = f"{event_moment(words)} {zone}".strip() if key.startswith("DT") else words.strip()
    return fields


def event_time(fields: dict[str, str]) -> str:
    return " – ".join(filter(None, (fields.get("DTSTART", ""), fields.get("DTEND", ""))))


def event_moment(value: str) -> str:
    """Returns "2026-05-05 13:00" for "20260505T130000", and other values as they are."""
    for form, shown in (
        ("%Y%m%dT%H%M%SZ", "%Y-%m-%d %H:%M UTC"),
        ("%Y%m%dT%H%M%S", "%Y-%m-%d %H:%M"),
        ("%Y%m%d", "%Y-%m-%d"),
    ):
        try:
            return datetime.strptime(value.strip(), form).strftime(shown)
        except ValueError:
            continue
    return collapse_blanks(value)


def unread_names(names: Sequence[str]) -> list[str]:
    return [one_line(name)[:200] for name in names if name.strip()]
