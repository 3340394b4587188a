"""Turns an element of a parsed page into blocks in reading order, with the number of words in links. Pure.

Knows no page as a whole: `core.rag.reading.extract` decides which element holds the content.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bs4 import Tag
from bs4.element import NavigableString, PreformattedString

from core.rag.documents import Block, collapse_blanks, one_line, table_blocks, visible_text

DEPTH_LIMIT = 150  # no author nests deeper
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCK_TAGS = frozenset(
    ("address", "article", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt", "fieldset",
     "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "li", "main", "ol", "p", "section",
     "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul")
)  # fmt: skip
ITEM_TAGS = frozenset(("li", "dt"))
LIST_TAGS = frozenset(("ul", "ol"))
CELLS_LIMIT = 300  # of a row
SPAN_LIMIT = 60
CELL_LIMIT_CHARS = 500  # longer cells are text in a table that only lays out the page
ALT_LIMIT_CHARS = 300
LABELLED_TAGS = frozenset(("a", "div", "figure", "i", "p", "span"))
LAYOUT_CONTENT = ("table", "h1", "h2", "h3", "h4", "h5", "h6", "form", "article", "section", "pre")


@dataclass(frozen=True, slots=True)
class PageBlock:
    """A block with its number of words, and of those in links. A block without text stands for dropped links."""

    block: Block
    words: int
    linked: int

    @property
    def is_linked(self) -> bool:
        return self.linked * 2 > self.words


GAP_BLOCK = Block("paragraph", "")
Skip = Callable[[Tag], bool]


def collect_blocks(root: Tag, skip: Skip) -> list[PageBlock]:
    """Returns the blocks under `root` without what `skip` chooses; a block without text stands for skipped links."""
    walk = ElementWalk(skip)
    walk.children(root, 0)
    walk.end()
    return walk.blocks


def element_text(root: Tag, skip: Skip) -> str:
    """Returns the text on one line."""
    return " ".join(one_line(block.block.text) for block in collect_blocks(root, skip) if block.words)


class ElementWalk:
    """Walks through an element. Inline text collects until a block begins or ends."""

    def __init__(self, skip: Skip) -> None:
        self.blocks: list[PageBlock] = []
        self._skip = skip
        self._inline: list[tuple[str, bool]] = []  # text, and whether it is in a link
        self._linked = False
        self._opens_item = False  # the next block is an item; the one after it is not
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
        elif tag.name == "table" and (rows := data_rows(tag, self._skip)):
            self._table(tag, rows)
        elif tag.name in BLOCK_TAGS:
            self._block(tag, depth)
        else:
            self._phrase(tag, depth)

    def _gap(self, tag: Tag) -> None:
        if tag.name in BLOCK_TAGS and (linked := sum(len(link.get_text().split()) for link in tag.find_all("a"))):
            self.end()
            self.blocks.append(PageBlock(GAP_BLOCK, 0, linked))

    def _phrase(self, tag: Tag, depth: int) -> None:
        """Collects an inline element."""
        if tag.name in ("br", "wbr"):
            self._inline.append(("\n", self._linked) if tag.name == "br" else ("", False))
        elif tag.name == "img":
            self._inline.append((f" {alt_text(tag)} ", self._linked))
        elif tag.name == "a":
            outer, self._linked = self._linked, tag.has_attr("href")
            self.children(tag, depth)
            self._linked = outer
        else:
            opening, closing = ("«", "»") if tag.name == "q" else ("", "")
            self._inline.append((opening, self._linked))
            self.children(tag, depth)
            self._inline.append((closing, self._linked))

    def _block(self, tag: Tag, depth: int) -> None:
        self.end()
        is_item, is_list = tag.name in ITEM_TAGS, tag.name in LIST_TAGS
        self._opens_item = self._opens_item or is_item
        self._lists += is_list
        self.children(tag, depth)
        self.end()
        self._lists -= is_list
        self._opens_item = self._opens_item and not is_item

    def _heading(self, tag: Tag, level: int, depth: int) -> None:
        self.end()
        before = len(self.blocks)
        self.children(tag, depth)
        self.end()
        inside = [block for block in self.blocks[before:] if block.words]
        del self.blocks[before:]
        if text := one_line(" ".join(block.block.text for block in inside)):
            words, linked = sum(block.words for block in inside), sum(block.linked for block in inside)
            self.blocks.append(PageBlock(Block("heading", text, level), words, linked))

    def _code(self, tag: Tag) -> None:
        self.end()
        if text := visible_text(tag.get_text()).strip("\n"):
            self.blocks.append(PageBlock(Block("code", text.replace("```", "'''")), len(text.split()), 0))

    def _table(self, tag: Tag, rows: list[list[str]]) -> None:
        self.end()
        caption = tag.find("caption", recursive=False)
        if isinstance(caption, Tag):
            self._block(caption, 0)
        head = rows[0] if has_header(tag) and len(rows) > 1 else None
        linked = sum(len(link.get_text().split()) for link in tag.find_all("a", href=True))
        words = sum(len(cell.split()) for row in rows for cell in row)
        share = linked / max(words, 1)
        for block in table_blocks(rows[1:] if head else rows, head):
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
        return Block("item", text, max(self._lists - 1, 0)) if self._opens_item else Block("paragraph", text)


def heading_level(tag: Tag) -> int:
    """Returns the level from 1; 0 for other elements."""
    if tag.name in HEADINGS:
        return HEADINGS[tag.name]
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


def data_rows(tag: Tag, skip: Skip) -> list[list[str]]:
    """Returns the cells of a data table; none for a table that lays out a page."""
    if tag.get("role") in ("presentation", "none") or tag.find(LAYOUT_CONTENT):
        return []
    rows = expand_spans(tag, skip)
    if max(map(len, rows), default=0) < 2 or any(len(cell) > CELL_LIMIT_CHARS for row in rows for cell in row):
        return []
    return rows


def expand_spans(tag: Tag, skip: Skip) -> list[list[str]]:
    """Returns every row with all columns. A cell over several rows is repeated, one over several columns is not."""
    rows: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}  # by column: the number of rows that this text still spans
    for source in tag.find_all("tr"):
        if skip(source):
            continue
        row: list[str] = []
        for cell in source.find_all(("td", "th"), recursive=False)[:CELLS_LIMIT]:
            fill_from_above(below, row)
            if not skip(cell):
                text = element_text(cell, skip)
                for content in [text] + [""] * (span_size(cell, "colspan") - 1):
                    if (more := span_size(cell, "rowspan") - 1) > 0:
                        below[len(row)] = more, content
                    row.append(content)
        fill_from_above(below, row)
        if any(row):
            rows.append(row[:CELLS_LIMIT])
    return rows


def fill_from_above(below: dict[int, tuple[int, str]], row: list[str]) -> None:
    """Adds the cells from above that span the row's next columns."""
    while (column := len(row)) in below:
        more, text = below.pop(column)
        row.append(text)
        if more > 1:
            below[column] = more - 1, text


def span_size(cell: Tag, attribute: str) -> int:
    value = str(cell.get(attribute) or "1").strip()
    return max(1, min(int(value), SPAN_LIMIT)) if value.isascii() and value.isdigit() and len(value) < 4 else 1


def has_header(tag: Tag) -> bool:
    """Tells whether the first row names the columns."""
    first = tag.find("tr")
    return isinstance(first, Tag) and not first.find("td", recursive=False)
