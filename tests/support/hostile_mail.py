"""Hostile mail and rich text: parts in parts, endless headers, groups in groups, and chains of sectors that loop."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping

MB = 1024 * 1024
EML_TYPE, MSG_TYPE, RTF_TYPE = "message/rfc822", "application/vnd.ms-outlook", "application/rtf"
HEAD = b"From: a@example.ca\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n"
END_OF_CHAIN, FREE, SPECIAL_FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def parts_in_parts(levels: int) -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level) for level in range(levels)
    )
    return HEAD + opened + b"Content-Type: text/plain\r\n\r\nhello\r\n"


def messages_in_messages(levels: int) -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n" * levels + b"\r\nhello"


def many_parts(count: int) -> bytes:
    part = b'--b\r\nContent-Type: text/plain; name="f.txt"\r\nContent-Disposition: attachment\r\n\r\nhello\r\n'
    return HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + part * count + b"--b--"


def large_base64() -> bytes:
    body = base64.encodebytes(b"word " * 2 * MB)
    return HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body


def compound_file(fat: list[int], directory: bytes) -> bytes:
    """Builds a compound file (OLE) of one table of sectors and a directory in sector 1."""
    sectors = [*fat, *[FREE] * (128 - len(fat))]
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END_OF_CHAIN, 0, END_OF_CHAIN, 0)
    head += struct.pack("<109I", 0, *[FREE] * 108)
    return head + struct.pack("<128I", *sectors) + directory.ljust(512, b"\0")


def directory_entry(
    name: str, kind: int, *, left: int = FREE, right: int = FREE, child: int = FREE, start: int = 0
) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    entry = encoded.ljust(64, b"\0") + struct.pack("<HBBIII", len(encoded), kind, 1, left, right, child)
    return entry + bytes(36) + struct.pack("<IQ", start, 1 << 30)


def directory_loop() -> bytes:
    """Builds a directory whose entries are each other's siblings and children."""
    entries = directory_entry("Root Entry", 5, child=1, start=END_OF_CHAIN)
    entries += directory_entry("__substg1.0_1000001F", 1, left=2, right=2, child=1, start=3)
    entries += directory_entry("__properties_version1.0", 1, left=1, right=1, child=0, start=3)
    return compound_file([SPECIAL_FAT, END_OF_CHAIN, 3, 2], entries)


def sector_loop() -> bytes:
    """Builds chains of sectors that never end, that of the directory among them."""
    entries = directory_entry("Root Entry", 5, child=1, start=2)
    entries += directory_entry("__substg1.0_1000001F", 2, start=2)
    return compound_file([SPECIAL_FAT, 1, 3, 2], entries) + bytes(4096)


MAILS: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "mail of parts in parts": (EML_TYPE, lambda: parts_in_parts(20_000)),
    "mail in mail": (EML_TYPE, lambda: messages_in_messages(20_000)),
    "mail of many parts": (EML_TYPE, lambda: many_parts(80_000)),
    "mail of a large text": (EML_TYPE, large_base64),
    "mail of many headers": (EML_TYPE, lambda: b"X-A: b\r\n" * MB + b"\r\nhello"),
    "mail of one long header": (EML_TYPE, lambda: b"Subject: " + b"=?utf-8?q?=C3=A9?= " * 200_000 + b"\r\n\r\nhello"),
    "mail of many addresses": (EML_TYPE, lambda: b"To: " + b"<a@b>, (" * 200_000 + b"\r\n\r\nhello"),
    "Outlook's mail whose folders loop": (MSG_TYPE, directory_loop),
    "Outlook's mail whose sectors loop": (MSG_TYPE, sector_loop),
    "RTF of groups in groups": (RTF_TYPE, lambda: b"{\\rtf1 " + b"{\\b " * MB + b"word"),
    "RTF of signs": (RTF_TYPE, lambda: b"{\\rtf1\\uc9 " + b"\\u233 ?\\'e9" * 500_000 + b"}"),
    "RTF of a large number": (RTF_TYPE, lambda: b"{\\rtf1\\bin999999999999 " + b"\\fs" + b"9" * MB + b"}"),
}
