"""Detects a document's format by its bytes, its media type and its name, in that order, and reads it. Pure.

Media types are unreliable: servers call feeds HTML or text, and browsers send none for Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Literal

from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.charset import decode
from core.rag.reading.raw_document import NO_LIMITS, RawDocument, ReadingLimits
from core.runtime.file_formats import MEDIA_TYPES_BY_SUFFIX, guess_media_type

READABLE_FORMATS = "HTML, RSS, Atom, JSON Feed, text, Markdown, CSV, JSON, PDF and DOCX are read"
DocumentFormat = Literal["page", "feed", "text", "markdown", "csv", "json", "json_lines", "pdf", "word"]

Parser = Callable[[RawDocument], Document]
PARSERS: Mapping[DocumentFormat, str] = {
    "page": "extract:parse_page",
    "feed": "feeds:parse_feed",
    "text": "plain_text:parse_text",
    "markdown": "plain_text:parse_markdown",
    "csv": "csv_table:parse_csv",
    "json": "json_data:parse_json",
    "json_lines": "json_data:parse_json_lines",
    "pdf": "pdf:parse_pdf",
    "word": "word:parse_word",
}
# Attached files have these types; FETCHABLE_TYPES in `core.rag.fetching.response` says which types the Web may send.
FORMATS_BY_TYPE: dict[str, DocumentFormat] = {
    "text/html": "page",
    "application/xhtml+xml": "page",
    "application/rss+xml": "feed",
    "application/atom+xml": "feed",
    "application/rdf+xml": "feed",
    "application/feed+json": "feed",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/json": "json",
    "application/x-ndjson": "json_lines",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "word",
}
NAMED_FORMATS: Mapping[str, DocumentFormat] = {
    **FORMATS_BY_TYPE,
    "text/plain": "text",
}  # a suffix is more specific than a server
READABLE_SUFFIXES = frozenset(suffix for suffix, media in MEDIA_TYPES_BY_SUFFIX.items() if media in NAMED_FORMATS)
# Servers and browsers send these types with documents of any format: name and bytes decide.
AMBIGUOUS_TYPES = {"", "text/plain", "text/xml", "application/xml", "application/octet-stream", "binary/octet-stream"}
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")  # the part of an Office file with a password
REFUSED_STARTS = {
    OLD_OFFICE: "an old Office file: save it as .docx or PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x1f\x8b": "a compressed file: unpack it first",
    b"Rar!": "a compressed file: unpack it first",
    b"7z\xbc\xaf": "a compressed file: unpack it first",
    b"{\\rtf": "an RTF file: save it as .docx or PDF",
}
ZIP = b"PK\x03\x04"
SNIFFED_BYTES = 4096
# After blanks, <?xml …?>, comments and <!DOCTYPE …>. Possessive: each character is read once.
ROOT = re.compile(r"(?:\s+|<\?[^>]*>|<!--.*?-->|<!(?!--)[^>]*>|\]>)*+<(?:\w+:)?(\w+)", re.DOTALL)
FEED_ROOTS = {"rss", "feed", "rdf"}
PAGE_ROOTS = {"html", "head", "body", "main", "article", "section", "div", "p", "h1", "table", "meta", "title"}
JSON_FEED = re.compile(r'"version"\s*:\s*"https://jsonfeed\.org/')


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
    raw = RawDocument(body, media_type, name, url, charset, limits)
    detected = detect_format(body, media_type, name)
    document = find_parser(detected)(raw)
    if not document.passages:
        hint = " (a page that scripts draw has none before they run)" if detected == "page" else ""
        raise UnreadableDocument(f"there is no text in it{hint}", "empty")
    return document


def find_parser(detected: DocumentFormat) -> Parser:
    """Imports the format's module only now: a process that reads pages needs no libraries for Office files."""
    module, function = PARSERS[detected].split(":")
    parser: Parser = getattr(import_module(f"core.rag.reading.{module}"), function)
    return parser


def detect_format(body: bytes, media_type: str, name: str) -> DocumentFormat:
    """Raises UnreadableDocument for formats that are certainly not readable."""
    declared = media_type.partition(";")[0].strip().lower()
    by_name = NAMED_FORMATS.get(guess_media_type(name))
    if detected := format_of_bytes(body, by_name or FORMATS_BY_TYPE.get(declared)):
        return detected
    if declared.split("/")[0] in ("image", "audio", "video", "font"):
        raise UnreadableDocument(f"this is {declared}: {READABLE_FORMATS}", "kind")
    start = decode(body[:SNIFFED_BYTES])
    by_type = FORMATS_BY_TYPE.get(declared) or (by_name if declared in AMBIGUOUS_TYPES else None)
    if by_type in (None, "page", "feed", "json", "text"):
        return format_of_text(start) or by_type or "text"
    return by_type


def format_of_bytes(body: bytes, declared: DocumentFormat | None) -> DocumentFormat | None:
    """Detects the format by the first bytes."""
    if b"%PDF-" in body[:1024]:
        return "pdf"
    if body.startswith(OLD_OFFICE) and ENCRYPTED_PACKAGE in body:
        raise UnreadableDocument("this Office file is locked by a password: attach it without one", "locked")
    for start, what in REFUSED_STARTS.items():
        if body.startswith(start):
            raise UnreadableDocument(f"this is {what}; {READABLE_FORMATS}", "kind")
    if body.startswith(ZIP) or declared == "word":
        if declared != "word" and b"word/" not in body:
            raise UnreadableDocument(f"this is a ZIP file, and no .docx; {READABLE_FORMATS}", "kind")
        return "word"
    return None


def format_of_text(start: str) -> DocumentFormat | None:
    """Detects the format by the first characters."""
    if start.lstrip().startswith("{"):
        return "feed" if JSON_FEED.search(start) else None
    detected = ROOT.match(start)
    root = detected[1].lower() if detected else ""
    if root in FEED_ROOTS:
        return "feed"
    if root in PAGE_ROOTS:
        return "page"
    return None
