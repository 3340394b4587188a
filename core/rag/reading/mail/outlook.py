"""Reads MSG, the messages that Outlook saves: properties in an OLE file ([MS-OXMSG]). Pure."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.utils import parsedate_to_datetime

import olefile  # type: ignore[import-untyped]

from core.errors import UnreadableDocument
from core.rag.documents import Block, Document, one_line
from core.rag.reading.charset import decode
from core.rag.reading.mail.compressed_rtf import html_in_rtf, unpack_rtf
from core.rag.reading.mail.internet_message import MailReader, parse
from core.rag.reading.mail.message import (
    NESTING_LIMIT,
    MailMessage,
    choose_body,
    mail_document,
    shown_date,
    shown_people,
    unread_names,
)
from core.rag.reading.raw_document import NO_LIMITS, RawDocument
from core.rag.reading.rich_text.reader import RichTextReader
from core.rag.reading.rich_text.tokens import split_tokens

PROPERTIES = "__properties_version1.0"
ATTACHMENT = "__attach_version1.0_"
EMBEDDED = "__substg1.0_3701000D"  # a message in an attachment
UNICODE, ANSI, BINARY = "001F", "001E", "0102"
SUBJECT, SENDER, SENDER_ADDRESS, SENDER_SMTP, TO, CC = "0037", "0C1A", "0C1F", "5D01", "0E04", "0E03"
BODY, HTML, RTF, HEADERS = "1000", "1013", "1009", "007D"
FILE_NAMES = ("3707", "3704", "3001")  # long, short, as shown
CONTENT, PROTECTED_SUFFIX = "3701", "smime.p7m"
CONTENT_ID = "3712"
SUBMITTED, DELIVERED, CODEPAGE, HIDDEN = 0x0039, 0x0E06, 0x3FDE, 0x7FFE
ROOT_HEADER_BYTES, EMBEDDED_HEADER_BYTES, ATTACHMENT_HEADER_BYTES, ENTRY_BYTES = 32, 24, 8, 16
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
ATTACHMENTS_LIMIT = 200
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp")


def parse_outlook(raw: RawDocument) -> Document:
    """Raises UnreadableDocument for a damaged file."""
    try:
        with olefile.OleFileIO(io.BytesIO(raw.body)) as source:
            message = OutlookReader(source).read((), 0)
            if message.encrypted and not (message.body or message.forwarded):
                raise UnreadableDocument("this message is encrypted: only its recipients can open it", "encrypted")
    except (OSError, ValueError, struct.error, IndexError, TypeError, AttributeError, KeyError, OverflowError) as exc:
        # olefile trusts the tables of a file.
        problem = f"this Outlook message cannot be read: it is damaged ({type(exc).__name__})"
        raise UnreadableDocument(problem, "damaged") from exc
    return mail_document(raw, message)


class OutlookReader:
    """Reads the message in a storage, and those attached to it."""

    def __init__(self, source: olefile.OleFileIO) -> None:
        self._source = source
        self._streams = {tuple(entry) for entry in source.listdir(streams=True, storages=True)}

    def read(self, storage: tuple[str, ...], depth: int) -> MailMessage:
        values = self._fixed_values(storage, EMBEDDED_HEADER_BYTES if storage else ROOT_HEADER_BYTES)
        charset = f"cp{values[CODEPAGE]}" if CODEPAGE in values else None
        words = {tag: self._text(storage, tag, charset) for tag in (SUBJECT, SENDER, TO, CC, BODY, HEADERS)}
        address = self._text(storage, SENDER_SMTP, charset) or self._text(storage, SENDER_ADDRESS, charset)
        message = MailMessage(
            one_line(words[SUBJECT]),
            shown_people(named(words[SENDER], address)),
            shown_people(words[TO].rstrip("\x00; ")),
            shown_people(words[CC].rstrip("\x00; ")),
            sent_date(words[HEADERS], values),
            self._body(storage, words[BODY], charset),
        )
        self._read_attachments(storage, message, depth, charset)
        message.attachments = unread_names([*message.attachments, *message.encrypted])
        return message

    def _body(self, storage: tuple[str, ...], plain: str, charset: str | None) -> list[Block]:
        html = self._text(storage, HTML, charset)
        if not html and (packed := self._stream(storage, HTML, BINARY)):
            html = decode(packed, charset, is_html=True)
        if plain.strip() or html.strip():
            return choose_body(plain or None, html or None)
        packed = self._stream(storage, RTF, BINARY)
        return rtf_blocks(unpack_rtf(packed)) if packed else []

    def _read_attachments(
        self, storage: tuple[str, ...], message: MailMessage, depth: int, charset: str | None
    ) -> None:
        below = len(storage)
        names = sorted({path[below] for path in self._streams if path[:below] == storage and len(path) > below})
        for name in [name for name in names if name.startswith(ATTACHMENT)][:ATTACHMENTS_LIMIT]:
            place = (*storage, name)
            if (*place, EMBEDDED, PROPERTIES) in self._streams and depth < NESTING_LIMIT:
                message.forwarded.append(self.read((*place, EMBEDDED), depth + 1))
                continue
            found = (self._text(place, tag, charset) for tag in FILE_NAMES)
            file_name = next(filter(None, found), "?")
            is_in_text = self._text(place, CONTENT_ID, charset) and file_name.lower().endswith(PICTURE_SUFFIXES)
            content = self._stream(place, CONTENT, BINARY) if file_name.lower().endswith(PROTECTED_SUFFIX) else b""
            if content:
                read_protected(content, message, file_name, depth)
            elif not (is_in_text or self._fixed_values(place, ATTACHMENT_HEADER_BYTES).get(HIDDEN)):
                message.attachments.append(file_name)

    def _stream(self, storage: tuple[str, ...], tag: str, kind: str) -> bytes:
        path = (*storage, f"__substg1.0_{tag}{kind}")
        return bytes(self._source.openstream(list(path)).read()) if path in self._streams else b""

    def _text(self, storage: tuple[str, ...], tag: str, charset: str | None) -> str:
        if found := self._stream(storage, tag, UNICODE):
            return found.decode("utf-16-le", "replace")
        return decode(self._stream(storage, tag, ANSI), charset)

    def _fixed_values(self, storage: tuple[str, ...], header_bytes: int) -> dict[int, int]:
        """Returns the values of fixed size by their property ids."""
        path = (*storage, PROPERTIES)
        if path not in self._streams:
            return {}
        table = self._source.openstream(list(path)).read()[header_bytes:]
        entries = (table[at : at + ENTRY_BYTES] for at in range(0, len(table) - ENTRY_BYTES + 1, ENTRY_BYTES))
        return {tag >> 16: value for tag, _, value in (struct.unpack("<IIQ", entry) for entry in entries)}


def read_protected(content: bytes, message: MailMessage, name: str, depth: int) -> None:
    """Adds the text of a signed message, which Outlook stores in a file of its own, with its signature."""
    reader = MailReader()
    if content[:1] == b"\x30":  # CMS
        reader.read_protected(content, message, name, depth)
        return
    signed = reader.read(parse(content), depth)
    message.body += signed.body
    message.attachments += signed.attachments


def named(name: str, address: str) -> str:
    """Returns the sender with the address, unless it is one of the directory ("/O=…")."""
    plain = one_line(address)
    return f"{name} <{plain}>" if name and "@" in plain and plain not in name else name or plain


def sent_date(headers: str, values: dict[int, int]) -> str:
    """Returns the date of the headers, which have the sender's offset, else the time of submission in UTC."""
    try:
        return shown_date(parsedate_to_datetime(str(message_from_string(headers.lstrip())["date"])))
    except (ValueError, TypeError, IndexError):
        moment = values.get(SUBMITTED) or values.get(DELIVERED)
        return shown_date(EPOCH + timedelta(microseconds=moment // 10)) if moment else ""


def rtf_blocks(rtf: bytes) -> list[Block]:
    if html := html_in_rtf(rtf):
        return choose_body(None, html)
    reader = RichTextReader(NO_LIMITS)
    reader.read(split_tokens(rtf.decode("latin-1")))
    return reader.body.blocks
