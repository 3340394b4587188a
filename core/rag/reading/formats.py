"""Detects a document's format and reads it: by its bytes, its media type and its name, in that order. Pure.

Media types are unreliable: servers call feeds HTML or text, browsers call TypeScript a video and know none for
Markdown, and Excel claims CSV. `core.runtime.format_table` has a row for each format.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import NoReturn

from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading import content_sniffing
from core.rag.reading.charset import decode
from core.rag.reading.raw_document import NO_LIMITS, RawDocument, ReadingLimits
from core.runtime.format_table import (
    BY_NAME,
    READABLE_FORMATS,
    DocumentFormat,
    FileFormat,
    ReadableFormat,
    format_of_media_type,
    format_of_name,
)
from core.runtime.refused_formats import REFUSED, RefusedFormat

Parser = Callable[[RawDocument], Document]
# Servers and browsers send these types with documents of any format: name and bytes decide.
AMBIGUOUS_TYPES = {"", "text/plain", "application/octet-stream", "binary/octet-stream"}
MARKUP_FORMATS = {"page", "feed", "json", "text"}  # the first characters may say something else
ZIP_FORMATS = {"word", "slides", "workbook", "open_document"}
OLE_FORMATS = {"workbook", "outlook"}
SNIFFED_BYTES = 4096


def read_document(
    body: bytes,
    media_type: str,
    *,
    name: str = "",
    url: str | None = None,
    charset: str | None = None,
    limits: ReadingLimits = NO_LIMITS,
) -> Document:
    """Raises UnreadableDocument for other formats, damaged documents and those without text."""
    if not body.strip():
        raise UnreadableDocument("there is no text in it: it is empty", "empty")
    raw = RawDocument(body, media_type, name, url, charset, limits)
    detected = detect_format(body, media_type, name, charset)
    if detected in ZIP_FORMATS and not body.startswith(content_sniffing.ZIP_STARTS):
        raw = with_packed_parts(raw)
    document = find_parser(detected)(raw)
    if not document.passages:
        hint = " (a page that scripts draw has none before they run)" if detected == "page" else ""
        raise UnreadableDocument(f"there is no text in it{hint}", "empty")
    return document


def with_packed_parts(raw: RawDocument) -> RawDocument:
    """Returns a ZIP file instead of the one XML document that Office can save as well."""
    from core.rag.reading.office.flat_package import NAMESPACE, pack_parts

    is_flat = NAMESPACE.encode() in raw.body[:SNIFFED_BYTES]
    return replace(raw, body=pack_parts(raw.body)) if is_flat else raw


def find_parser(detected: DocumentFormat) -> Parser:
    """Imports the format's module only now: a process that reads pages needs no libraries for Office files."""
    module, function = BY_NAME[detected].parser.split(":")
    parser: Parser = getattr(import_module(f"core.rag.reading.{module}"), function)
    return parser


def detect_format(body: bytes, media_type: str, name: str, charset: str | None = None) -> DocumentFormat:
    """Raises UnreadableDocument for formats that are certainly not readable."""
    declared = media_type.partition(";")[0].strip().lower()
    by_type = None if declared in AMBIGUOUS_TYPES else format_of_media_type(declared)
    claims = [row for row in (by_type, format_of_name(name)) if row is not None]
    if sniffed := content_sniffing.sniff_binary(body):
        return format_of_binary(sniffed, claims)
    return format_of_text(decode(body[:SNIFFED_BYTES], charset), claims)


def format_of_binary(sniffed: str, claims: list[FileFormat]) -> DocumentFormat:
    """`claims`: the formats that the media type and the name say, for a ZIP or OLE file whose parts do not tell."""
    if sniffed in ("zip", "ole"):
        family = ZIP_FORMATS if sniffed == "zip" else OLE_FORMATS
        names = [row.name for row in claims if isinstance(row, ReadableFormat)]
        if claimed := next((name for name in names if name in family), None):
            return claimed
        refused = [row for row in claims if isinstance(row, RefusedFormat)]
        refuse(refused[0] if refused else REFUSED["archive" if sniffed == "zip" else "old_office"])
    return readable(sniffed)


def format_of_text(start: str, claims: list[FileFormat]) -> DocumentFormat:
    """Chooses among the text formats: the media type's, else the name's, else the one of the first characters."""
    chosen = next((row.name for row in claims if isinstance(row, ReadableFormat) and row.is_text), None)
    if chosen != "page" and content_sniffing.looks_binary(start):
        refuse_binary(claims)
    if chosen == "xml":
        return readable(content_sniffing.sniff_xml(start) or "xml")
    if chosen is not None and chosen not in MARKUP_FORMATS:
        return chosen
    sniffed = content_sniffing.sniff_text(start)
    if sniffed and not (sniffed in ("xml", "mail", "csv") and chosen in ("page", "feed", "json")):
        return readable(sniffed)
    return chosen or format_of_claims(start, claims)


def format_of_claims(start: str, claims: list[FileFormat]) -> DocumentFormat:
    """Chooses the format of a text without markup whose media type and name claim a binary format, or nothing."""
    names = [row.name for row in claims if isinstance(row, ReadableFormat)]
    if "workbook" in names and start.strip():
        return "csv"  # what older programs export as .xls
    if names:
        return names[0]  # its parser says how it is damaged
    pictures = [row for row in claims if isinstance(row, RefusedFormat) and row.by_name]
    if pictures:
        refuse(pictures[0])
    return "text"


def readable(sniffed: str) -> DocumentFormat:
    """Raises UnreadableDocument for a refused format."""
    row = BY_NAME.get(sniffed)
    return row.name if row else refuse(REFUSED.get(sniffed, REFUSED["convert"]))


def refuse_binary(claims: list[FileFormat]) -> NoReturn:
    """Refuses bytes that are no text, by what the media type or the name says of them."""
    refused = [row for row in claims if isinstance(row, RefusedFormat)]
    if refused:
        refuse(refused[0])
    raise UnreadableDocument(f"this is no text, because it has zero bytes; {READABLE_FORMATS}", "kind")


def refuse(row: RefusedFormat) -> NoReturn:
    raise UnreadableDocument(f"this is {row.advice}; {READABLE_FORMATS}", row.reason)
