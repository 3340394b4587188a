"""Turns an element of a parsed page into blocks in reading order, with the number of words in links. Pure.

Knows no page as a whole: `core.rag.reading.pages.extract` decides which element holds the content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bs4 import Tag
from bs4.element import NavigableString, PreformattedString

from core.rag.documents import Block, collapse_blanks, one_line, table_blocks, visible_text
from core.rag.reading.pages import notation
from core.rag.reading.pages.list_numbers import item_markers
from core.rag.reading.pages.tables import PageTable, parse_table
from core.rag.reading.raised_text import lowered, raised

DEPTH_LIMIT = 150  # no author nests deeper
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCK_TAGS = frozenset(
    ("address", "article", "aside", "blockquote", "body", "button", "caption", "center", "dd", "details", "dir", "div",
     "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "li",
     "main", "menu", "noscript", "ol", "p", "section", "summary", "table", "tbody", "td", "template", "tfoot", "th",
     "thead", "tr", "ul")
)  # fmt: skip
CONTROL_TAGS = frozenset(("input", "select", "textarea", "svg", "iframe", "object", "canvas"))
ITEM_TAGS = frozenset(("li", "dt"))
LIST_TAGS = frozenset(("ul", "ol"))
ALT_LIMIT_CHARS = 300
BLOCK_STYLE = re.compile(r"display\s*:\s*(?:block|flex|grid|list-item|table)\b", re.IGNORECASE)
# The last two characters of a text and the first of the next, where no word goes on.
PARTED = re.compile(r".?[a-zà-ÿ\d.:!?)%][A-ZÀ-Þ]|.?[a-zà-ÿ:)][$€£]|[a-zà-ÿ]{2}\d|.?[:)]\d")
LABELLED_TAGS = frozenset(("a", "div", "figure", "i", "p", "span"))
INLINE_PARENTS = frozenset(("p", "a", "span", "b", "strong", "em", "i", "label", "td", "th", "h1", "h2", "h3", "h4"))
BEFORE_LIMIT_PIECES = 4


@dataclass(frozen=True, slots=True)
class PageBlock:
    """A block with its number of words, and of those in links. A block without text stands for dropped links."""

    block: Block
    words: int
    linked: int

    @property
    def is_linked(self) -> bool:
        return self.linked * 2 > self.words


BULLET = "-"
GAP_BLOCK = Block("paragraph", "")
Skip = Callable[[Tag], bool]


def collect_blocks(root: Tag, skip: Skip) -> list[PageBlock]:
    """Returns the blocks under `root` without what `skip` chooses; a block without text stands for skipped links."""
    walk = ElementWalk(skip)
    walk.children(root, 0)
    walk.end()
    return walk.blocks


def element_text(root: Tag, skip: Skip) -> str:
    """Returns the text on one line; items of a list are separated by semicolons."""
    if len(root.contents) == 1 and type(root.contents[0]) is NavigableString:
        return one_line(root.contents[0])
    text, last = "", False
    for block in collect_blocks(root, skip):
        if block.words:
            is_item = block.block.kind == "item"
            number = f"{block.block.marker} " if is_item and block.block.marker != BULLET else ""
            text += ("; " if is_item and last else " " if text else "") + number + one_line(block.block.text)
            last = is_item
    return text


class ElementWalk:
    """Walks through an element. Inline text collects until a block begins or ends."""

    def __init__(self, skip: Skip) -> None:
        self.blocks: list[PageBlock] = []
        self._skip = skip
        self._inline: list[tuple[str, bool]] = []  # text, and whether it is in a link
        self._linked = False
        self._opens_item = False  # the next block is an item; the one after it is not
        self._marker = BULLET  # of the next item
        self._markers: dict[int, str] = {}  # of the items of ordered lists, by id()
        self._lists = 0  # nesting depth of lists

    def children(self, tag: Tag, depth: int) -> None:
        for child in tag.children:
            if isinstance(child, Tag):
                self._element(child, depth + 1)
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                # Line breaks in the source mean nothing; only <br> breaks a line.
                self._inline.append((child.replace("\n", " ").replace("\r", " "), self._linked))

    def _element(self, tag: Tag, depth: int) -> None:
        if self._skip(tag):
            self._gap(tag)
        elif depth > DEPTH_LIMIT:
            self._inline.append((tag.get_text(" "), self._linked))
        elif label := label_only(tag):
            self._inline.append((f" {label} ", self._linked or tag.name == "a"))
        elif level := heading_level(tag):
            self._heading(tag, level, depth)
        elif tag.name == "pre":
            self._code(tag)
        elif tag.name == "table" and (table := parse_table(tag, self._skip, element_text)):
            self._table(tag, table)
        elif tag.name in BLOCK_TAGS or is_component(tag) or is_shown_as_block(tag):
            self._block(tag, depth)
        else:
            self._phrase(tag, depth)

    def _gap(self, tag: Tag) -> None:
        if tag.name in CONTROL_TAGS:
            self._inline.append((" ", False))
        if tag.name in BLOCK_TAGS and (linked := sum(len(link.get_text().split()) for link in tag.find_all("a"))):
            self.end()
            self.blocks.append(PageBlock(GAP_BLOCK, 0, linked))

    def _phrase(self, tag: Tag, depth: int) -> None:
        """Collects an inline element."""
        if tag.name in ("br", "wbr"):
            self._inline.append(("\n", self._linked) if tag.name == "br" else ("", False))
        elif tag.name == "img":
            self._inline.append((f" {alt_text(tag)} ", self._linked))
        elif (mark := self._note_mark(tag)) is not None:
            self._inline.append((f" [{mark}]" if mark else "", True))
        elif tag.name in ("sup", "sub"):
            write = raised if tag.name == "sup" else lowered
            before = "".join(text for text, _ in self._inline[-BEFORE_LIMIT_PIECES:])
            self._inline.append((write(element_text(tag, self._skip), before), self._linked))
        elif tag.name == "a":
            outer, self._linked = self._linked, tag.has_attr("href")
            self.children(tag, depth)
            self._linked = outer
        elif tag.name == "math":
            self._inline.append((f" {notation.formula(tag)} ", self._linked))
        else:
            opening, closing = ("«", "»") if tag.name == "q" else (" " if is_parted(tag) else "", "")
            self._inline.append((opening, self._linked))
            self.children(tag, depth)
            self._inline.append((closing, self._linked))

    def _note_mark(self, tag: Tag) -> str | None:
        return notation.note_mark(tag, element_text(tag, self._skip)) if notation.may_be_note(tag) else None

    def _block(self, tag: Tag, depth: int) -> None:
        self.end()
        is_item, is_list = tag.name in ITEM_TAGS, tag.name in LIST_TAGS
        if tag.name == "ol":
            self._markers.update((id(item), marker) for item, marker in item_markers(tag))
        if is_item:
            own = self._markers.pop(id(tag), BULLET)
            # The first item of a list that opens an item has both numbers: "2. a."
            self._marker = f"{self._marker} {own}" if self._opens_item and self._marker != BULLET else own
        self._opens_item = self._opens_item or is_item
        self._lists += is_list
        self.children(tag, depth)
        self.end()
        self._lists -= is_list
        self._opens_item = self._opens_item and not is_item

    def _heading(self, tag: Tag, level: int, depth: int) -> None:
        self.end()
        numbered = self._marker if self._opens_item and self._marker != BULLET else ""
        self._opens_item = self._opens_item and not numbered
        before = len(self.blocks)
        self.children(tag, depth)
        self.end()
        inside = [block for block in self.blocks[before:] if block.words]
        del self.blocks[before:]
        if text := one_line(" ".join(block.block.text for block in inside)):
            if numbered:
                text = f"{numbered} {text}"
            words, linked = sum(block.words for block in inside), sum(block.linked for block in inside)
            self.blocks.append(PageBlock(Block("heading", text, level), words, linked))

    def _code(self, tag: Tag) -> None:
        self.end()
        if text := visible_text(preformatted_text(tag)).strip("\n"):
            self.blocks.append(PageBlock(Block("code", text.replace("```", "'''")), len(text.split()), 0))

    def _table(self, tag: Tag, table: PageTable) -> None:
        self.end()
        caption = tag.find("caption", recursive=False)
        if isinstance(caption, Tag):
            self._block(caption, 0)
        linked = sum(len(link.get_text().split()) for link in tag.find_all("a", href=True))
        words = sum(len(cell.split()) for row in table.rows for cell in row)
        share = linked / max(words, 1)
        for text in table.above:
            self.blocks.append(PageBlock(Block("paragraph", text), len(text.split()), 0))
        for block in table_blocks(table.rows, table.head):
            count = len(block.text.split())
            self.blocks.append(PageBlock(block, count, int(count * share)))

    def end(self) -> None:
        """Ends the current line. An empty line inside it separates paragraphs."""
        inline, self._inline = self._inline, []
        linked = sum(len(text.split()) for text, is_linked in inline if is_linked)
        for part in "".join(text for text, _ in inline).split("\n\n") if inline else ():
            if text := collapse_blanks(part):
                words = len(text.split())
                self.blocks.append(PageBlock(self._text_block(text), words, min(linked, words)))
                linked = max(linked - words, 0)
                self._opens_item = False

    def _text_block(self, text: str) -> Block:
        if not self._opens_item:
            return Block("paragraph", text)
        marker, self._marker = self._marker, BULLET
        return Block("item", text, max(self._lists - 1, 0), marker)


def is_component(tag: Tag) -> bool:
    """Tells whether the element is a site's own, which is a block unless it stands in a line."""
    return "-" in tag.name and (tag.parent is None or tag.parent.name not in INLINE_PARENTS)


