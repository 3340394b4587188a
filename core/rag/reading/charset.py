"""Decodes bytes by what the bytes, the server and the document say of their charset. Pure."""

from __future__ import annotations

import codecs

from core.runtime.text_encoding import WESTERN, decode_unicode, legacy_encoding

DECLARED_BYTES = 4096


def decode(body: bytes, charset: str | None = None, *, is_html: bool = False) -> str:
    """Decodes the bytes; those that do not fit the charset become U+FFFD.

    Uses Unicode where the bytes are Unicode, else the server's `charset`, else the document's, else a Western one.
    Bytes that are valid UTF-8 by chance do not occur in practice.
    """
    if (text := decode_unicode(body)) is not None:
        return text
    from bs4.dammit import EncodingDetector  # 8 MB that only processes need which read documents

    declared = EncodingDetector.find_declared_encoding(body[:DECLARED_BYTES], is_html=is_html)
    return body.decode(codec_name(charset) or codec_name(declared) or legacy_encoding(body), "replace")


def codec_name(charset: str | None) -> str | None:
    """Returns Python's name of the charset; None for codecs of other things, such as "zlib" and "rot13"."""
    try:
        "".encode(charset or "")
        name = codecs.lookup(charset or "").name
    except (LookupError, ValueError):
        return None
    return WESTERN if name in ("iso8859-1", "ascii") else name
