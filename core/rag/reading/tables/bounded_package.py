"""The XML parts of an Office file, read as streams with a limit on what they unpack to. Pure.

Sheets can be long. They are neither refused for their size nor held in memory: their reader stops when it has enough.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote

from lxml import etree

from core.errors import UnreadableDocument
from core.rag.reading.office.zip_package import PARTS_LIMIT

UNPACKED_LIMIT_BYTES = 128 * 1024 * 1024  # of all parts that are read
XML_OPTIONS: Mapping[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False}


class BoundedPackage:
    """The parts of an Office file, with a limit on what is unpacked."""

    def __init__(self, body: bytes) -> None:
        self._zip = zipfile.ZipFile(BytesIO(body))
        if len(self._zip.infolist()) > PARTS_LIMIT:
            raise UnreadableDocument("this file has too many parts", "large")
        self._names = {name.lower(): name for name in self._zip.namelist()}
        self.left_bytes = UNPACKED_LIMIT_BYTES

    def __contains__(self, part: str) -> bool:
        return part.lower() in self._names

    def open(self, part: str) -> BoundedPart:
        """Raises BadZipFile, also for a part that does not exist."""
        if part not in self:
            raise zipfile.BadZipFile(f"there is no {part}")
        return BoundedPart(self, self._zip.open(self._names[part.lower()]))

    def xml(self, part: str) -> etree._Element | None:
        """Returns the root; None for a part that does not exist."""
        if part not in self:
            return None
        with self.open(part) as opened:
            return etree.parse(opened, etree.XMLParser(**XML_OPTIONS)).getroot()

    def relations(self, part: str) -> list[Relation]:
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        return [] if root is None else [build_relation(each, folder) for each in root if each.get("Target")]

    def related(self, part: str, kind: str) -> list[str]:
        """Returns the parts of this kind, such as "worksheet", that the part names."""
        return [each.target for each in self.relations(part) if each.kind == kind]


class BoundedPart:
    """A part as a file. Raises UnreadableDocument where the package has unpacked too much."""

    def __init__(self, package: BoundedPackage, file: IO[bytes]) -> None:
        self._package = package
        self._file = file

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._package.left_bytes -= len(piece)
        if self._package.left_bytes < 0:
            raise UnreadableDocument("this workbook is too large when unpacked: attach the sheets that matter", "large")
        return piece

    def __enter__(self) -> BoundedPart:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@dataclass(frozen=True, slots=True)
class Relation:
    id: str
    kind: str  # the last part of its type: "worksheet"
    target: str


def build_relation(element: etree._Element, folder: str) -> Relation:
    target = unquote(element.get("Target") or "")
    path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
    return Relation(element.get("Id") or "", (element.get("Type") or "").rpartition("/")[2], path)


def stream_elements(part: BoundedPart, *tags: str) -> Iterator[etree._Element]:
    """Yields the elements with these tags when they end, and frees their memory after each."""
    for _, element in etree.iterparse(part, events=("end",), tag=tags, **XML_OPTIONS):
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
