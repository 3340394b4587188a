"""Decodes bytes by what the bytes, the server and the document say of their charset. Pure."""

from __future__ import annotations

import codecs

from bs4.dammit import EncodingDetector

from core.runtime.file_formats import split_byte_order_mark

# Browsers use it for unlabelled Western pages, and for those labelled ISO 8859-1 (WHATWG Encoding). Statistical
# guessing does worse in English and French: it takes short texts for Bulgarian or EBCDIC.
WESTERN = "windows-1252"
DECLARED_BYTES = 4096


def decode(body: bytes, charset: str | None = None, *, is_html: bool = False) -> str:
    """Decodes the bytes; those that do not fit the charset become U+FFFD.

    Uses the byte order mark, else UTF-8 for valid UTF-8 beyond ASCII, else the server's `charset`, else the document's.
    Bytes that are valid UTF-8 by chance do not occur in practice.
    """
    encoding, marked = split_byte_order_mark(body)
    if encoding:
        return marked.decode(encoding, "replace")
    if not body.isascii() and (text := decode_strictly(body, "utf-8")) is not None:
        return text
    declared = EncodingDetector.find_declared_encoding(body[:DECLARED_BYTES], is_html=is_html)
    return body.decode(codec_name(charset) or codec_name(declared) or WESTERN, "replace")


def decode_strictly(body: bytes, charset: str) -> str | None:
    try:
        return body.decode(charset)
    except UnicodeDecodeError:
        return None


def codec_name(charset: str | None) -> str | None:
    """Returns Python's name of the charset; None for codecs of other things, such as "zlib" and "rot13"."""
    try:
        "".encode(charset or "")
        name = codecs.lookup(charset or "").name
    except (LookupError, ValueError):
        return None
    return WESTERN if name in ("iso8859-1", "ascii") else name
