"""Reads Word files (DOCX, DOCM, DOTX, DOTM, Strict Office Open XML) as a reader sees them, with all changes accepted.

Headers and footers are read once each, because a letter's reference number or a classification stands there: headers
before the text, footers after it. Page numbers are left out. Comments stand at the end, named as such. Texts in text
boxes follow the paragraph to which they are anchored. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import UnreadableDocument
from core.rag.documents import Block, Document, one_line
from core.rag.reading.office.comments import Comment
from core.rag.reading.office.document_frame import WrittenText, build_document
from core.rag.reading.office.zip_package import Element, refuse_damage
from core.rag.reading.raw_document import RawDocument, ReadingLimits
from core.rag.reading.titles import meaningful_title
from core.rag.reading.word.body import BodyReader
from core.rag.reading.word.names import W, is_on
from core.rag.reading.word.notes import NoteMarks, NoteSeries
from core.rag.reading.word.numbering import Numbering
from core.rag.reading.word.parts import WordParts
from core.rag.reading.word.runs import RunReader
from core.rag.reading.word.styles import StyleSheet

DAMAGED = "this Word file cannot be read: it is damaged, or no .docx"


def parse_word(raw: RawDocument) -> Document:
    """Raises UnreadableDocument for a damaged file, and for one that unpacks to too much."""
    with refuse_damage(DAMAGED):
        source = WordSource(WordParts(raw.body), raw.limits)
        return build_document(raw, source.read())


class WordSource:
    """A Word file's parts, and their readers."""

    def __init__(self, parts: WordParts, limits: ReadingLimits) -> None:
        document = parts.document
        body = document.find(f"{W}body") if document is not None else None
        if body is None:
            raise UnreadableDocument(f"{DAMAGED} (it has no text)", "damaged")
        self._parts = parts
        self._body = body
        styles = StyleSheet(parts.related("styles"))
        settings = parts.related("settings")
        self._shows_even = settings is not None and is_on(settings.find(f"{W}evenAndOddHeaders"))
        notes = NoteMarks(*(self._notes(kind, settings) for kind in ("footnote", "endnote")))
        self._runs = RunReader(styles, notes)
        numbering = Numbering(parts.related("numbering"), styles)
        self._reader = BodyReader(styles, numbering, self._runs, parts.foreign, limits)

    def read(self) -> WrittenText:
        """Reads the body first, whose lists and notes are counted. One of its paragraphs can be the title."""
        body = self._reader.read(self._body)
        title = meaningful_title(one_line(self._parts.title)) or self._reader.title
        headers, footers = (list(self._edges(kind)) for kind in ("header", "footer"))
        comments = self._comments()
        return WrittenText(title, body, headers, footers, comments, self._reader.progress.omissions)

    def _edges(self, kind: str) -> Iterator[Block]:
        """Yields the blocks of all headers, or of all footers, that are shown."""
        seen: set[str] = set()
        for section in self._body.iter(f"{W}sectPr"):
            for reference in section.findall(f"{W}{kind}Reference"):
                pages = reference.get(f"{W}type", "default")
                is_shown = {"even": self._shows_even, "first": is_on(section.find(f"{W}titlePg"))}.get(pages, True)
                target = self._parts.target(reference) if is_shown else ""
                root = self._parts.parse(target) if target not in seen else None
                seen.add(target)
                yield from [] if root is None else self._reader.read(root)

    def _comments(self) -> list[Comment]:
        root = self._parts.related("comments")
        every = [] if root is None else root.findall(f"{W}comment")
        return [
            Comment(
                each.get(f"{W}author", ""), self._reader.text(each), self._runs.quotes.get(each.get(f"{W}id", ""), "")
            )
            for each in every
        ]

    def _notes(self, kind: str, settings: Element | None) -> NoteSeries:
        section = self._body.find(f"{W}sectPr/{W}{kind}Pr")
        general = None if settings is None else settings.find(f"{W}{kind}Pr")
        return NoteSeries(kind, self._parts.related(f"{kind}s"), general if section is None else section)
