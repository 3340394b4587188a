"""Workbooks made in code."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import xlsxwriter

Build = Callable[[Any], None]
SECTOR = 512
END_OF_CHAIN, FREE, FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
STRICT = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/officeDocument/2006/": "http://purl.oclc.org/ooxml/officeDocument/",
}


def xlsx(build: Build, **options: Any) -> bytes:
    """Builds a workbook: `build` gets xlsxwriter's."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, **options})
    build(book)
    book.close()
    return written.getvalue()


def sheet_of(rows: Sequence[Sequence[Any]]) -> bytes:
    """Builds a workbook with one sheet of these rows. A string that begins with "=" is a formula."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Data")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    return xlsx(build)


def change_parts(body: bytes, change: Callable[[str, str], str]) -> bytes:
    """Rewrites each part of a package: `change` gets its name and text."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as source, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name).decode()))
    return written.getvalue()


def strict(body: bytes) -> bytes:
    """Changes the namespaces to those of strict Open XML."""

    def change(_name: str, text: str) -> str:
        for transitional, other in STRICT.items():
            text = text.replace(transitional, other)
        return text

    return change_parts(body, change)


def zipped(parts: Mapping[str, str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return written.getvalue()


def xls(name: str, rows: Sequence[Sequence[str | float]]) -> bytes:
    """Builds an Excel 97 workbook: BIFF8 records in a compound file of one stream."""
    globals_start = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    label = struct.pack("<BB", len(name), 0) + name.encode("latin-1")
    place = len(globals_start) + 4 + 6 + len(label) + 4
    book = globals_start + record(0x85, struct.pack("<IBB", place, 0, 0) + label) + record(0x0A, b"")
    book += record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            at = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
                book += record(0x204, at + text)
            else:
                book += record(0x203, at + struct.pack("<d", value))
    return compound_file("Workbook", book + record(0x0A, b""))


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def compound_file(name: str, stream: bytes) -> bytes:
    """Builds an OLE compound file: FAT, directory, stream."""
    stream = stream.ljust(max(4096, -(-len(stream) // SECTOR) * SECTOR), b"\0")
    sectors = len(stream) // SECTOR
    chain = [FAT_SECTOR, END_OF_CHAIN, *range(3, 2 + sectors), END_OF_CHAIN]
    fat = struct.pack("<128I", *chain, *[FREE] * (128 - len(chain)))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END_OF_CHAIN, 0, END_OF_CHAIN, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    entries = directory_entry("Root Entry", 5, 1, END_OF_CHAIN, 0) + directory_entry(name, 2, FREE, 2, len(stream))
    return header + fat + entries + bytes(256) + stream


def directory_entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    entry = encoded.ljust(64, b"\0") + struct.pack("<HBBIII", len(encoded), kind, 1, FREE, FREE, child)
    return entry + bytes(36) + struct.pack("<III", start, size, 0)
