"""Builds Outlook's messages ([MS-OXMSG]) from their properties."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.support.ole_files import ole_file

ROOT_HEADER_BYTES, EMBEDDED_HEADER_BYTES, ATTACHMENT_HEADER_BYTES = 32, 24, 8


@dataclass(frozen=True)
class OutlookFile:
    """`texts`: by property id, such as "0037". `binaries` as well. `fixed`: values of eight bytes by id."""

    texts: Mapping[str, str] = field(default_factory=dict)
    binaries: Mapping[str, bytes] = field(default_factory=dict)
    fixed: Mapping[int, int] = field(default_factory=dict)
    attachments: Sequence[Mapping[str, str]] = ()
    contents: Mapping[int, bytes] = field(default_factory=dict)  # of attachments, by their place
    attached_messages: Sequence[OutlookFile] = ()
    codepage: str = ""  # of texts; "": Unicode

    def build(self) -> bytes:
        return ole_file(self.streams("", ROOT_HEADER_BYTES))

    def streams(self, folder: str, header_bytes: int) -> dict[str, bytes]:
        kind, codec = ("001E", self.codepage) if self.codepage else ("001F", "utf-16-le")
        streams = {f"{folder}__properties_version1.0": properties(self.fixed, header_bytes)}
        streams |= {f"{folder}__substg1.0_{tag}{kind}": words.encode(codec) for tag, words in self.texts.items()}
        streams |= {f"{folder}__substg1.0_{tag}0102": content for tag, content in self.binaries.items()}
        for number, texts in enumerate(self.attachments):
            place = f"{folder}__attach_version1.0_#{number:08X}/"
            streams[f"{place}__properties_version1.0"] = properties({}, ATTACHMENT_HEADER_BYTES)
            streams |= {f"{place}__substg1.0_{tag}{kind}": words.encode(codec) for tag, words in texts.items()}
            if number in self.contents:
                streams[f"{place}__substg1.0_37010102"] = self.contents[number]
        for number, message in enumerate(self.attached_messages, len(self.attachments)):
            place = f"{folder}__attach_version1.0_#{number:08X}/__substg1.0_3701000D/"
            streams |= message.streams(place, EMBEDDED_HEADER_BYTES)
        return streams


def properties(fixed: Mapping[int, int], header_bytes: int) -> bytes:
    entries = (struct.pack("<IIQ", tag << 16 | 0x0040, 6, value) for tag, value in fixed.items())
    return bytes(header_bytes) + b"".join(entries)


def packed_rtf(rtf: bytes) -> bytes:
    """Packs RTF as single bytes, without references, and the mark of the end."""
    from core.rag.reading.mail.compressed_rtf import COMPRESSED, INITIAL, WINDOW_BYTES

    packed = b""
    for at in range(0, len(rtf), 8):
        packed += b"\x00" + rtf[at : at + 8]
    if len(rtf) % 8:
        end = (len(INITIAL) + len(rtf)) % WINDOW_BYTES
        control = bytes([1 << len(rtf) % 8])
        start = len(packed) - len(rtf) % 8 - 1
        packed = packed[:start] + control + packed[start + 1 :] + (end << 4).to_bytes(2, "big")
    return struct.pack("<II4sI", len(packed) + 12, len(rtf), COMPRESSED, 0) + packed
