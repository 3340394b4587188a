"""Builds OLE compound files ([MS-CFB]): the container of old Office files and of Outlook's messages."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

SECTOR_BYTES, SMALL_SECTOR_BYTES = 512, 64
SMALL_LIMIT_BYTES = 4096  # shorter streams are in the root's stream, in small sectors
FREE, END, TABLE_SECTOR, NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
STORAGE, STREAM, ROOT = 1, 2, 5
TABLES_LIMIT = 109  # of the header: files up to 7 MB
HEADER = struct.Struct("<8s16s5H6s9I109I")
ENTRY = struct.Struct("<64sHBB3I16sI16sIQ")


@dataclass
class Entry:
    name: str
    kind: int
    content: bytes = b""
    children: list[int] = field(default_factory=list)
    start: int = END


@dataclass
class Sectors:
    """Chains of sectors, and the table that links them."""

    size_bytes: int
    table: list[int] = field(default_factory=list)
    content: bytes = b""

    def add(self, content: bytes) -> int:
        """Adds a chain. Returns its first sector."""
        start, count = len(self.table), -(-len(content) // self.size_bytes)
        self.table += [*range(start + 1, start + count), END][:count] if count else []
        self.content += content.ljust(count * self.size_bytes, b"\x00")
        return start if count else END


def ole_file(streams: Mapping[str, bytes]) -> bytes:
    """Builds a file of these streams; "folder/stream" is a stream in a storage."""
    entries = list_entries(streams)
    sectors, small = Sectors(SECTOR_BYTES), Sectors(SMALL_SECTOR_BYTES)
    for entry in entries[1:]:
        entry.start = (small if len(entry.content) < SMALL_LIMIT_BYTES else sectors).add(entry.content)
    entries[0].content = small.content
    entries[0].start = sectors.add(small.content)
    small_table = sectors.add(pack_table(small.table))
    directory = sectors.add(b"".join(pack_entry(entries, index) for index in range(len(entries))))
    count = 1
    while count * SECTOR_BYTES // 4 < len(sectors.table) + count:
        count += 1
    places = range(len(sectors.table), len(sectors.table) + count)
    header = HEADER.pack(
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b""),
        *(0, count, directory, 0, SMALL_LIMIT_BYTES, small_table, -(-len(small.table) * 4 // SECTOR_BYTES), END, 0),
        *places,
        *([FREE] * (TABLES_LIMIT - count)),
    )
    return header + sectors.content + pack_table(sectors.table + [TABLE_SECTOR] * count)


def list_entries(streams: Mapping[str, bytes]) -> list[Entry]:
    entries, folders = [Entry("Root Entry", ROOT)], {"": 0}
    for path, content in streams.items():
        *parents, name = path.split("/")
        for depth in range(1, len(parents) + 1):
            folder = "/".join(parents[:depth])
            if folder not in folders:
                folders[folder] = len(entries)
                entries[folders["/".join(parents[: depth - 1])]].children.append(len(entries))
                entries.append(Entry(parents[depth - 1], STORAGE))
        entries[folders["/".join(parents)]].children.append(len(entries))
        entries.append(Entry(name, STREAM, content))
    return entries


def pack_table(links: list[int]) -> bytes:
    """Packs a table of links; the rest of its last sector is free."""
    room = -len(links) % (SECTOR_BYTES // 4)
    return struct.pack(f"<{len(links) + room}I", *links, *([FREE] * room))


def pack_entry(entries: list[Entry], index: int) -> bytes:
    """Packs an entry of the directory. Each child of a storage is the right sibling of the one before."""
    entry = entries[index]
    siblings = next((each.children for each in entries if index in each.children), [index])
    right = next(iter(siblings[siblings.index(index) + 1 :]), NONE)
    child = entry.children[0] if entry.children else NONE
    name = entry.name.encode("utf-16-le")
    head = (name, len(name) + 2, entry.kind, 1, NONE, right, child)
    return ENTRY.pack(*head, b"", 0, b"", entry.start, len(entry.content))
