"""A parsed element of a page to blocks, in reading order, with how much of each is links. Pure.

Knows no page as a whole: which element holds the content is decided in `core.rag.reading.extract`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bs4 import Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from core.rag.documents import CELLS_LIMIT, Block, collapse_blanks, one_line, table_blocks, visible_text

DEPTH_LIMIT = 150  # deeper is no page that somebody wrote
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCK_TAGS = frozenset(
    ("address", "article", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt", "fieldset",
     "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "li", "main", "ol", "p", "section",
     "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul")
)  # fmt: skip
ITEM_TAGS = frozenset(("li", "dt"))
LIST_TAGS = frozenset(("ul", "ol"))
CELL_LIMIT_CHARS = 500  # more is text that a table only lays out
ALT_LIMIT_CHARS = 300
LABELLED_TAGS = frozenset(("a", "div", "figure", "i", "p", "span"))
LAYOUT_CONTENT = ("table", "h1", "h2", "h3", "h4", "h5", "h6", "form", "article", "section", "pre")


@dataclass(frozen=True, slots=True)
class PageBlock:
    """A block, and how many of its words are links. Without text: something was left out here, of so many links."""

    block: Block
    words: int
    linked: int

    @property
    def is_linked(self) -> bool:
        return self.linked * 2 > self.words


GAP_BLOCK = Block("paragraph", "")
Skip = Callable[[Tag], bool]


def collect_blocks(root: Tag, skip: Skip) -> list[PageBlock]:
    """What is read under `root`; elements that `skip` says yes to are left out, with all that is in them.

    Where they were blocks with links in them, a piece without text stands.
    """
    walk = ElementWalk(skip)
    walk.children(root, 0)
    walk.end()
    return walk.pieces


def text_of(root: Tag, skip: Skip) -> str:
    """On one line."""
    return " ".join(one_line(piece.block.text) for piece in collect_blocks(root, skip) if piece.words)


class ElementWalk:
    """One way through an element. Inline text gathers until a block begins or ends."""

    def __init__(self, skip: Skip) -> None:
        self.pieces: list[PageBlock] = []
        self._skip = skip
        self._inline: list[tuple[str, bool]] = []  # text, and whether it is a link's
        self._linked = False
        self._opens_item = False  # what comes next is the first line of an item; what follows is no item of its own
        self._lists = 0  # how many lists this is in

    def children(self, tag: Tag, depth: int) -> None:
        for child in tag.children:
            if isinstance(child, Tag):
                self._element(child, depth + 1)
            else:
                self._string(child)

    def _string(self, node: PageElement) -> None:
        if isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            # Source is broken into lines anywhere; only <br> breaks a line for its reader.
            self._inline.append((node.replace("\n", " ").replace("\r", " "), self._linked))

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
            self.pieces.append(PageBlock(GAP_BLOCK, 0, linked))

    def _phrase(self, tag: Tag, depth: int) -> None:
        """What stands within a line."""
        if tag.name in ("br", "wbr"):
            self._inline.append(("\n", self._linked) if tag.name == "br" else ("", False))
        elif tag.name == "img":
            self._inline.append((f" {alt_text(tag)} ", self._linked))
        elif tag.name == "a":
            self._link(tag, depth)
        else:
            opening, closing = ("«", "»") if tag.name == "q" else ("", "")
            self._inline.append((opening, self._linked))
            self.children(tag, depth)
            self._inline.append((closing, self._linked))

    def _link(self, tag: Tag, depth: int) -> None:
        outer, self._linked = self._linked, tag.has_attr("href")
        self.children(tag, depth)
        self._linked = outer

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
        before = len(self.pieces)
        self.children(tag, depth)
        self.end()
        inside = [piece for piece in self.pieces[before:] if piece.words]
        del self.pieces[before:]
        if text := one_line(" ".join(piece.block.text for piece in inside)):
            words, linked = sum(piece.words for piece in inside), sum(piece.linked for piece in inside)
            self.pieces.append(PageBlock(Block("heading", text, level), words, linked))

    def _code(self, tag: Tag) -> None:
        self.end()
        if text := visible_text(tag.get_text()).strip("\n"):
            self.pieces.append(PageBlock(Block("code", text.replace("```", "'''")), len(text.split()), 0))

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
            self.pieces.append(PageBlock(block, count, int(count * share)))

    def end(self) -> None:
        """Ends the line that gathers; an empty line in it parts paragraphs."""
        inline, self._inline = self._inline, []
        linked = sum(len(text.split()) for text, is_linked in inline if is_linked)
        for part in "".join(text for text, _ in inline).split("\n\n") if inline else ():
            if text := collapse_blanks(part):
                words = len(text.split())
                self.pieces.append(PageBlock(self._made(text), words, min(linked, words)))
                linked = max(linked - words, 0)
                self._opens_item = False

    def _made(self, text: str) -> Block:
        return Block("item", text, max(self._lists - 1, 0)) if self._opens_item else Block("paragraph", text)


def heading_level(tag: Tag) -> int:
    """From 1; 0 for what is no heading."""
    if tag.name in HEADINGS:
        return HEADINGS[tag.name]
    if tag.get("role") != "heading":
        return 0
    level = str(tag.get("aria-level") or "2")
    return int(level) if level in ("1", "2", "3", "4", "5", "6") else 2


def alt_text(image: Tag) -> str:
    """What an image says in words; "" for what its caption says again, and for one word: a label, or a file's name."""
    text = one_line(str(image.get("alt") or ""))[:ALT_LIMIT_CHARS]
    figure = image.find_parent("figure")
    caption = figure.find("figcaption") if figure else None
    if isinstance(caption, Tag) and text and text in one_line(caption.get_text(" ")):
        return ""
    return text if " " in text else ""


