"""The parts of a Word file by their meaning, and those that other programs made: charts, diagrams, documents. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.errors import UnreadableDocument
from core.rag.documents import Block
from core.rag.reading.formats import read_document
from core.rag.reading.office.charts import chart_blocks
from core.rag.reading.office.diagrams import diagram_blocks
from core.rag.reading.office.zip_package import Element, Relationship, ZipPackage
from core.rag.reading.word.names import R

TITLE = "{http://purl.org/dc/elements/1.1/}title"
USUAL_DOCUMENT = "word/document.xml"


class WordParts:
    def __init__(self, body: bytes) -> None:
        """Raises UnreadableDocument for too much content, and BadZipFile."""
        self._package = ZipPackage(body)
        general = {each.kind: each.target for each in self._package.relationships().values()}
        self._name = general.get("officeDocument", USUAL_DOCUMENT)
        self.document = self._package.parse(self._name)
        self._foreign: dict[str, list[Block]] = {}
        self._references = self._package.relationships(self._name)
        core = self._package.parse(general["core-properties"]) if "core-properties" in general else None
        self.title: str = (core.findtext(TITLE) or "") if core is not None else ""

    def related(self, kind: str) -> Element | None:
        """Returns the root of the one part of this kind, such as "styles"."""
        targets = (each.target for each in self._references.values() if each.kind == kind)
        target = next(targets, "")
        return self._package.parse(target) if target else None

    def target(self, reference: Element) -> str:
        """Returns the name of the part that an element refers to; "" for none."""
        known = self._references.get(reference.get(f"{R}id", ""))
        return known.target if known else ""

    def parse(self, name: str) -> Element | None:
        return self._package.parse(name) if name else None

    def foreign(self, reference_id: str) -> list[Block]:
        """Returns the content of a part in another format. One that cannot be read is left out."""
        known = self._references.get(reference_id)
        name = known.target if known else ""
        if name not in self._foreign:
            self._foreign[name] = self._read_foreign(known) if known else []
        return self._foreign[name]

    def _read_foreign(self, known: Relationship) -> list[Block]:
        if known.kind == "aFChunk":
            return document_blocks(self._package.read(known.target) or b"", known.target)
        read = FOREIGN.get(known.kind)
        root = self._package.parse(known.target) if read else None
        return [] if root is None or read is None else read(root)


def document_blocks(body: bytes, name: str) -> list[Block]:
    """Reads a whole document that a program put between the paragraphs: a page, RTF, another Word file."""
    try:
        read = read_document(body, "", name=name)
    except UnreadableDocument:
        return []
    headings = ("", *(passage.heading for passage in read.passages))
    return [
        block
        for before, passage in zip(headings, read.passages, strict=False)
        for block in (Block("heading", passage.heading, 6), Block("paragraph", passage.text))
        if block.kind == "paragraph" or passage.heading not in ("", before)
    ]


FOREIGN: Mapping[str, Callable[[Element], list[Block]]] = {"diagramData": diagram_blocks, "chart": chart_blocks}
