"""A page's HTML to a document: its content by the semantics that its authors gave it, for readers who do not see it.

Content is `main`, else `article`, else the run of prose that `density` finds. What frames it is left out
(`chrome`). Pure: fetches nothing, runs nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PreformattedString

from core.contract import Language
from core.language import language_of
from core.rag.documents import Block, Document, one_line
from core.rag.passages import cut_blocks
from core.rag.reading import boilerplate
from core.rag.reading.charset import decode
from core.rag.reading.page_blocks import DEPTH_LIMIT, PageBlock, collect_blocks

TITLE_LIMIT_CHARS = 300
MAIN = "main, [role~=main]"
ARTICLE = "article, [role~=article]"
SENTENCE_MIN_WORDS = 5  # a string of fewer is a label as likely as prose
SHARE_OF_MAIN = 0.6  # an article that holds so much of the main part is what the page is about
TITLE_LIKENESS = 0.5
LABEL_WORDS = 6
BEGINNING_PIECES = 4
SHARE_OF_PAGE = 0.3  # of the page's prose: an article with less is a teaser
END = PageBlock(Block("heading", "", 2), 0, 0)
LANGUAGES: dict[str, Language] = {"en": "en", "fr": "fr"}


def parse_page(body: bytes, *, charset: str | None = None, url: str | None = None) -> Document:
    """A page as a document. One without any text has no passages."""
    page = HtmlPage(parse_html(decode(body, charset, is_html=True)))
    blocks = [piece.block for piece in page.content]
    title = page.title()
    return Document(title, cut_blocks(drop_title(blocks, title)), "page", page.language(blocks), url)


def text_of(html: str) -> str:
    """The text of a piece of HTML, such as a feed's summary: a paragraph a line."""
    soup = parse_html(html)
    return "\n".join(piece.block.text for piece in collect_blocks(soup, boilerplate.is_boilerplate) if piece.words)


def parse_html(html: str) -> BeautifulSoup:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        return BeautifulSoup(html.replace("\x00", ""), "lxml")


def drop_title(blocks: list[Block], title: str) -> list[Block]:
    """Without the heading that is the title: nothing needs to stand under it."""
    return [block for block in blocks if not (block.kind == "heading" and block.text == title)]


class HtmlPage:
    """What is asked of a parsed page."""

    def __init__(self, soup: BeautifulSoup) -> None:
        self._soup = soup
        self._weights: dict[int, tuple[int, int]] = {}  # by the id of the element that the words stand in
        self._prose, self._plain = self._weigh(soup)
        self._declared = declared_title(soup)
        likely = [tag for tag in soup.find_all("h1") if is_title(one_line(tag.get_text(" ")), self._declared)]
        self._around_title = {id(tag) for heading in likely for tag in (heading, *heading.parents)}
        self._root = self._main() or self._article()

    def _weigh(self, tag: Tag, depth: int = 0) -> tuple[int, int]:
        """Counts the words under every element that are no links, those of prose and all."""
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
        """Of prose."""
        return self._weights.get(id(tag), (0, 0))[0]

    def _holds_most(self, tag: Tag) -> bool:
        return self._weights.get(id(tag), (0, 0))[1] * 2 > self._plain

    def _main(self) -> Tag | None:
        """The fullest main part, or the one article that it is for."""
        mains = [tag for tag in self._soup.select(MAIN) if not self._is_hidden(tag)]
        main = max(mains, key=self._words, default=None)
        if main is None or not main.get_text(strip=True):
            return None
        article = self._fullest(main)
        return article if article and self._words(article) > SHARE_OF_MAIN * self._words(main) else main

    def _article(self) -> Tag | None:
        """Without a main part: the article that holds most of what articles hold, if it is much of the page."""
        article = self._fullest(self._soup)
        if article is None or self._words(article) < SHARE_OF_PAGE * self._prose:
            return None
        return article

    def _fullest(self, tag: Tag) -> Tag | None:
        return max(tag.select(ARTICLE), key=self._words, default=None)

    def _is_hidden(self, tag: Tag) -> bool:
        return any(boilerplate.is_hidden(each) for each in (tag, *tag.parents))

    def _skip(self, tag: Tag) -> bool:
        if boilerplate.is_boilerplate(tag):
            return True
        if self._holds_most(tag) or id(tag) in self._around_title:
            return False
        words = self._words(tag)
        return is_controls(tag, words) or boilerplate.is_named_boilerplate(tag, words)

    @cached_property
    def content(self) -> list[PageBlock]:
        """The pieces that are content, in reading order."""
        if self._root is not None:
            pieces = collect_blocks(self._root, self._skip)
            found = drop_linked(pieces) if self._root.name == "article" else pieces
        else:
            pieces = collect_blocks(self._soup.body or self._soup, self._skip)
            run = find_content(pieces)
            found = drop_linked(pieces[title_position(pieces, run.start, self._declared) : run.stop])
        return list(drop_repeated(piece for piece in found or pieces if piece.words))

    def title(self) -> str:
        """The heading that says what the page is about, else what the page says for others and for the window."""
        within = [piece.block for piece in self.content if piece.block.kind == "heading"]
        first = [block.text for block in within if block.level == 1]
        likely = [text for text in first + headings(self._soup) if is_title(text, self._declared)]
        return next(iter([*likely, *first, self._declared, *(block.text for block in within)]), "")[:TITLE_LIMIT_CHARS]

    def language(self, blocks: Iterable[Block]) -> Language | None:
        """As the content's element, or one around it, says; else as the text reads."""
        around = (self._root, *self._root.parents) if self._root else self._soup.find_all("html", limit=1)
        told = next((str(tag.get("lang")) for tag in around if isinstance(tag, Tag) and tag.get("lang")), "")
        if told:
            return LANGUAGES.get(told.strip().lower()[:2])
        return language_of("\n".join(block.text for block in blocks))


