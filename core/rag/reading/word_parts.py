"""The parts of a Word file by their meaning, and those that other programs made: diagrams and whole documents. Pure."""

from __future__ import annotations

from core.rag.documents import Block
from core.rag.reading.word_names import R
from core.rag.reading.zip_package import Element, ZipPackage

TITLE = "{http://purl.org/dc/elements/1.1/}title"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
DIAGRAM_POINT = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}pt"
PLACEHOLDER = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}prSet"
USUAL_DOCUMENT = "word/document.xml"


class WordParts:
    def __init__(self, body: bytes) -> None:
        """Raises UnreadableDocument for too much content, and BadZipFile."""
        self._package = ZipPackage(body)
        general = {each.kind: each.target for each in self._package.relationships().values()}
        self._name = general.get("officeDocument", USUAL_DOCUMENT)
        self.document = self._package.parse(self._name)
        self._references = self._package.relationships(self._name)
        core = self._package.parse(general["core-properties"]) if "core-properties" in general else None
        self.title: str = (core.findtext(TITLE) or "") if core is not None else ""

    def related(self, kind: str) -> Element | None:
        """Returns the root of the one part of this kind, such as "styles"."""
        targets = (each.target for each in self._references.values() if each.kind == kind)
        target = next(targets, "")
        return self._package.parse(target) if target else None

    def referenced(self, reference: Element) -> Element | None:
        """Returns the root of the part that an element refers to."""
        known = self._references.get(reference.get(f"{R}id", ""))
        return self._package.parse(known.target) if known else None

    def foreign(self, reference_id: str) -> list[Block]:
        """Returns the content of a part in another format. One that cannot be read is left out."""
        known = self._references.get(reference_id)
        root = self._package.parse(known.target) if known and known.kind == "diagramData" else None
        return [] if root is None else diagram_blocks(root)


def diagram_blocks(root: Element) -> list[Block]:
    """Returns an item for each point of a diagram that has text."""
    texts = ("".join(each.itertext(f"{A}t")) for each in root.iter(DIAGRAM_POINT))
    return [Block("item", text) for text in map(str.strip, texts) if text]
