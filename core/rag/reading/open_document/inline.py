"""Reads the text inside a paragraph of an OpenDocument text. Hidden text is left out. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from core.rag.reading.office.alternative_text import authored_description
from core.rag.reading.office.comments import Comment
from core.rag.reading.office.inline_text import InlineText, TextLook
from core.rag.reading.office.zip_package import Element
from core.rag.reading.open_document.names import DC, DRAW, OFFICE, TEXT, UNSEEN, XLINK, is_hidden, whole_number
from core.rag.reading.open_document.styles import OpenStyles

DESCRIPTION = "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}desc"
SPACES_LIMIT = 100
ReadObject = Callable[[str], str]


@dataclass(slots=True)
class OpenParagraph:
    """A paragraph's text, and what is anchored in it: notes by their marks, and boxes."""

    line: InlineText = field(default_factory=InlineText)
    notes: list[tuple[str, Element]] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)


class InlineReader:
    """`read_object` reads an embedded formula, by the name of its part."""

    def __init__(self, styles: OpenStyles, read_object: ReadObject) -> None:
        self.comments: list[Comment] = []
        self._styles = styles
        self._read_object = read_object
        self._readers: dict[str, Callable[[Element, TextLook, OpenParagraph], None]] = {
            f"{TEXT}s": self._spaces,
            f"{TEXT}note": self._note,
            f"{TEXT}ruby-text": self._ruby_text,
            f"{OFFICE}annotation": self._comment,
            f"{DRAW}object": self._object,
        }

    def read(self, paragraph: Element) -> OpenParagraph:
        read = OpenParagraph()
        self._content(paragraph, self._styles.of(paragraph).look(TextLook()), read)
        return read

    def _content(self, parent: Element, look: TextLook, read: OpenParagraph) -> None:
        self._add(parent.text, look, read)
        for child in parent:
            reader = self._readers.get(child.tag)
            if reader:
                reader(child, look, read)
            elif child.tag in (f"{TEXT}tab", f"{TEXT}line-break"):
                read.line.add("\n" if child.tag == f"{TEXT}line-break" else "\t", look)
            elif child.tag.startswith(DRAW):
                self._drawing(child, look, read)
            elif child.tag not in UNSEEN and not is_hidden(child):
                self._content(child, self._styles.of(child).look(look), read)
            self._add(child.tail, look, read)

    def _add(self, text: str | None, look: TextLook, read: OpenParagraph) -> None:
        """Line breaks in the source mean nothing."""
        if text and not look.is_hidden:
            read.line.add(text.replace("\n", " "), look)

    def _spaces(self, element: Element, look: TextLook, read: OpenParagraph) -> None:
        self._add(" " * min(whole_number(element, f"{TEXT}c"), SPACES_LIMIT), look, read)

    def _note(self, element: Element, look: TextLook, read: OpenParagraph) -> None:
        citation, body = element.find(f"{TEXT}note-citation"), element.find(f"{TEXT}note-body")
        mark = "" if citation is None else "".join(citation.itertext()).strip()
        if look.is_hidden or body is None:
            return
        self._add(f" (note {mark})", TextLook(), read)
        read.notes.append((f"note {mark}", body))

    def _ruby_text(self, element: Element, look: TextLook, read: OpenParagraph) -> None:
        self._add(f"({''.join(element.itertext())})", look, read)

    def _comment(self, element: Element, _: TextLook, __: OpenParagraph) -> None:
        remark = " ".join("".join(each.itertext()) for each in element.iter(f"{TEXT}p"))
        self.comments.append(Comment(element.findtext(f"{DC}creator") or "", remark))

    def _object(self, element: Element, look: TextLook, read: OpenParagraph) -> None:
        self._add(self._read_object(element.get(f"{XLINK}href", "")), look, read)

    def _drawing(self, element: Element, look: TextLook, read: OpenParagraph) -> None:
        """Follows a frame to its box or formula. A shape is a box itself."""
        if look.is_hidden:
            return
        if element.tag == f"{DRAW}text-box" or element.find(f"{TEXT}p") is not None:
            read.boxes.append(element)
            return
        for child in element:
            if child.tag == DESCRIPTION and element.find(f"{DRAW}image") is not None:
                self._add(f" {authored_description(child.text or '')} ", look, read)
            elif child.tag == f"{DRAW}object":
                self._object(child, look, read)
            elif child.tag.startswith(DRAW):
                self._drawing(child, look, read)
