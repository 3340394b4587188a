"""Reads EML and MHTML: messages of the Internet (RFC 5322, MIME) with the messages attached to them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import TypeAlias

from core.errors import UnreadableDocument
from core.rag.documents import Document, one_line
from core.rag.reading.charset import decode
from core.rag.reading.mail.message import (
    NESTING_LIMIT,
    MailMessage,
    choose_body,
    event_blocks,
    mail_document,
    shown_date,
    shown_people,
    unread_names,
)
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.text.plain_text import text_blocks

Part: TypeAlias = "Message[str, str]"
PARTS_LIMIT = 500
HEADER_LIMIT_CHARS = 4000  # decoding takes quadratic time
SOFT_BREAK = re.compile(r"(?<=\S)(?<!\n--) \n(?![>\s])")  # a line that goes on (RFC 3676), unlike the signature's "-- "


def parse_mail(raw: RawDocument) -> Document:
    """Raises UnreadableDocument for what has neither headers nor parts."""
    source = message_from_bytes(raw.body, policy=policy.compat32)
    if not source.keys():
        raise UnreadableDocument("this message has no headers: it is damaged, or no .eml", "damaged")
    return mail_document(raw, MailReader().read(source, 0))


class MailReader:
    """Reads a message and those within it; counts parts, because hostile messages have millions."""

    def __init__(self) -> None:
        self._parts = 0

    def read(self, source: Part, depth: int) -> MailMessage:
        message = MailMessage(
            one_line(header(source, "subject")),
            shown_people(header(source, "from")),
            shown_people(header(source, "to")),
            shown_people(header(source, "cc")),
            sent_date(header(source, "date")),
        )
        self._read_part(source, message, depth)
        message.attachments = unread_names(message.attachments)
        return message

    def _read_part(self, part: Part, message: MailMessage, depth: int) -> None:
        self._parts += 1
        kind = part.get_content_type()
        if self._parts > PARTS_LIMIT:
            return
        if kind == "multipart/alternative":
            self._read_alternatives(part, message, depth)
        elif kind == "message/rfc822" and part.is_multipart():
            self._read_attached(part, message, depth)
        elif part.is_multipart():
            for child in children(part):
                self._read_part(child, message, depth)
        else:
            read_leaf(part, message)

    def _read_alternatives(self, part: Part, message: MailMessage, depth: int) -> None:
        """Of the forms of one text, reads one; an invitation among them is more than a form."""
        leaves = [leaf for child in children(part) for leaf in child.walk() if not leaf.is_multipart()]
        plain = next((part_text(leaf) for leaf in leaves if is_inline(leaf, "text/plain")), None)
        html = next((part_text(leaf) for leaf in leaves if is_inline(leaf, "text/html")), None)
        message.body += choose_body(plain, html)
        for child in children(part):
            for leaf in child.walk() if child.get_content_type() != "message/rfc822" else ():
                if not leaf.is_multipart() and leaf.get_content_type() not in ("text/plain", "text/html"):
                    read_leaf(leaf, message)

    def _read_attached(self, part: Part, message: MailMessage, depth: int) -> None:
        for child in children(part):
            if depth < NESTING_LIMIT:
                message.forwarded.append(self.read(child, depth + 1))
            else:
                message.attachments.append(header(child, "subject") or "message")


def children(part: Part) -> Iterator[Part]:
    payload = part.get_payload()
    return (each for each in payload if isinstance(each, Message)) if isinstance(payload, list) else iter(())


def read_leaf(part: Part, message: MailMessage) -> None:
    """Adds a part's text to the message, or its name to the attachments."""
    kind = part.get_content_type()
    if is_inline(part, "text/plain"):
        message.body += text_blocks(part_text(part))
    elif is_inline(part, "text/html"):
        message.body += choose_body(None, part_text(part))
    elif kind == "text/calendar":
        message.body += event_blocks(part_text(part))
    elif kind in ("message/delivery-status", "text/rfc822-headers"):
        message.body += text_blocks(part_text(part))
    elif not (kind.startswith("image/") and part.get("content-id")):  # pictures within the text
        message.attachments.append(file_name(part) or kind)


def is_inline(part: Part, kind: str) -> bool:
    return part.get_content_type() == kind and part.get_content_disposition() != "attachment"


def file_name(part: Part) -> str:
    name = part.get_filename() or ""
    return decoded_words(name) if isinstance(name, str) else ""


def part_text(part: Part) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else str(part.get_payload()).encode("utf-8", "replace")
    words = decode(content, part.get_content_charset(), is_html=part.get_content_type() == "text/html")
    if part.get_param("format") == "flowed":
        words = SOFT_BREAK.sub(" ", words.replace("\r\n", "\n"))
    return words


def header(part: Part, name: str) -> str:
    """Returns a header's words. Bytes beyond ASCII, which some programs write, are decoded like a text."""
    value = next((value for key, value in part.raw_items() if key.lower() == name), "")
    return decoded_words(str(value))


def decoded_words(value: str) -> str:
    raw = value[:HEADER_LIMIT_CHARS].encode("utf-8", "surrogateescape")
    try:
        return one_line(str(make_header(decode_header(decode(raw)))))
    except (ValueError, LookupError, IndexError):  # encoded words that are none
        return one_line(decode(raw))


def sent_date(value: str) -> str:
    try:
        return shown_date(parsedate_to_datetime(value))
    except (ValueError, TypeError, IndexError, OverflowError):
        return one_line(value)