def is_shown_as_block(tag: Tag) -> bool:
    return BLOCK_STYLE.search(str(tag.get("style") or "")) is not None


def is_parted(tag: Tag) -> bool:
    """Tells whether the element's style must part it from the one before: "Adult" and "$20", "Part 1" and "Fees"."""
    before = tag.previous_sibling
    if not isinstance(before, Tag) or not tag.name == before.name == "span" or not (tag.attrs and before.attrs):
        return False
    return PARTED.fullmatch(before.get_text()[-2:] + tag.get_text()[:1]) is not None


def preformatted_text(tag: Tag) -> str:
    parts = ("\n" if isinstance(part, Tag) else part for part in tag.descendants if is_text_or_break(part))
    return "".join(map(str, parts))


def is_text_or_break(part: object) -> bool:
    if isinstance(part, Tag):
        return part.name == "br"
    return isinstance(part, NavigableString) and not isinstance(part, PreformattedString)


def heading_level(tag: Tag) -> int:
    """Returns the level from 1; 0 for other elements."""
    if tag.name in HEADINGS:
        return HEADINGS[tag.name]
    if tag.name == "gcds-heading":
        return HEADINGS.get(str(tag.get("tag")), 2)
    if tag.get("role") != "heading":
        return 0
    level = str(tag.get("aria-level") or "2")
    return int(level) if level in ("1", "2", "3", "4", "5", "6") else 2


def alt_text(image: Tag) -> str:
    """Returns an image's alternative text; "" if its caption repeats it or it is one word: a label or a file's name."""
    text = one_line(str(image.get("alt") or ""))[:ALT_LIMIT_CHARS]
    figure = image.find_parent("figure")
    caption = figure.find("figcaption") if figure else None
    if isinstance(caption, Tag) and text and text in one_line(caption.get_text(" ")):
        return ""
    return text if " " in text else ""


def label_only(tag: Tag) -> str:
    """Returns the label of an element without text."""
    label = tag.get("aria-label")
    if not isinstance(label, str) or tag.name not in LABELLED_TAGS or tag.find("img") or tag.get_text(strip=True):
        return ""
    return one_line(label)[:ALT_LIMIT_CHARS]
