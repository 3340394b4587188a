"""A page's HTML to a document: its content by the semantics that its authors gave it, for readers who do not see it.

Content is `main`, else `article`, else the run of prose that `density` finds. What frames it is left out
(`chrome`). Pure: fetches nothing, runs nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PreformattedString

from core.contract import Language
from core.language import language_of
from core.rag.blocks import Block, line
from core.rag.documents import Document
from core.rag.passages import cut
from core.rag.reading import chrome, density
from core.rag.reading.charset import decoded
from core.rag.reading.page_blocks import DEPTH_LIMIT, Piece, pieces_of

TITLE_LIMIT_CHARS = 300
MAIN = "main, [role~=main]"
ARTICLE = "article, [role~=article]"
SENTENCE_WORDS = 5  # a string of fewer is a label as likely as prose
SHARE_OF_MAIN = 0.6  # an article that holds so much of the main part is what the page is about
TITLE_LIKENESS = 0.5
LABEL_WORDS = 6
BEGINNING_PIECES = 4
SHARE_OF_PAGE = 0.3  # of the page's prose: an article with less is a teaser
END = Piece(Block("heading", "", 2), 0, 0)
LANGUAGES: dict[str, Language] = {"en": "en", "fr": "fr"}


def document(body: bytes, *, charset: str | None = None, url: str | None = None) -> Document:
    """A page as a document. One without any text has no passages."""
    page = Page(parsed(decoded(body, charset, is_html=True)))
    blocks = [piece.block for piece in page.content]
    title = page.title()
    return Document(title, cut(untitled(blocks, title)), "page", page.language(blocks), url)


def text_of(html: str) -> str:
    """The text of a piece of HTML, such as a feed's summary: a paragraph a line."""
    soup = parsed(html)
    return "\n".join(piece.block.text for piece in pieces_of(soup, chrome.is_chrome) if piece.words)


def parsed(html: str) -> BeautifulSoup:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        return BeautifulSoup(html.replace("\x00", ""), "lxml")


def untitled(blocks: list[Block], title: str) -> list[Block]:
    """Without the heading that is the title: nothing needs to stand under it."""
    return [block for block in blocks if not (block.kind == "heading" and block.text == title)]


class Page:
    """What is asked of a parsed page."""

    def __init__(self, soup: BeautifulSoup) -> None:
        self._soup = soup
        self._weights: dict[int, tuple[int, int]] = {}  # by the id of the element that the words stand in
        self._prose, self._plain = self._weigh(soup)
        self._told = told_title(soup)
        likely = [tag for tag in soup.find_all("h1") if likeness(line(tag.get_text(" ")), self._told) >= TITLE_LIKENESS]
        self._around_title = {id(tag) for heading in likely for tag in (heading, *heading.parents)}
        self._root = self._main() or self._article()

    def _weigh(self, tag: Tag, depth: int = 0) -> tuple[int, int]:
        """Counts the words under every element that are no links, those of prose and all."""
        prose = plain = 0
        if tag.name not in chrome.NEVER_READ and tag.name != "a" and not chrome.is_unseen(tag):
            for child in tag.children:
                if isinstance(child, Tag) and depth < DEPTH_LIMIT:
                    inner_prose, inner_plain = self._weigh(child, depth + 1)
                    prose, plain = prose + inner_prose, plain + inner_plain
                elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                    count = len(child.split())
                    prose, plain = prose + (count if count >= SENTENCE_WORDS else 0), plain + count
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
        return any(chrome.is_unseen(each) for each in (tag, *tag.parents))

    def _skip(self, tag: Tag) -> bool:
        if chrome.is_chrome(tag):
            return True
        if self._holds_most(tag) or id(tag) in self._around_title:
            return False
        words = self._words(tag)
        return is_controls(tag, words) or chrome.is_named_chrome(tag, words)

    @cached_property
    def content(self) -> list[Piece]:
        """The pieces that are content, in reading order."""
        if self._root is not None:
            pieces = pieces_of(self._root, self._skip)
            found = unlinked(pieces) if self._root.name == "article" else pieces
        else:
            pieces = pieces_of(self._soup.body or self._soup, self._skip)
            run = density.content(pieces)
            found = unlinked(pieces[titled(pieces, run.start, self._told) : run.stop])
        return list(unrepeated(piece for piece in found or pieces if piece.words))

    def title(self) -> str:
        """The heading that says what the page is about, else what the page says for others and for the window."""
        within = [piece.block for piece in self.content if piece.block.kind == "heading"]
        first = [block.text for block in within if block.level == 1]
        likely = [text for text in first + headings(self._soup) if likeness(text, self._told) >= TITLE_LIKENESS]
        return next(iter([*likely, *first, self._told, *(block.text for block in within)]), "")[:TITLE_LIMIT_CHARS]

    def language(self, blocks: Iterable[Block]) -> Language | None:
        """As the content's element, or one around it, says; else as the text reads."""
        around = (self._root, *self._root.parents) if self._root else self._soup.find_all("html", limit=1)
        told = next((str(tag.get("lang")) for tag in around if isinstance(tag, Tag) and tag.get("lang")), "")
        if told:
            return LANGUAGES.get(told.strip().lower()[:2])
        return language_of("\n".join(block.text for block in blocks))


def is_controls(tag: Tag, prose_words: int) -> bool:
    """A form that asks for something; some pages stand in one as a whole."""
    return tag.name in ("form", "fieldset") and prose_words < chrome.PROSE_ENOUGH_WORDS


def unlinked(pieces: list[Piece]) -> list[Piece]:
    """Without pieces that are links, and without the labels under which nothing else stood."""
    kept: list[Piece] = []
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


def is_label(piece: Piece) -> bool:
    if piece.block.kind == "paragraph":
        return piece.words < LABEL_WORDS and not piece.block.text.endswith((".", "!", "?", "…", "»", "”", '"', ":"))
    return piece.block.kind == "heading" and piece.block.level > 1


def unrepeated(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Without the beginning, where it is said again: in forms to share it, in summaries of what was just read."""
    beginning: list[str] = []
    for piece in pieces:
        if piece.words >= LABEL_WORDS and piece.block.text in beginning:
            continue
        if piece.words >= LABEL_WORDS and len(beginning) < BEGINNING_PIECES:
            beginning.append(piece.block.text)
        yield piece


def told_title(soup: BeautifulSoup) -> str:
    """What the page calls itself elsewhere: "" if nothing."""
    shared = soup.find("meta", property="og:title")
    told = line(str(shared.get("content") or "")) if isinstance(shared, Tag) else ""
    return told or (line(soup.title.get_text(" ")) if soup.title else "")


def headings(soup: BeautifulSoup) -> list[str]:
    """Of the first level, those that are seen."""
    found = (heading for heading in soup.find_all("h1") if not chrome.is_unseen(heading))
    return [text for heading in found if (text := line(heading.get_text(" ")))]


def likeness(heading: str, title: str) -> float:
    """The share of the heading's words that the title has too."""
    words = set(heading.lower().split())
    return len(words & set(title.lower().split())) / max(len(words), 1)


def titled(pieces: list[Piece], begun: int, told: str) -> int:
    """Where content begins: at its title, if that is near, else at the nearest heading of the first level."""
    reach = range(begun - 1, max(begun - density.TITLE_REACH, 0) - 1, -1)
    headings = [index for index in reach if pieces[index].block.kind == "heading"]
    likely = [index for index in headings if likeness(pieces[index].block.text, told) >= TITLE_LIKENESS]
    first = [index for index in headings if pieces[index].block.level == 1]
    return next(iter([*likely, *first]), begun)
