"""Attached files: downloads within limits, and reads them or gives the reason why not. Knows no platform.

Text files are decoded here, because rows and schemas must stay unchanged. The engine reads formats that need a parser.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import structlog

from bindings.delivery.outlet import DeliveryError, Refused
from bindings.incoming import AttachedFile, Platform
from core.contract import Attachment, Engine, Language, Omission
from core.errors import DocumentFault, UnreadableDocument
from core.rag.context import plain_name
from core.rag.documents import PASSAGE_LIMIT_CHARS
from core.runtime.file_formats import looks_like_table
from core.runtime.format_table import DocumentFormat, ReadableFormat, format_of_media_type, format_of_name
from core.runtime.refused_formats import RefusedFormat
from core.runtime.text_encoding import decode_unicode, legacy_encoding
from core.texts import describe_omissions, text

log = structlog.get_logger()

UnreadReason = (
    DocumentFault | Literal["content", "size", "fetch", "number"]
)  # content: unreadable without a DocumentFault
FileFormat = Literal["text", "json", "csv", "jsonl", "workbook", "document"]
ROW_FORMATS = ("csv", "jsonl", "workbook")  # these may be the rows of a job
FILES_LIMIT = 16
BINARY_STARTS = (b"%PDF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf")  # whatever the name says
XML_SPREADSHEET, XML_START_CHARS = '="urn:schemas-microsoft-com:office:spreadsheet"', 4096
CHUNK_BYTES = 1 << 16
# These are passed on as they are: they may be rows, or hold a JSON Schema. The engine reads workbooks, whose bytes are
# kept because they may be rows too, and all other formats.
VERBATIM_FORMATS: Mapping[DocumentFormat, FileFormat] = {
    "text": "text",
    "markdown": "text",
    "json": "json",
    "csv": "csv",
    "json_lines": "jsonl",
    "workbook": "workbook",
}


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file whose text was read. `body`: the bytes of a table, because a job reads its rows instead of its text."""

    name: str
    format: FileFormat
    text: str
    omissions: tuple[Omission, ...] = ()
    body: bytes = field(default=b"", repr=False)

    @property
    def verbatim(self) -> str:
        """The text as it was sent. A workbook has none."""
        return self.body.decode() if self.body else self.text

    @property
    def attachment(self) -> Attachment:
        return Attachment(self.name, self.text, self.omissions)


@dataclass(frozen=True, slots=True)
class UnreadFile:
    name: str
    reason: UnreadReason


@dataclass(frozen=True, slots=True)
class MessageFiles:
    """The files of one message, by whether they could be read."""

    readable: tuple[TextFile, ...] = ()
    unread: tuple[UnreadFile, ...] = ()


async def read_files(
    engine: Engine, platform: Platform, files: Sequence[AttachedFile], limit_bytes: int
) -> MessageFiles:
    """Reads at most FILES_LIMIT files. Does not raise: a file that cannot be read becomes an UnreadFile."""
    outcomes = [await read_file(engine, platform, file, limit_bytes) for file in files[:FILES_LIMIT]]
    outcomes += [UnreadFile(file.name, "number") for file in files[FILES_LIMIT:]]
    return MessageFiles(
        tuple(each for each in outcomes if isinstance(each, TextFile)),
        tuple(each for each in outcomes if isinstance(each, UnreadFile)),
    )


async def read_file(engine: Engine, platform: Platform, file: AttachedFile, limit_bytes: int) -> TextFile | UnreadFile:
    if (reason := refuse_by_name(file)) is not None:
        return UnreadFile(file.name, reason)
    if file.size_bytes is not None and file.size_bytes > limit_bytes:
        return UnreadFile(file.name, "size")
    try:
        body = await platform.fetch(file, limit_bytes)
    except DeliveryError as exc:
        log.warning("file_fetch_failed", platform=platform.name, size_bytes=file.size_bytes, problem=exc.message)
        return UnreadFile(file.name, "fetch")
    if len(body) > limit_bytes:
        return UnreadFile(file.name, "size")
    file_format = detect_format(file)
    decoded = None if file_format == "document" else decode_text(body)
    if decoded is None:
        return await read_document(engine, file, body, is_workbook=file_format == "workbook")
    if not decoded.strip():
        return UnreadFile(file.name, "empty")
    if file_format == "workbook" and decoded.lstrip().startswith("<"):  # some .xls are pages or XML
        return await read_document(engine, file, body, is_workbook=XML_SPREADSHEET in decoded[:XML_START_CHARS])
    is_table = file_format == "text" and looks_like_table(decoded)
    if file_format in ("csv", "workbook") or is_table:  # some .xls are CSV, and some .txt
        return await read_csv(engine, file, decoded)
    return TextFile(file.name, file_format, decoded)