def label_only(tag: Tag) -> str:
    """The label of what has no text to be called by."""
    label = tag.get("aria-label")
    if not isinstance(label, str) or tag.name not in LABELLED_TAGS or tag.find("img") or tag.get_text(strip=True):
        return ""
    return one_line(label)[:ALT_LIMIT_CHARS]


def data_rows(tag: Tag, skip: Skip) -> list[list[str]]:
    """The cells of a table that holds data; none for one that lays out a page."""
    if tag.get("role") in ("presentation", "none") or tag.find(LAYOUT_CONTENT):
        return []
    rows = expand_spans(tag, skip)
    if max(map(len, rows), default=0) < 2 or any(len(cell) > CELL_LIMIT_CHARS for row in rows for cell in row):
        return []
    return rows


def expand_spans(tag: Tag, skip: Skip) -> list[list[str]]:
    """Every row with all of its columns: a cell over several rows is repeated, one over several columns is not."""
    rows: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}  # by column: in how many more rows this text stands
    for source in tag.find_all("tr"):
        if skip(source):
            continue
        row: list[str] = []
        for cell in source.find_all(("td", "th"), recursive=False)[:CELLS_LIMIT]:
            fill_from_above(below, row)
            if not skip(cell):
                text = text_of(cell, skip)
                for shown in [text] + [""] * (span_size(cell, "colspan") - 1):
                    if (more := span_size(cell, "rowspan") - 1) > 0:
                        below[len(row)] = more, shown
                    row.append(shown)
        fill_from_above(below, row)
        if any(row):
            rows.append(row[:CELLS_LIMIT])
    return rows


def fill_from_above(below: dict[int, tuple[int, str]], row: list[str]) -> None:
    """Puts into the row what reaches down to its next columns."""
    while (column := len(row)) in below:
        more, text = below.pop(column)
        row.append(text)
        if more > 1:
            below[column] = more - 1, text


def span_size(cell: Tag, attribute: str) -> int:
    value = str(cell.get(attribute) or "1").strip()
    return max(1, min(int(value), CELLS_LIMIT)) if value.isascii() and value.isdigit() and len(value) < 4 else 1


def has_header(tag: Tag) -> bool:
    """Whether the first row names the columns."""
    first = tag.find("tr")
    return isinstance(first, Tag) and not first.find("td", recursive=False)
