"""Extracts the content of an HTML page, by the semantics that its authors gave to screen readers.

Content is `main`, else `article`, else the run of prose that `content_run` finds. In `main`, all that a reader sees is
content, unless it is navigation by its element, its role or an unmistakable name. Elsewhere `boilerplate` is dropped by
likely names too. Pure: fetches nothing, runs nothing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import cached_property
from itertools import islice

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning

from core.contract import Language, Omission
from core.language import detect_language, parse_language_tag
from core.rag.documents import Block, Document, one_line
from core.rag.passages import cut_blocks
from core.rag.reading.absolute_link import absolute_link
from core.rag.reading.charset import decode
from core.rag.reading.pages import boilerplate, disclosure
from core.rag.reading.pages.blocks import PageBlock, collect_blocks, element_text
from core.rag.reading.pages.content_run import drop_linked, drop_repeated, find_content
from core.rag.reading.pages.tables import name_aria_tables
from core.rag.reading.pages.weights import PageWeights, Weight
from core.rag.reading.raw_document import RawDocument

TITLE_LIMIT_CHARS = 300
ELEMENTS_LIMIT = 40_000
SOURCE_LIMIT_CHARS = 6 * 2**20
FEED_TYPE = re.compile(r"\s*application/(?:rss\+xml|atom\+xml|feed\+json)", re.IGNORECASE)
OPENING_TAG = re.compile(r"<[a-zA-Z]")
ASIDE_MIN_WORDS = 5  # of prose, in the main part
NOSCRIPT_MIN_WORDS = 30
SHARE_OF_MAIN = 0.6  # an article with this share of the main part's prose is the page's subject
TITLE_LIKENESS = 0.5
GROUPING_TAGS = frozenset(("article", "div", "section", "ul", "ol", "li", "p"))
SHARE_OF_PAGE = 0.3  # of the page's prose: an article with less is a teaser
BUILT_PAGES = frozenset(("wp-page", "wp-post"))  # Elementor's
TITLE_REACH = 30  # blocks between a title and its content


def parse_page(raw: RawDocument) -> Document:
    """Returns the page as a document. A page without text has no passages."""
    html = decode(raw.body, raw.charset, is_html=True)
    source = cut_source(html)
    page = HtmlPage(parse_html(source))
    blocks = [block.block for block in page.content]
    title = page.title()
    # Nothing needs the title as its heading.
    below = [block for block in blocks if not (block.kind == "heading" and block.text == title)]
    omissions = (Omission("characters"),) if len(source) < len(html) else ()
    feed_url = find_feed(page.soup, raw.url)
    return Document(title, cut_blocks(below), "page", page.language(blocks), raw.url, omissions, feed_url)


def cut_source(html: str) -> str:
    """Cuts a page to what can be read within the limit of CPU time, which its elements cost more than its text."""
    over = next(islice(OPENING_TAG.finditer(html), ELEMENTS_LIMIT, None), None)
    return html[: min(over.start() if over else SOURCE_LIMIT_CHARS, SOURCE_LIMIT_CHARS)]


def find_feed(soup: BeautifulSoup, base: str | None) -> str | None:
    """Returns the address of the first feed that the page declares, but not of its comments."""
    for link in soup.find_all("link", rel="alternate", type=FEED_TYPE, href=True):
        if not re.search("comment", f"{link['href']} {link.get('title')}", re.IGNORECASE):
            return absolute_link(link["href"], base)
    return None


def html_blocks(html: str) -> list[Block]:
    """Returns the blocks of an HTML fragment, such as an entry of a feed."""
    return [block.block for block in collect_blocks(parse_html(html), boilerplate.is_boilerplate) if block.words]


def html_line(html: str) -> str:
    """Returns the text of an HTML fragment, such as a title, on one line."""
    return one_line(" ".join(block.text for block in html_blocks(html)))


def parse_html(html: str) -> BeautifulSoup:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        return BeautifulSoup(html.replace("\x00", ""), "lxml")


class HtmlPage:
    """A parsed page: its content, title and language."""

    def __init__(self, soup: BeautifulSoup) -> None:
        self.soup = soup
        name_aria_tables(soup)
        self._opened = disclosure.open_closed_parts(soup)
        self._weights = PageWeights(soup)
        self._declared = declared_title(soup)
        likely = [tag for tag in soup.find_all("h1") if is_title(one_line(tag.get_text(" ")), self._declared)]
        self._around_title = {id(tag) for heading in likely for tag in (heading, *heading.parents)}
        self._main = self._main_part()
        self._subject = self._article_of(self._main) if self._main else None
        inside = [self._subject, *self._subject.find_all(True), *self._subject.parents] if self._subject else []
        self._within_subject = set(map(id, inside))
        self._root = self._main or self._article()

    def _prose(self, tag: Tag) -> int:
        return self._weights.of(tag).prose

    def _main_part(self) -> Tag | None:
        """Returns the main part with most prose."""
        main = self._fullest_shown(landmarks(self.soup, "main"))
        if main is not None and main.get_text(strip=True):
            return main
        if self._article() is not None:
            return None
        named = self._fullest_shown(self.soup.find_all(is_named_main))
        return named if named is not None and self._prose(named) > SHARE_OF_PAGE * self._weights.total.prose else None

    def _fullest_shown(self, tags: Iterable[Tag]) -> Tag | None:
        shown = [tag for tag in tags if not any(map(boilerplate.is_hidden, (tag, *tag.parents)))]
        return max(shown, key=self._prose, default=None)

    def _article_of(self, main: Tag) -> Tag | None:
        """Returns the article that fills the main part, if one does."""
        article = self._fullest(main)
        return article if article and self._prose(article) > SHARE_OF_MAIN * self._prose(main) else None

    def _article(self) -> Tag | None:
        """Returns the article with most prose, if it holds a good share of the page's."""
        article = self._fullest(self.soup)
        if article is None or self._prose(article) < SHARE_OF_PAGE * self._weights.total.prose:
            return None
        return article

    def _fullest(self, tag: Tag) -> Tag | None:
        return max(landmarks(tag, "article"), key=self._prose, default=None)

    def _skip(self, tag: Tag) -> bool:
        if boilerplate.is_boilerplate(tag) or self._is_hidden(tag):
            return True
        if self._weights.holds_most(tag) or id(tag) in self._around_title:
            return False
        if self._main is not None:
            return self._leads_elsewhere(tag)
        words = self._prose(tag)
        if boilerplate.is_aside(tag) or is_controls(tag, words):
            return True
        return boilerplate.is_named_boilerplate(tag, words, in_article=self._root is not None)

    def _is_hidden(self, tag: Tag) -> bool:
        """Tells whether readers do not see the element; those that they can open are read."""
        if id(tag) in self._opened:
            return False
        is_short = self._prose(tag) < boilerplate.CONTENT_MIN_WORDS
        return boilerplate.is_hidden(tag) or (is_short and boilerplate.is_hidden_by_class(tag))

    def _leads_elsewhere(self, tag: Tag) -> bool:
        """Tells whether an element of the main part is no part of the content, though people see it."""
        weight = self._weights.of(tag)
        if boilerplate.is_aside(tag) and weight.prose < ASIDE_MIN_WORDS and not is_sentence(tag, weight):
            return True
        if tag.name == "form" and tag.find("input", type="search") is not None:
            return True
        linked = tag.name in GROUPING_TAGS and weight.is_mostly_linked
        is_beside = self._subject is not None and id(tag) not in self._within_subject
        if linked and (is_beside or (tag.name == "article" and self._subject is not None)):
            return True
        is_beside = linked or is_beside
        return boilerplate.is_named_service(tag, weight.prose, is_beside=is_beside, is_linked=weight.is_mostly_linked)

    @cached_property
    def content(self) -> list[PageBlock]:
        """The blocks that are content, in reading order."""
        return self._find_content() or self._text_without_scripts()

    def _text_without_scripts(self) -> list[PageBlock]:
        """Returns the text for browsers without scripts, unless it only asks for scripts."""
        texts = [tag for tag in self.soup.find_all("noscript") if len(tag.get_text(" ").split()) >= NOSCRIPT_MIN_WORDS]
        return [block for tag in texts for block in collect_blocks(tag, boilerplate.is_boilerplate) if block.words]

    def _find_content(self) -> list[PageBlock]:
        if self._root is not None:
            blocks = collect_blocks(self._root, self._skip)
            content = drop_linked(blocks) if self._main is None else blocks
        else:
            blocks = collect_blocks(self.soup.body or self.soup, self._skip)
            run = find_content(blocks)
            content = drop_linked(blocks[title_position(blocks, run.start, self._declared) : run.stop])
        return list(drop_repeated(block for block in content or blocks if block.words))

    def title(self) -> str:
        """Returns the heading that names the subject, else the title that the page declares."""
        within = [block.block for block in self.content if block.block.kind == "heading"]
        first = [block.text for block in within if block.level == 1]
        likely = [text for text in first + headings(self.soup) if is_title(text, self._declared)]
        return next(filter(None, (*likely, *first, self._declared, *headings(self.soup))), "")[:TITLE_LIMIT_CHARS]

    def language(self, blocks: Iterable[Block]) -> Language | None:
        """Returns the language that the content's element, or one around it, declares; else the detected one."""
        ancestors = (self._root, *self._root.parents) if self._root else self.soup.find_all("html", limit=1)
        declared = next((str(tag.get("lang")) for tag in ancestors if isinstance(tag, Tag) and tag.get("lang")), "")
        if declared:
            return parse_language_tag(declared)
        return detect_language("\n".join(block.text for block in blocks))


