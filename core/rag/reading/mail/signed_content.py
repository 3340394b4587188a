"""Finds the text within a signed message whose signature wraps it (CMS, RFC 5652; S/MIME, RFC 8551). Pure.

Signatures are not checked. Encrypted content cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator

SIGNED_DATA, DATA = (bytes.fromhex(f"2a864886f70d0107{last}") for last in ("02", "01"))  # object identifiers
OBJECT_ID, OCTETS, END = 0x06, 0x04, 0x00
CONSTRUCTED, LONG_TAG = 0x20, 0x1F
VALUES_LIMIT = 100_000


def signed_content(body: bytes) -> bytes | None:
    """Returns the signed MIME part. None: the content is encrypted, or there is none."""
    values = primitive_values(body)
    first = next(values, None)
    if first != (OBJECT_ID, SIGNED_DATA) or (OBJECT_ID, DATA) not in values:
        return None
    content = bytearray()
    for tag, value in values:
        if tag not in (OCTETS, END):
            break
        content += value
    return bytes(content) or None


def primitive_values(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the tags and bytes of all values that hold no others (X.690: BER and DER), in their order."""
    at = 0
    for _ in range(VALUES_LIMIT):
        if at + 2 > len(body) or body[at] & LONG_TAG == LONG_TAG:
            return
        tag, length = body[at], body[at + 1]
        at += 2
        if length & 0x80:
            more = length & 0x7F  # bytes of the length; 0: the end is marked
            length = int.from_bytes(body[at : at + more], "big")
            at += more
        if not tag & CONSTRUCTED:
            yield tag, body[at : at + length]
            at += length
