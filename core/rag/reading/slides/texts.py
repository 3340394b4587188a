"""The paragraphs of a shape or cell: items by their bullets and numbers, other text as paragraphs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.rag.documents import Block, collapse_blanks
from core.rag.reading.numerals import letters, roman
from core.rag.reading.office.inline_text import InlineText, Position, TextLook
from core.rag.reading.office.zip_package import Element
from core.rag.reading.slides.names import COMPATIBILITY, DRAWING

REPEATED_FIELDS = ("slidenum", "datetime")
LEVELS_LIMIT = 8


@dataclass(frozen=True, slots=True)
class BulletStyle:
    """The bullets of paragraphs that name none of their own. `layouts`: shapes whose styles they inherit."""

    by_default: bool
    layouts: Sequence[Element] = field(default_factory=tuple)

    def has_bullet(self, paragraph: Element, level: int) -> bool:
        own = paragraph.find(f"{DRAWING}pPr")
        styles = [own] if own is not None else []
        styles += [
            style
            for each in self.layouts
            for style in each.iterfind(f".//{DRAWING}lstStyle/{DRAWING}lvl{level + 1}pPr")
        ]
        for style in styles:
            if style.find(f"{DRAWING}buNone") is not None:
                return False
            if any(style.find(f"{DRAWING}{kind}") is not None for kind in ("buChar", "buAutoNum", "buBlip")):
                return True
        return self.by_default


def paragraph_blocks(shape: Element, bullets: BulletStyle) -> list[Block]:
    """Returns a block for each paragraph with text."""
    counters = [0] * (LEVELS_LIMIT + 1)
    return [
        block
        for paragraph in text_paragraphs(shape)
        if (block := paragraph_block(paragraph, bullets, counters)) is not None
    ]


def paragraph_block(paragraph: Element, bullets: BulletStyle, counters: list[int]) -> Block | None:
    """`counters`: the number of the last numbered item of each level."""
    words = collapse_blanks(line_text(paragraph))
    if not words:
        return None
    properties = paragraph.find(f"{DRAWING}pPr")
    level = min(int(properties.get("lvl", "0")), LEVELS_LIMIT) if properties is not None else 0
    counters[level + 1 :] = [0] * (LEVELS_LIMIT - level)
    if not bullets.has_bullet(paragraph, level):
        counters[level] = 0
        return Block("paragraph", words)
    numbered = properties.find(f"{DRAWING}buAutoNum") if properties is not None else None
    if numbered is None:
        counters[level] = 0
        return Block("item", words, level)
    first = int(numbered.get("startAt", "1"))
    counters[level] = counters[level] + 1 if counters[level] else first
    return Block("item", words, level, marker=number_marker(counters[level], numbered.get("type", "")))


def number_marker(number: int, scheme: str) -> str:
    """Returns "2.", "b)", "(iv)" by the scheme, such as "arabicPeriod" or "alphaLcParenR"."""
    if scheme.startswith("alpha"):
        written = letters(number)
    elif scheme.startswith("roman"):
        written = roman(number).lower()
    else:
        written = str(number)
    if "Uc" in scheme:
        written = written.upper()
    if scheme.endswith("ParenBoth"):
        return f"({written})"
    return f"{written})" if scheme.endswith("ParenR") else f"{written}."


def shape_text(shape: Element) -> str:
    return " ".join(line_text(paragraph) for paragraph in text_paragraphs(shape))


def text_paragraphs(shape: Element) -> Iterator[Element]:
    """Yields the paragraphs of the shape's own text."""
    for body in shape:
        if str(body.tag).endswith("}txBody"):
            yield from body.iterfind(f"{DRAWING}p")


def line_text(paragraph: Element) -> str:
    """Returns the text of runs, line breaks, fields and formulas."""
    line = InlineText()
    for text, look in styled_runs(paragraph):
        line.add(text, look)
    return line.end()


def styled_runs(element: Element) -> Iterator[tuple[str, TextLook]]:
    for child in element:
        if child.tag == f"{DRAWING}br":
            yield "\n", TextLook()
        elif child.tag == f"{DRAWING}fld" and child.get("type", "").startswith(REPEATED_FIELDS):
            continue
        elif child.tag == f"{COMPATIBILITY}AlternateContent":
            for choice in child[:1]:
                yield from styled_runs(choice)
        elif child.tag != f"{DRAWING}pPr":
            text = "".join(each.text or "" for each in child.iter() if str(each.tag).endswith("}t"))
            yield text, read_look(child.find(f"{DRAWING}rPr"))


def read_look(properties: Element | None) -> TextLook:
    """`baseline`: how far the text is raised, in thousandths of a percent; negative for lowered text."""
    if properties is None:
        return TextLook()
    baseline = properties.get("baseline", "0").rstrip("%")
    position: Position = "lowered" if baseline.startswith("-") else "raised" if baseline.strip("0.") else ""
    return TextLook(is_struck=properties.get("strike", "noStrike") != "noStrike", position=position)
