"""Opens the parts of Office and OpenDocument files: ZIP files of XML documents. Limits what they unpack to. Pure."""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TypeAlias

from lxml import etree

from core.errors import UnreadableDocument

UNZIPPED_LIMIT_BYTES = 64 * 1024 * 1024
PARTS_LIMIT = 5000
RELATIONSHIPS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
# Strict Office Open XML (ISO/IEC 29500-1) differs from the usual form (29500-4) in the names of its namespaces.
STRICT_NAMESPACE = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
USUAL_NAMESPACE = rb"http://schemas.openxmlformats.org/\1/2006/\2"
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    etree.LxmlError,
    EOFError,
    OSError,
    RuntimeError,  # a ZIP file's password or compression, and too deep nesting
    ValueError,
)

Element: TypeAlias = etree._Element


@dataclass(frozen=True, slots=True)
class Relationship:
    """A reference from one part to another. `kind`: the last word of its type, such as "footnotes"."""

    kind: str
    target: str  # the part's name


@contextmanager
def refuse_damage(message: str) -> Iterator[None]:
    """Raises UnreadableDocument with this message for whatever damaged parts make a reader raise."""
    try:
        yield
    except DAMAGE as exc:
        raise UnreadableDocument(f"{message} ({type(exc).__name__})", "damaged") from exc


def require_unpacked_size(body: bytes) -> None:
    """Raises UnreadableDocument for too much content, and BadZipFile.

    A ZIP file may unpack to a thousand times its size, but never beyond its own claim.
    """
    with zipfile.ZipFile(BytesIO(body)) as packed:
        parts = packed.infolist()
    if len(parts) > PARTS_LIMIT or sum(part.file_size for part in parts) > UNZIPPED_LIMIT_BYTES:
        raise UnreadableDocument("this file is too large when unpacked: attach it without its pictures", "large")


def parse_xml(source: bytes) -> Element:
    """Parses XML without entities, and without reaching for anything. Raises ValueError for a document type."""
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True, remove_pis=True
    )
    root: Element = etree.fromstring(source, parser)
    if root.getroottree().docinfo.doctype:
        raise ValueError("it declares a document type")
    return root


class ZipPackage:
    """The parts by name. Names compare without case, because some programs write them so."""

    def __init__(self, body: bytes) -> None:
        """Raises UnreadableDocument for too much content, and BadZipFile."""
        require_unpacked_size(body)
        self._packed = zipfile.ZipFile(BytesIO(body))
        self._names = {name.replace("\\", "/").lstrip("/").lower(): name for name in self._packed.namelist()}

    def read(self, name: str) -> bytes | None:
        """Returns a part's bytes; None if there is no such part."""
        stored = self._names.get(name.lower())
        return self._packed.read(stored) if stored else None

    def parse(self, name: str) -> Element | None:
        """Returns a part's root element; None if there is no such part."""
        source = self.read(name)
        return None if source is None else parse_xml(STRICT_NAMESPACE.sub(USUAL_NAMESPACE, source))

    def relationships(self, name: str = "") -> dict[str, Relationship]:
        """Returns the references of a part, or those of the whole package, by their ids."""
        folder, file = posixpath.split(name)
        root = self.parse(posixpath.join(folder, "_rels", f"{file}.rels"))
        every = [] if root is None else root.findall(f"{RELATIONSHIPS}Relationship")
        return {
            each.get("Id", ""): Relationship(
                each.get("Type", "").rpartition("/")[2], resolve_target(folder, each.get("Target", ""))
            )
            for each in every
            if each.get("TargetMode") != "External"
        }


def resolve_target(folder: str, target: str) -> str:
    """Returns a part's name from a reference that may be relative to a folder."""
    return posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")


def local_name(element: Element) -> str:
    """Returns the tag without its namespace; "" for a comment or an instruction."""
    tag = element.tag
    return tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""