def is_controls(tag: Tag, prose_words: int) -> bool:
    """A form that asks for something; some pages stand in one as a whole."""
    return tag.name in ("form", "fieldset") and prose_words < boilerplate.CONTENT_MIN_WORDS


def drop_linked(pieces: list[PageBlock]) -> list[PageBlock]:
    """Without pieces that are links, and without the labels under which nothing else stood."""
    kept: list[PageBlock] = []
    dropped = False
    for piece in [*pieces, END]:
        if piece.is_linked:
            dropped = True
            continue
        if dropped and kept and is_label(kept[-1]) and is_label(piece):
            kept.pop()
        kept.append(piece)
        dropped = False
    return kept[:-1]


def is_label(piece: PageBlock) -> bool:
    if piece.block.kind == "paragraph":
        return piece.words < LABEL_WORDS and not piece.block.text.endswith((".", "!", "?", "…", "»", "”", '"', ":"))
    return piece.block.kind == "heading" and piece.block.level > 1


def drop_repeated(pieces: Iterable[PageBlock]) -> Iterator[PageBlock]:
    """Without the beginning, where it is said again: in forms to share it, in summaries of what was just read."""
    beginning: list[str] = []
    for piece in pieces:
        if piece.words >= LABEL_WORDS and piece.block.text in beginning:
            continue
        if piece.words >= LABEL_WORDS and len(beginning) < BEGINNING_PIECES:
            beginning.append(piece.block.text)
        yield piece


def declared_title(soup: BeautifulSoup) -> str:
    """What the page calls itself elsewhere: "" if nothing."""
    shared = soup.find("meta", property="og:title")
    told = one_line(str(shared.get("content") or "")) if isinstance(shared, Tag) else ""
    return told or (one_line(soup.title.get_text(" ")) if soup.title else "")


def headings(soup: BeautifulSoup) -> list[str]:
    """Of the first level, those that are seen."""
    found = (heading for heading in soup.find_all("h1") if not boilerplate.is_hidden(heading))
    return [text for heading in found if (text := one_line(heading.get_text(" ")))]


def is_title(heading: str, title: str) -> bool:
    """Tells whether the title contains at least TITLE_LIKENESS of the heading's words."""
    words = set(heading.lower().split())
    return len(words & set(title.lower().split())) / max(len(words), 1) >= TITLE_LIKENESS


def title_position(pieces: list[PageBlock], begun: int, told: str) -> int:
    """Where content begins: at its title, if that is near, else at the nearest heading of the first level."""
    reach = range(begun - 1, max(begun - TITLE_REACH, 0) - 1, -1)
    headings = [index for index in reach if pieces[index].block.kind == "heading"]
    likely = [index for index in headings if is_title(pieces[index].block.text, told)]
    first = [index for index in headings if pieces[index].block.level == 1]
    return next(iter([*likely, *first]), begun)


PROSE_WORDS = 10  # a block of fewer is as likely to be a label
CRUMB_COST = 4.0  # so many words of prose must stand around a short block to keep it
LINK_COST = 1.5  # a word
HEADING_COST = 2.0
ROW_GAIN = 2.0  # beyond its words: data is short
LINKS_COST_LIMIT = 80.0  # of links in a row: a table of contents may stand in the middle of what it lists
TITLE_REACH = 30  # pieces between a title and what it is the title of


def find_content(pieces: Sequence[PageBlock]) -> slice:
    """The run of pieces that is content; empty if nothing reads like any."""
    best_gain = gain = 0.0
    best, begun = slice(0, 0), 0
    for index, each in enumerate(block_gains(pieces)):
        gain += each
        if gain <= 0:
            gain, begun = 0.0, index + 1
        elif gain > best_gain:
            best_gain, best = gain, slice(begun, index + 1)
    return best


def block_gains(pieces: Sequence[PageBlock]) -> Iterator[float]:
    """What each piece says for being content, in words of prose."""
    links_cost = 0.0
    teased = False  # the last heading was a link: what follows is another page's beginning
    for piece in pieces:
        if piece.is_linked or not piece.words:
            cost = min(CRUMB_COST + LINK_COST * piece.linked, LINKS_COST_LIMIT - links_cost)
            links_cost += cost
            teased = piece.block.kind == "heading"
            yield -cost
            continue
        if piece.block.kind == "heading":
            teased = False
            yield -HEADING_COST
            continue
        gain = -CRUMB_COST if teased else block_gain(piece)
        links_cost = 0.0 if gain > 0 else links_cost
        yield gain


def block_gain(piece: PageBlock) -> float:
    plain = float(piece.words - piece.linked)
    if piece.block.kind == "row":
        return plain + ROW_GAIN
    return plain if plain >= PROSE_WORDS or piece.block.kind == "code" else -CRUMB_COST
