"""Unpacks the compressed RTF of Outlook's messages ([MS-OXRTFCP]), and finds HTML in it ([MS-OXRTFEX]). Pure."""

from __future__ import annotations

import re
import struct

INITIAL = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
WINDOW_BYTES = 4096
HEADER = struct.Struct("<II4sI")  # the packed size, the unpacked size, the kind, a checksum
COMPRESSED, PLAIN = b"LZFu", b"MELA"
UNPACKED_LIMIT_BYTES = 16 * 1024 * 1024
FROM_HTML = b"\\fromhtml1"
TAGGED = re.compile(
    rb"\{\\\*\\htmltag\d* ?((?:[^{}\\]|\\.)*)\}|\\htmlrtf (?:.*?)\\htmlrtf0 ?|\{\\\*[^{}]*\}", re.DOTALL
)
ESCAPED = re.compile(
    r"\\'([0-9a-fA-F]{2})|\\u(-?\d+) ?\??"
    r"|\\(par|tab|line|lquote|rquote|ldblquote|rdblquote|bullet|endash|emdash)\b ?"
    r"|\\[a-z]+-?\d* ?|\\([{}\\])|[{}]"
)
SIGNS = {
    **{"par": "\n", "line": "\n", "tab": "\t", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”"},
    **{"bullet": "•", "endash": "–", "emdash": "—"},
}


def unpack_rtf(packed: bytes) -> bytes:
    """Returns the RTF, as far as it can be unpacked. Raises struct.error for a body without a header."""
    _, size, kind, _ = HEADER.unpack_from(packed)
    content = packed[HEADER.size :]
    if kind == PLAIN:
        return content[:size]
    return inflate(content, min(size, UNPACKED_LIMIT_BYTES)) if kind == COMPRESSED else b""


def inflate(content: bytes, size: int) -> bytes:
    """Unpacks runs of bytes and references into the last 4096 bytes: a control byte says which the next eight are."""
    window = bytearray(INITIAL.ljust(WINDOW_BYTES, b"\x00"))
    write = len(INITIAL)
    unpacked = bytearray()
    at = 0
    while at < len(content) and len(unpacked) < size:
        control = content[at]
        at += 1
        for bit in range(8):
            if not control >> bit & 1:
                run = content[at : at + 1]
                at += 1
            else:
                if at + 2 > len(content):
                    return bytes(unpacked)
                reference = int.from_bytes(content[at : at + 2], "big")
                at += 2
                offset, length = reference >> 4, (reference & 15) + 2
                if offset == write % WINDOW_BYTES:
                    return bytes(unpacked)  # the end
                run = copy_run(window, offset, length, write)
            for byte in run:
                window[write % WINDOW_BYTES] = byte
                write += 1
            unpacked += run
    return bytes(unpacked[:size])


def copy_run(window: bytearray, offset: int, length: int, write: int) -> bytes:
    """Returns `length` bytes from `offset`; a run may reach into what it writes itself."""
    distance = (write - offset) % WINDOW_BYTES or WINDOW_BYTES
    available = bytes(window[(offset + index) % WINDOW_BYTES] for index in range(min(length, distance)))
    return (available * (length // len(available) + 1))[:length]


def html_in_rtf(rtf: bytes) -> str:
    """Returns the HTML from which Outlook made the RTF; "" if it was made from something else."""
    if FROM_HTML not in rtf[:400]:
        return ""
    start = rtf.find(b"{\\*\\htmltag")
    tagged = TAGGED.sub(lambda found: found[1] or b"", rtf[max(start, 0) :])
    return ESCAPED.sub(unescape, tagged.decode("cp1252", "replace"))


def unescape(found: re.Match[str]) -> str:
    if found[1]:
        return bytes.fromhex(found[1]).decode("cp1252", "replace")
    if found[2]:
        return chr(int(found[2]) % 0x10000)
    return SIGNS.get(found[3] or "", found[4] or "")
