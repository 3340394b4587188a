"""Reads PowerPoint files: slides in order with their titles, texts, tables, charts, diagrams and notes. Pure.

Hidden slides are read and named as such: the file shows them to its editors. Footers, dates and slide numbers, which
repeat on each slide, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.contract import Language, Omission
from core.language import detect_language
from core.rag.documents import Block, Document, one_line
from core.rag.reading.office.comments import Comment, comment_blocks
from core.rag.reading.office.zip_package import ZipPackage, refuse_damage
from core.rag.reading.raw_document import LANGUAGE_SAMPLE_BLOCKS, RawDocument
from core.rag.reading.slides.comments import slide_comments
from core.rag.reading.slides.names import PRESENTATION, RELATIONSHIP
from core.rag.reading.slides.shapes import SlideReader
from core.rag.reading.titles import meaningful_title
from core.texts import text

DAMAGED = "this PowerPoint file cannot be read: it is damaged, or no .pptx"
CORE_TITLE = "{http://purl.org/dc/elements/1.1/}title"
HIDDEN = ("0", "false")


@dataclass(frozen=True, slots=True)
class Slide:
    number: int
    title: str
    is_hidden: bool
    blocks: Sequence[Block]
    notes: Sequence[Block]
    comments: Sequence[Comment]
    is_title_slide: bool = False


def parse_slides(raw: RawDocument) -> Document:
    """Reads PPTX, PPTM, PPSX, POTX. Raises UnreadableDocument."""
    with refuse_damage(DAMAGED):
        presentation = Presentation(ZipPackage(raw.body))
        slides: list[Slide] = []
        chars = 0
        for slide in presentation.slides():
            slides.append(slide)
            chars += sum(len(block.text) for block in (*slide.blocks, *slide.notes))
            if raw.limits.reached(chars):
                break
        total = len(presentation.slide_names)
        omissions = (Omission("slides", len(slides), total),) if len(slides) < total else ()
        return raw.document(build_blocks(slides), title=choose_title(presentation, slides), omissions=omissions)


def choose_title(presentation: Presentation, slides: Sequence[Slide]) -> str:
    """Returns the title of the file's properties, else of a title slide."""
    return meaningful_title(presentation.title) or next((each.title for each in slides[:1] if each.is_title_slide), "")


def build_blocks(slides: Sequence[Slide]) -> list[Block]:
    sample = [block.text for slide in slides for block in slide.blocks][:LANGUAGE_SAMPLE_BLOCKS]
    language = detect_language("\n".join([*(slide.title for slide in slides), *sample]))
    blocks = [block for slide in slides for block in slide_blocks(slide, language or "en")]
    return blocks + comment_blocks([comment for slide in slides for comment in slide.comments], language)


def slide_blocks(slide: Slide, language: Language) -> Iterator[Block]:
    """Yields a section for the slide, and one within it for its notes."""
    if not (slide.title or slide.blocks or slide.notes):
        return
    key_text = text("source-slide", language, number=slide.number)
    if slide.is_hidden:
        key_text = text("source-slide-hidden", language, number=slide.number)
    yield Block("heading", f"{key_text}: {slide.title}" if slide.title else key_text, 1)
    yield from slide.blocks
    if slide.notes:
        yield Block("heading", text("source-slide-notes", language), 2)
        yield from slide.notes


class Presentation:
    """The parts of a presentation. `slide_names`: the parts of its slides, in their order."""

    def __init__(self, package: ZipPackage) -> None:
        """Raises KeyError for a package without a presentation."""
        self._package = package
        roots = package.relationships().values()
        main = next((each.target for each in roots if each.kind == "officeDocument"), "ppt/presentation.xml")
        root = package.parse(main)
        if root is None:
            raise ValueError("it has no presentation")
        targets = package.relationships(main)
        listed = root.iterfind(f"{PRESENTATION}sldIdLst/{PRESENTATION}sldId")
        found = (targets.get(each.get(f"{RELATIONSHIP}id", "")) for each in listed)
        self.slide_names = [each.target for each in found if each is not None]
        self._authors = {each.kind: each.target for each in targets.values() if "author" in each.kind.lower()}

    @property
    def title(self) -> str:
        root = self._package.parse("docProps/core.xml")
        return one_line(root.findtext(CORE_TITLE) or "") if root is not None else ""

    def slides(self) -> Iterator[Slide]:
        for number, name in enumerate(self.slide_names, 1):
            if (slide := self._slide(number, name)) is not None:
                yield slide

    def _slide(self, number: int, name: str) -> Slide | None:
        root = self._package.parse(name)
        if root is None:
            return None
        reader = SlideReader(self._package, name, root)
        return Slide(
            number,
            reader.title,
            root.get("show") in HIDDEN,
            reader.blocks(),
            self._notes(name),
            slide_comments(self._package, name, self._authors.values(), number),
            reader.is_title_slide,
        )

    def _notes(self, slide: str) -> list[Block]:
        for each in self._package.relationships(slide).values():
            if each.kind == "notesSlide" and (root := self._package.parse(each.target)) is not None:
                return SlideReader(self._package, each.target, root).body_blocks()
        return []
