"""Bytes to text, by what the bytes, the server and the document say of their charset. Pure."""

from __future__ import annotations

import codecs

from bs4.dammit import EncodingDetector

from core.runtime.file_formats import split_byte_order_mark

# What browsers take for unlabelled pages of the West, and for those labelled ISO 8859-1 (WHATWG Encoding). Guessing by
# statistics does worse in English and French: of short texts it finds Bulgarian and EBCDIC.
WESTERN = "windows-1252"
DECLARED_BYTES = 4096


def decode(body: bytes, charset: str | None = None, *, is_html: bool = False) -> str:
    """Never fails: what does not fit the charset becomes U+FFFD.

    By the byte order mark, the server's word (`charset`), the document's own. Bytes beyond ASCII that are valid UTF-8
    are UTF-8 whatever anybody says: nothing else looks so by chance.
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
    """The codec's name; None for what is no charset, such as Python's "zlib" and "rot13"."""
    try:
        "".encode(charset or "")
        name = codecs.lookup(charset or "").name
    except (LookupError, ValueError):
        return None
    return WESTERN if name in ("iso8859-1", "ascii") else name