async def read_csv(engine: Engine, file: AttachedFile, sent: str) -> TextFile:
    """Lets the engine read a table that is too long for one passage, because each passage must name the columns."""
    if len(sent) <= PASSAGE_LIMIT_CHARS:
        return TextFile(file.name, "csv", sent)
    body = sent.encode("utf-8", "replace")
    try:
        attachment = await engine.read(file.name, body, file.media_type)
    except UnreadableDocument as exc:
        log.info("file_read_failed", size_bytes=len(body), problem=exc.message)
        return TextFile(file.name, "csv", sent)
    return TextFile(file.name, "csv", attachment.text, attachment.omissions, body)


async def read_document(engine: Engine, file: AttachedFile, body: bytes, *, is_workbook: bool) -> TextFile | UnreadFile:
    try:
        attachment = await engine.read(file.name, body, file.media_type)
    except UnreadableDocument as exc:
        log.info("file_read_failed", size_bytes=len(body), problem=exc.message)
        return UnreadFile(file.name, exc.reason or "content")
    if is_workbook:
        return TextFile(file.name, "workbook", attachment.text, attachment.omissions, body)
    return TextFile(file.name, "document", attachment.text, attachment.omissions)


def refuse_by_name(file: AttachedFile) -> DocumentFault | None:
    """Returns the reason why a file need not be fetched: its name says that it is a picture, a program and so on."""
    row = format_of_name(file.name)
    return row.reason if isinstance(row, RefusedFormat) and row.by_name else None


def detect_format(file: AttachedFile) -> FileFormat:
    """Returns the format by file name, else by media type. "document": the engine reads it, or says why not."""
    rows = (format_of_name(file.name), format_of_media_type(file.media_type))
    named = next((row for row in rows if row is not None), None)
    return VERBATIM_FORMATS.get(named.name, "document") if isinstance(named, ReadableFormat) else "document"


def decode_text(body: bytes) -> str | None:
    """Decodes Unicode, or the charset of an older system. None: binary data."""
    if body.startswith(BINARY_STARTS):
        return None
    if (decoded := decode_unicode(body)) is not None:
        return None if "\0" in decoded else decoded
    return None if b"\0" in body else body.decode(legacy_encoding(body), "replace")


def explain_unread(files: MessageFiles, limit_bytes: int, language: Language) -> list[str]:
    """A sentence for each reason why files were not read, or not to the end. File names are made harmless."""
    names: dict[str, list[str]] = {}
    for file in files.unread:
        names.setdefault(file.reason, []).append(plain_name(file.name))
    unread = [explain_reason(reason, file_names, limit_bytes, language) for reason, file_names in names.items()]
    return unread + [explain_omissions(file, language) for file in files.readable if file.omissions]


def explain_omissions(file: TextFile, language: Language) -> str:
    read = describe_omissions(file.omissions, language)
    return text("source-partly-read", language, name=plain_name(file.name), read=read)


def explain_reason(reason: str, names: Sequence[str], limit_bytes: int, language: Language) -> str:
    count, file_names = len(names), ", ".join(names)
    if reason == "size":
        return text("bot-file-limit", language, count=count, names=file_names, limit=limit_bytes)
    return text(f"bot-files-{reason}", language, count=count, names=file_names)


async def read_limited(chunks: AsyncIterable[bytes], limit_bytes: int, sender: str) -> bytes:
    """Reads a body up to a limit, because its Content-Length may be wrong. Raises Refused if it is longer.

    `sender` names the platform in the error, for the operator.
    """
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit_bytes:
            raise too_large_error(sender, limit_bytes)
    return bytes(body)


def too_large_error(sender: str, limit_bytes: int) -> Refused:
    return Refused(f"{sender} sent more than {limit_bytes} bytes, the most that is allowed")
