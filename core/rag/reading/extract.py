"""Extracts the content of an HTML page, by the semantics that its authors gave to screen readers.

Content is `main`, else `article`, else the run of prose that `find_content` finds. `boilerplate` around and inside it
is dropped. Pure: fetches nothing, runs nothing.

`find_content` follows Finn, Kushmerick and Smyth, "Fact or fiction: content classification for digital libraries"
(2001): the content is the run of blocks that gains most if prose counts for it, and links and crumbs against it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PreformattedString

from core.contract import Language
from core.language import detect_language, parse_language_tag
from core.rag.documents import Block, Document, one_line
from core.rag.passages import cut_blocks
from core.rag.reading import boilerplate
from core.rag.reading.charset import decode
from core.rag.reading.page_blocks import DEPTH_LIMIT, PageBlock, collect_blocks
from core.rag.reading.raw_document import RawDocument

TITLE_LIMIT_CHARS = 300
MAIN = "main, [role~=main]"
ARTICLE = "article, [role~=article]"
SENTENCE_MIN_WORDS = 5  # shorter strings may as well be labels
SHARE_OF_MAIN = 0.6  # an article with this share of the main part's prose is the page's subject
TITLE_LIKENESS = 0.5
LABEL_WORDS = 6
BEGINNING_BLOCKS = 4
SHARE_OF_PAGE = 0.3  # of the page's prose: an article with less is a teaser
END = PageBlock(Block("heading", "", 2), 0, 0)
PROSE_WORDS = 10  # a shorter block may as well be a label
CRUMB_COST = 4.0  # in words of prose: the least length of the neighbours that keep a short block
LINK_COST = 1.5  # for each word
HEADING_COST = 2.0
ROW_GAIN = 2.0  # beyond its words, because data is short
LINKS_COST_LIMIT = 80.0  # for links in a row: a table of contents may stand in the middle of the content
TITLE_REACH = 30  # blocks between a title and its content


def parse_page(raw: RawDocument) -> Document:
    """Returns the page as a document. A page without text has no passages."""
    page = HtmlPage(parse_html(decode(raw.body, raw.charset, is_html=True)))
    blocks = [block.block for block in page.content]
    title = page.title()
    # Nothing needs the title as its heading.
    below = [block for block in blocks if not (block.kind == "heading" and block.text == title)]
    return Document(title, cut_blocks(below), "page", page.language(blocks), raw.url)


def html_text(html: str) -> str:
    """Returns the text of an HTML fragment, such as a feed's summary, with a paragraph on each line."""
    soup = parse_html(html)
    return "\n".join(block.block.text for block in collect_blocks(soup, boilerplate.is_boilerplate) if block.words)


def parse_html(html: str) -> BeautifulSoup:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        return BeautifulSoup(html.replace("\x00", ""), "lxml")


class HtmlPage:
    """A parsed page: its content, title and language."""

    def __init__(self, soup: BeautifulSoup) -> None:
        self._soup = soup
        self._weights: dict[int, tuple[int, int]] = {}  # by the element's id()
        self._prose, self._plain = self._weigh(soup)
        self._declared = declared_title(soup)
        likely = [tag for tag in soup.find_all("h1") if is_title(one_line(tag.get_text(" ")), self._declared)]
        self._around_title = {id(tag) for heading in likely for tag in (heading, *heading.parents)}
        self._root = self._main() or self._article()

    def _weigh(self, tag: Tag, depth: int = 0) -> tuple[int, int]:
        """Counts the words outside links under every element: those of prose, and all."""
        prose = plain = 0
        if tag.name not in boilerplate.IGNORED_TAGS and tag.name != "a" and not boilerplate.is_hidden(tag):
            for child in tag.children:
                if isinstance(child, Tag) and depth < DEPTH_LIMIT:
                    inner_prose, inner_plain = self._weigh(child, depth + 1)
                    prose, plain = prose + inner_prose, plain + inner_plain
                elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                    count = len(child.split())
                    prose, plain = prose + (count if count >= SENTENCE_MIN_WORDS else 0), plain + count
        self._weights[id(tag)] = prose, plain
        return prose, plain

    def _words(self, tag: Tag) -> int:
        """Returns the number of words of prose."""
        return self._weights.get(id(tag), (0, 0))[0]

    def _holds_most(self, tag: Tag) -> bool:
        return self._weights.get(id(tag), (0, 0))[1] * 2 > self._plain

    def _main(self) -> Tag | None:
        """Returns the main part with most prose, or the one article that fills it."""
        mains = [tag for tag in self._soup.select(MAIN) if not any(map(boilerplate.is_hidden, (tag, *tag.parents)))]
        main = max(mains, key=self._words, default=None)
        if main is None or not main.get_text(strip=True):
            return None
        article = self._fullest(main)
        return article if article and self._words(article) > SHARE_OF_MAIN * self._words(main) else main

    def _article(self) -> Tag | None:
        """Returns the article with most prose, if it holds a good share of the page's."""
        article = self._fullest(self._soup)
        if article is None or self._words(article) < SHARE_OF_PAGE * self._prose:
            return None
        return article

    def _fullest(self, tag: Tag) -> Tag | None:
        return max(tag.select(ARTICLE), key=self._words, default=None)

    def _skip(self, tag: Tag) -> bool:
        if boilerplate.is_boilerplate(tag):
            return True
        if self._holds_most(tag) or id(tag) in self._around_title:
            return False
        words = self._words(tag)
        return is_controls(tag, words) or boilerplate.is_named_boilerplate(tag, words)

    @cached_property
    def content(self) -> list[PageBlock]:
        """The blocks that are content, in reading order."""
        if self._root is not None:
            blocks = collect_blocks(self._root, self._skip)
            content = drop_linked(blocks) if self._root.name == "article" else blocks
        else:
            blocks = collect_blocks(self._soup.body or self._soup, self._skip)
            run = find_content(blocks)
            content = drop_linked(blocks[title_position(blocks, run.start, self._declared) : run.stop])
        return list(drop_repeated(block for block in content or blocks if block.words))

    def title(self) -> str:
        """Returns the heading that names the subject, else the title that the page declares."""
        within = [block.block for block in self.content if block.block.kind == "heading"]
        first = [block.text for block in within if block.level == 1]
        likely = [text for text in first + headings(self._soup) if is_title(text, self._declared)]
        return next(iter([*likely, *first, self._declared, *(block.text for block in within)]), "")[:TITLE_LIMIT_CHARS]

    def language(self, blocks: Iterable[Block]) -> Language | None:
        """Returns the language that the content's element, or one around it, declares; else the detected one."""
        ancestors = (self._root, *self._root.parents) if self._root else self._soup.find_all("html", limit=1)
        declared = next((str(tag.get("lang")) for tag in ancestors if isinstance(tag, Tag) and tag.get("lang")), "")
        if declared:
            return parse_language_tag(declared)
        return detect_language("\n".join(block.text for block in blocks))


