"""Reads EML and MHTML: messages of the Internet (RFC 5322, MIME) with the messages attached to them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import takewhile
from typing import TypeAlias

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document, one_line
from core.rag.reading.charset import decode
from core.rag.reading.mail.message import (
    NESTING_LIMIT,
    MailMessage,
    choose_body,
    event_blocks,
    mail_document,
    mailbox_document,
    shown_date,
    shown_people,
    unread_names,
)
from core.rag.reading.mail.signed_content import signed_content
from core.rag.reading.raw_document import NO_LIMITS, RawDocument, ReadingLimits
from core.rag.reading.text.plain_text import text_blocks

Part: TypeAlias = "Message[str, str]"
PARTS_LIMIT = 500
HEADER_LIMIT_CHARS = 4000  # decoding takes quadratic time
PROTECTED = ("application/pkcs7-mime", "application/x-pkcs7-mime")
SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
MAILBOX_LINE = re.compile(
    rb"^From \S{1,200} .{0,40}\d\d:\d\d.{0,40}\d{4}[ \t\r]*(?:\n|\Z)", re.MULTILINE
)  # above each message (RFC 4155)
SOFT_BREAK = re.compile(r"(?<=\S)(?<!\n--) \n(?![>\s])")  # a line that goes on (RFC 3676), unlike the signature's "-- "


def parse_mail(raw: RawDocument) -> Document:
    """Raises UnreadableDocument for what has neither headers nor parts."""
    reader = MailReader(raw.limits)
    if raw.body.startswith(b"From ") and len(messages := mailbox_messages(raw.body)) > 1:
        read = list(takewhile(lambda _: not reader.is_over(), (reader.read(parse(each), 0) for each in messages)))
        return mailbox_document(raw, read, Omission("characters") if reader.is_cut else None)
    source = parse(raw.body)
    if not source.keys():
        raise UnreadableDocument("this message has no headers: it is damaged, or no .eml", "damaged")
    message = reader.read(source, 0)
    if message.encrypted and not (message.body or message.forwarded):
        raise UnreadableDocument("this message is encrypted: only its recipients can open it", "encrypted")
    return mail_document(raw, message, Omission("characters") if reader.is_cut else None)


def mailbox_messages(body: bytes) -> list[bytes]:
    return [each for each in MAILBOX_LINE.split(body) if each.strip()]


def parse(body: bytes) -> Part:
    return message_from_bytes(body, policy=policy.compat32)


class MailReader:
    """Reads a message and those within it; counts parts, because hostile messages have millions."""

    def __init__(self, limits: ReadingLimits = NO_LIMITS) -> None:
        self._limits = limits
        self._parts = 0
        self.is_cut = False  # parts are missing

    def is_over(self) -> bool:
        self.is_cut = self.is_cut or self._limits.reached(0)
        return self.is_cut

    def read(self, source: Part, depth: int) -> MailMessage:
        message = MailMessage(
            one_line(header(source, "subject")),
            shown_people(header(source, "from")),
            shown_people(header(source, "to")),
            shown_people(header(source, "cc")),
            sent_date(header(source, "date")),
        )
        self._read_part(source, message, depth)
        message.attachments = unread_names([*message.attachments, *message.encrypted])
        return message

    def read_protected(self, body: bytes, message: MailMessage, name: str, depth: int) -> None:
        """Reads the content of a signed message; of an encrypted one, only the name."""
        content = signed_content(body)
        if content is None or depth >= NESTING_LIMIT:
            message.encrypted.append(name)
        else:
            self._read_part(parse(content), message, depth + 1)

    def _read_part(self, part: Part, message: MailMessage, depth: int) -> None:
        self._parts += 1
        kind = part.get_content_type()
        if self._parts > PARTS_LIMIT or self.is_over():
            self.is_cut = True
            return
        if kind in PROTECTED:
            payload = part.get_payload(decode=True)
            content = payload if isinstance(payload, bytes) else b""
            self.read_protected(content, message, file_name(part) or kind, depth)
        elif kind == "multipart/encrypted":
            message.encrypted.append(kind)
        elif kind == "message/delivery-status":
            message.body += text_blocks(delivery_status(part))
        elif kind == "multipart/alternative":
            self._read_alternatives(part, message, depth)
        elif kind == "message/rfc822" and part.is_multipart():
            self._read_attached(part, message, depth)
        elif part.is_multipart():
            for child in children(part):
                self._read_part(child, message, depth)
        else:
            read_leaf(part, message)

    def _read_alternatives(self, part: Part, message: MailMessage, depth: int) -> None:
        """Reads one of the forms of a text; an invitation among them is more than a form."""
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
                message.forwarded.append(self.read(decoded_message(part, child), depth + 1))
            else:
                message.attachments.append(header(child, "subject") or "message")


def children(part: Part) -> Iterator[Part]:
    payload = part.get_payload()
    return (each for each in payload if isinstance(each, Message)) if isinstance(payload, list) else iter(())


def decoded_message(part: Part, child: Part) -> Part:
    """Returns the attached message. Some servers encode it, against RFC 2046: then it has no headers before."""
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    if child.keys() or encoding not in ("base64", "quoted-printable"):
        return child
    child["content-transfer-encoding"] = encoding
    payload = child.get_payload(decode=True)
    return parse(payload) if isinstance(payload, bytes) else child


def delivery_status(part: Part) -> str:
    """Returns the fields of a report on delivery (RFC 3464), a paragraph for each recipient."""
    groups = (each.items() for each in children(part))
    return "\n\n".join("\n".join(f"{name}: {one_line(str(value))}" for name, value in fields) for fields in groups)


def read_leaf(part: Part, message: MailMessage) -> None:
    """Adds a part's text to the message, or its name to the attachments."""
    kind = part.get_content_type()
    if is_inline(part, "text/plain"):
        message.body += text_blocks(part_text(part))
    elif is_inline(part, "text/html"):
        message.body += choose_body(None, part_text(part))
    elif kind == "text/calendar":
        message.body += event_blocks(part_text(part))
    elif kind == "text/rfc822-headers":
        message.body += text_blocks(part_text(part))
    elif kind not in SIGNATURES and not (kind.startswith("image/") and part.get("content-id")):
        # Pictures within the text are no attachments.
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