def landmarks(root: Tag, name: str) -> list[Tag]:
    """Returns the elements of that name or role."""
    tags = (tag for tag in root.descendants if isinstance(tag, Tag))
    return [tag for tag in tags if tag.name == name or (tag.attrs and name in boilerplate.aria_roles(tag))]


def is_sentence(tag: Tag, weight: Weight) -> bool:
    """Tells whether the element has words outside its links, and ends as a sentence does."""
    return weight.plain > weight.linked and tag.get_text().rstrip().endswith((".", "!", "?"))


def is_named_main(tag: Tag) -> bool:
    """Tells whether the element is the content by the name that its system gives it."""
    if "mainContentOfPage" in (tag.get("property"), tag.get("itemprop")):
        return True
    return tag.get("data-elementor-type") in BUILT_PAGES or "wiki-content" in (tag.get("class") or ())


def is_controls(tag: Tag, prose_words: int) -> bool:
    """Tells whether the element is a form of controls; some pages stand inside a form as a whole."""
    if tag.name in ("label", "legend"):
        return True
    return tag.name in ("form", "fieldset") and prose_words < boilerplate.CONTENT_MIN_WORDS


def declared_title(soup: BeautifulSoup) -> str:
    """Returns the title from the page's metadata, "" if there is none."""
    shared = soup.find("meta", property="og:title")
    declared = one_line(str(shared.get("content") or "")) if isinstance(shared, Tag) else ""
    return declared or (one_line(soup.title.get_text(" ")) if soup.title else "")


def headings(soup: BeautifulSoup) -> list[str]:
    """Returns the visible headings of the first level."""
    visible = (heading for heading in soup.find_all("h1") if not boilerplate.is_hidden(heading))
    return [text for heading in visible if (text := element_text(heading, boilerplate.is_boilerplate))]


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