def is_controls(tag: Tag, prose_words: int) -> bool:
    """Tells whether the element is a form of controls; some pages stand inside a form as a whole."""
    return tag.name in ("form", "fieldset") and prose_words < boilerplate.CONTENT_MIN_WORDS


def drop_linked(blocks: list[PageBlock]) -> list[PageBlock]:
    """Drops blocks that are links, and the labels that are left without content."""
    remaining: list[PageBlock] = []
    dropped = False
    for block in [*blocks, END]:
        if block.is_linked:
            dropped = True
            continue
        if dropped and remaining and is_label(remaining[-1]) and is_label(block):
            remaining.pop()
        remaining.append(block)
        dropped = False
    return remaining[:-1]


def is_label(block: PageBlock) -> bool:
    if block.block.kind == "paragraph":
        return block.words < LABEL_WORDS and not block.block.text.endswith((".", "!", "?", "…", "»", "”", '"', ":"))
    return block.block.kind == "heading" and block.block.level > 1


def drop_repeated(blocks: Iterable[PageBlock]) -> Iterator[PageBlock]:
    """Drops repetitions of the beginning: in forms for sharing, in summaries of the page."""
    beginning: list[str] = []
    for block in blocks:
        if block.words >= LABEL_WORDS and block.block.text in beginning:
            continue
        if block.words >= LABEL_WORDS and len(beginning) < BEGINNING_BLOCKS:
            beginning.append(block.block.text)
        yield block


def declared_title(soup: BeautifulSoup) -> str:
    """Returns the title from the page's metadata, "" if there is none."""
    shared = soup.find("meta", property="og:title")
    declared = one_line(str(shared.get("content") or "")) if isinstance(shared, Tag) else ""
    return declared or (one_line(soup.title.get_text(" ")) if soup.title else "")


def headings(soup: BeautifulSoup) -> list[str]:
    """Returns the visible headings of the first level."""
    visible = (heading for heading in soup.find_all("h1") if not boilerplate.is_hidden(heading))
    return [text for heading in visible if (text := one_line(heading.get_text(" ")))]


def is_title(heading: str, title: str) -> bool:
    """Tells whether the title contains at least TITLE_LIKENESS of the heading's words."""
    words = set(heading.lower().split())
    return len(words & set(title.lower().split())) / max(len(words), 1) >= TITLE_LIKENESS


def title_position(blocks: list[PageBlock], start: int, declared: str) -> int:
    """Returns the start of the content: the page's title if it is near, else the nearest heading of the first level."""
    reach = range(start - 1, max(start - TITLE_REACH, 0) - 1, -1)
    headings = [index for index in reach if blocks[index].block.kind == "heading"]
    likely = [index for index in headings if is_title(blocks[index].block.text, declared)]
    first = [index for index in headings if blocks[index].block.level == 1]
    return next(iter([*likely, *first]), start)


def find_content(blocks: Sequence[PageBlock]) -> slice:
    """Returns the run of blocks that is content; it is empty if nothing reads like content."""
    best_gain = gain = 0.0
    best, start = slice(0, 0), 0
    for index, each in enumerate(block_gains(blocks)):
        gain += each
        if gain <= 0:
            gain, start = 0.0, index + 1
        elif gain > best_gain:
            best_gain, best = gain, slice(start, index + 1)
    return best


def block_gains(blocks: Sequence[PageBlock]) -> Iterator[float]:
    """Yields how much each block speaks for being content, in words of prose."""
    links_cost = 0.0
    in_teaser = False  # the last heading was a link, so the next blocks are a teaser of another page
    for block in blocks:
        if block.is_linked or not block.words:
            cost = min(CRUMB_COST + LINK_COST * block.linked, LINKS_COST_LIMIT - links_cost)
            links_cost += cost
            in_teaser = block.block.kind == "heading"
            yield -cost
            continue
        if block.block.kind == "heading":
            in_teaser = False
            yield -HEADING_COST
            continue
        gain = -CRUMB_COST if in_teaser else block_gain(block)
        links_cost = 0.0 if gain > 0 else links_cost
        yield gain


def block_gain(block: PageBlock) -> float:
    plain = float(block.words - block.linked)
    if block.block.kind == "row":
        return plain + ROW_GAIN
    return plain if plain >= PROSE_WORDS or block.block.kind == "code" else -CRUMB_COST
