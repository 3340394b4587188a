"""Reads OpenDocument texts (ODT, OTT, and FODT, one XML file) by the rules of `core.rag.reading.word`. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import UnreadableDocument
from core.rag.documents import Block, Document, one_line
from core.rag.reading.office.document_frame import WrittenText, build_document
from core.rag.reading.office.zip_package import Element, ZipPackage, parse_xml, refuse_damage
from core.rag.reading.open_document.body import OpenBodyReader
from core.rag.reading.open_document.inline import InlineReader
from core.rag.reading.open_document.names import DC, OFFICE, STYLE
from core.rag.reading.open_document.styles import OpenStyles
from core.rag.reading.raw_document import RawDocument, ReadingLimits, ReadingProgress
from core.rag.reading.titles import meaningful_title

DAMAGED = "this OpenDocument text cannot be read: it is damaged, or no .odt"
ENCRYPTED = b"encryption-data"
ANNOTATION = "{http://www.w3.org/1998/Math/MathML}annotation"


def parse_open_document(raw: RawDocument) -> Document:
    """Raises UnreadableDocument for a damaged or locked file, and for one that unpacks to too much."""
    with refuse_damage(DAMAGED):
        source = OpenSource(raw.body, raw.limits)
        return build_document(raw, source.read())


class OpenSource:
    """An OpenDocument text's parts, and their readers."""

    def __init__(self, body: bytes, limits: ReadingLimits) -> None:
        self._package = None if body.lstrip()[:1] == b"<" else ZipPackage(body)
        if self._package and ENCRYPTED in (self._package.read("META-INF/manifest.xml") or b""):
            raise UnreadableDocument("this OpenDocument text is locked by a password: attach it without one", "locked")
        self._roots = list(self._parse_roots(body))
        text = next((found for root in self._roots for found in root.iter(f"{OFFICE}text")), None)
        if text is None:
            raise UnreadableDocument(f"{DAMAGED} (it has no text)", "damaged")
        self._text: Element = text
        styles = OpenStyles(self._roots)
        self._inline = InlineReader(styles, self._formula)
        self._reader = OpenBodyReader(styles, self._inline, ReadingProgress(limits))

    def _parse_roots(self, body: bytes) -> Iterator[Element]:
        if self._package is None:
            yield parse_xml(body)
            return
        for name in ("content.xml", "styles.xml", "meta.xml"):
            root = self._package.parse(name)
            if root is not None:
                yield root

    def read(self) -> WrittenText:
        """Reads the body first, whose lists and notes are counted. One of its paragraphs can be the title."""
        body = self._reader.read(self._text)
        named = (root.findtext(f".//{OFFICE}meta/{DC}title") or "" for root in self._roots)
        title = next(filter(None, (meaningful_title(one_line(title)) for title in named)), self._reader.title)
        headers, footers = (list(self._edges(kind)) for kind in ("header", "footer"))
        return WrittenText(title, body, headers, footers, self._inline.comments, self._reader.progress.omissions)

    def _edges(self, kind: str) -> Iterator[Block]:
        """Yields the blocks of all headers, or of all footers."""
        for root in self._roots:
            for page in root.iter(f"{STYLE}master-page"):
                for suffix in ("", "-left", "-first"):
                    for edge in page.findall(f"{STYLE}{kind}{suffix}"):
                        if edge.get(f"{STYLE}display") != "false":
                            yield from self._reader.read(edge)

    def _formula(self, name: str) -> str:
        """Returns the text of an embedded formula; "" for other objects."""
        root = self._package.parse(f"{name.removeprefix('./')}/content.xml") if self._package and name else None
        if root is None or not root.tag.endswith("}math"):
            return ""
        notes = {text for note in root.iter(ANNOTATION) for text in note.itertext()}
        return "".join(text.strip() for text in root.itertext() if text not in notes)
