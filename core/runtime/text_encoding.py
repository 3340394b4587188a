"""Decodes texts whose sender names no charset: Unicode with its usual faults, or the charset of an older system. Pure.

Each rule looks for what French and English texts have: statistical guessing takes short texts for Bulgarian or EBCDIC.
"""

from __future__ import annotations

import re
import unicodedata

from core.runtime.file_formats import split_byte_order_mark

# Browsers use it for unlabelled Western pages (WHATWG Encoding).
WESTERN = "cp1252"
SAMPLE_BYTES = 4096
MENDED_SAMPLE_BYTES = 1 << 18
ZERO_SHARE = 0.4  # of every second byte, in UTF-16 of Latin letters
LONE_BYTES = re.compile("[\udc80-\udcff]")  # "surrogateescape" writes bytes that are no UTF-8 this way
BEYOND_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")
FRENCH = frozenset("àâäçéèêëîïôöùûüœÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŒ«»’")
# The bytes of "éèêàç" inside words: in another charset they are signs that stand in no word.
LETTERS_IN_WORDS = {
    encoding: re.compile(b"(?<=[A-Za-z])[" + re.escape("éèêàç".encode(encoding)) + b"](?=[a-z])")
    for encoding in (WESTERN, "mac_roman", "cp850")
}


def decode_unicode(body: bytes) -> str | None:
    """Decodes UTF-8, -16 and -32 with their mark, and without it by their bytes. None for ASCII and other charsets."""
    encoding, marked = split_byte_order_mark(body)
    if encoding:
        return marked.decode(encoding, "replace")
    if encoding := unmarked_utf16(body[:SAMPLE_BYTES]):
        return body.decode(encoding, "replace")
    if body.isascii():
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return mend_utf8(body)


def unmarked_utf16(sample: bytes) -> str | None:
    """Recognizes Latin text in UTF-16: every second byte is zero, and no character is a control."""
    half = len(sample) // 2
    zeros = {"utf-16-be": sample[0 : half * 2 : 2].count(0), "utf-16-le": sample[1 : half * 2 : 2].count(0)}
    encoding = max(zeros, key=lambda name: zeros[name])
    if half < 2 or zeros[encoding] < half * ZERO_SHARE or min(zeros.values()) > half * 0.02:
        return None
    text = sample[: half * 2].decode(encoding, "replace")
    has_controls = any(unicodedata.category(char) == "Cc" and char not in "\t\r\n\f" for char in text)
    return None if has_controls else encoding


def mend_utf8(body: bytes) -> str | None:
    """Decodes UTF-8 with some faulty bytes. None if most bytes beyond ASCII are no UTF-8.

    A faulty byte that is a French letter in Windows-1252 was pasted from such a text; others become U+FFFD.
    """
    if not is_mostly_utf8(body[:MENDED_SAMPLE_BYTES]) or not is_mostly_utf8(body):
        return None
    return LONE_BYTES.sub(western_letter, body.decode("utf-8", "surrogateescape"))


def is_mostly_utf8(body: bytes) -> bool:
    text = body.decode("utf-8", "surrogateescape")
    faulty = len(LONE_BYTES.findall(text))
    return faulty == 0 or faulty <= len(BEYOND_ASCII.findall(text))


def western_letter(lone: re.Match[str]) -> str:
    letter = bytes([ord(lone[0]) - 0xDC00]).decode(WESTERN, "replace")
    return letter if letter in FRENCH else "\ufffd"


def legacy_encoding(body: bytes) -> str:
    """Returns the charset of a text that is no Unicode: Windows-1252, or that of old Macs or of DOS."""
    sample = body[:MENDED_SAMPLE_BYTES]
    return max(LETTERS_IN_WORDS, key=lambda encoding: len(LETTERS_IN_WORDS[encoding].findall(sample)))
