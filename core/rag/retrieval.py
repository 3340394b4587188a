"""Looks up the documents that an answer is based on: the page that the question names, public sources and facts.

Owns the order of lookups and the reports of failures. Fetching, reading, choosing and searching have modules of their
own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import PurePath
from typing import ClassVar, Literal, Protocol
from urllib.parse import urlsplit

import structlog

from core.configuration.personalities import Personality
from core.contract import Attachment, Language, Omission, WebPage
from core.errors import CspsError
from core.language import detect_language
from core.rag.context import parse_lead_context
from core.rag.documents import Document
from core.rag.fetching.fetch import Fetcher
from core.rag.questions.lookup_question import LookupQuestion
from core.rag.questions.news import asks_for_news
from core.rag.questions.rewriting import QuestionRewriter
from core.rag.reading.reader import Reader
from core.rag.recent_pages import RecentPages
from core.rag.retrieved import RetrievedDocument, to_retrieved
from core.rag.structured_text import write_structured
from core.texts import describe_omissions, text

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PartlyRead:
    """The name of a document, and what was not read of it."""

    name: str
    omissions: tuple[Omission, ...]


@dataclass(frozen=True, slots=True)
class Considered:
    """A source or a fact that a finder weighed, for `csps-llm explain`. `score`: a likelihood, or a search's score."""

    kind: Literal["source", "fact"]
    name: str
    score: float
    read: bool


@dataclass(frozen=True, slots=True)
class LookupNotice:
    """A choice that the person did not make: the default place, one of several places of a name, or none.

    `source`: its title. `name`: the place that was taken, or that the source does not cover. `other`: the place that
    the person may have meant.
    """

    kind: Literal["default", "homonym", "uncovered"]
    source: str
    name: str
    other: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """The documents found, and the names of those that were not read, or only in part. The user sees the names."""

    documents: tuple[RetrievedDocument, ...] = ()
    unread: tuple[str, ...] = ()
    partly_read: tuple[PartlyRead, ...] = ()
    unclosed_context: bool = False  # pasted context without a closing marker
    considered: tuple[Considered, ...] = ()
    notices: tuple[LookupNotice, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of what the model must not invent: what was not read, and what no source covers."""
        not_covered = (f"{each.source} ({each.name})" for each in self.notices if each.kind == "uncovered")
        return (*self.unread, *not_covered)

    def merge(self, other: Lookup) -> Lookup:
        return Lookup(
            (*self.documents, *other.documents),
            (*self.unread, *other.unread),
            (*self.partly_read, *other.partly_read),
            self.unclosed_context or other.unclosed_context,
            (*self.considered, *other.considered),
            tuple(dict.fromkeys((*self.notices, *other.notices))),
        )


class Finder(Protocol):
    """Looks a question up, in public sources or in the operator's collections of facts.

    A failure becomes an entry in `Lookup.unread`, so that the other finders' documents are still used; `find` raises
    only for defects.
    """

    is_public: ClassVar[bool]  # searches public sources, not the operator's collections

    async def find(self, personality: Personality, question: LookupQuestion, language: Language) -> Lookup: ...


class Retriever:
    """`rewriter`: has a model rewrite follow-up questions; None leaves them to the finders."""

    def __init__(
        self,
        fetcher: Fetcher,
        reader: Reader,
        finders: tuple[Finder, ...] = (),
        rewriter: QuestionRewriter | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._reader = reader
        self._finders = finders
        self._rewriter = rewriter
        self._previewed: RecentPages[tuple[Document, RetrievedDocument]] = RecentPages()

    async def read_page(self, url: str) -> WebPage:
        """Reads a page as `fetch_pages` does, which finds it read for some minutes. Raises what `fetch_page` raises."""
        document, page = await self._fetch(url)
        self._previewed.keep(url, (document, page))
        text = write_structured(page.passages)
        return WebPage(page.url or url, page.name, page_kind(document), text, document.language, page.omissions)

    async def fetch_page(self, url: str) -> RetrievedDocument:
        """Reads a page or feed that the user named. Raises FetchRefused, FetchFailed, UnreadableDocument."""
        _, page = await self._fetch(url)
        return page

    async def fetch_pages(self, url: str, question: str) -> tuple[RetrievedDocument, ...]:
        """Reads a page as `fetch_page` does, and the feed that it declares if the question asks for news."""
        document, page = self._previewed.find(url) or await self._fetch(url)
        if document.feed_url is None or not asks_for_news(question):
            return (page,)
        try:
            _, feed = await self._fetch(document.feed_url, robots=True)
        except CspsError as exc:
            log.info("feed_of_page_unread", code=exc.code, problem=exc.message)
            return (page,)
        return feed, page

    async def _fetch(self, url: str, *, robots: bool = False) -> tuple[Document, RetrievedDocument]:
        fetched = await self._fetcher.fetch(url, robots=robots, whole=False)
        document = await self._reader.read(
            fetched.body, fetched.media_type, name=fetched.name, url=fetched.url, charset=fetched.charset
        )
        omissions = (*fetched.omissions, *document.omissions)
        cited = replace(document, url=link_for(document, fetched.url), omissions=omissions)
        return document, to_retrieved(cited, fetched.fetched_at)

    async def read_file(self, name: str, body: bytes, media_type: str) -> Attachment:
        """Reads an attached file as text. Raises UnreadableDocument."""
        document = await self._reader.read(body, media_type, name=name)
        return Attachment(name, attachment_text(name, document), document.omissions)

    async def read_rows(self, name: str, body: bytes) -> Attachment:
        """Reads the rows of a workbook as CSV. Raises UnreadableDocument."""
        rows, omissions = await self._reader.read_rows(body)
        return Attachment(name, rows, omissions)

    async def resolve_attachment(self, file: Attachment) -> Attachment:
        """Returns the page behind an attachment that holds only a URL, else the attachment itself."""
        lead = parse_lead_context(file.text)
        if lead.url is None or lead.question:
            return file
        page = await self.fetch_page(lead.url)
        return Attachment(page.name, write_structured(page.passages), page.omissions)

    async def look_up(
        self, personality: Personality, question: LookupQuestion, *, include_public: bool = True
    ) -> Lookup:
        """Asks all finders; without `include_public`, not those that search public sources."""
        if not (personality.sources or personality.collections):
            return Lookup()
        language = question_language(question) or personality.language
        question = await self._rewriter.rewrite(personality, question, language) if self._rewriter else question
        finders = [each for each in self._finders if include_public or not each.is_public]
        return merge_lookups(await asyncio.gather(*(each.find(personality, question, language) for each in finders)))

    async def close(self) -> None:
        await self._fetcher.close()
        await self._reader.close()


def page_kind(document: Document) -> Literal["page", "feed", "file"]:
    return document.kind if document.kind in ("page", "feed") else "file"


def attachment_text(name: str, document: Document) -> str:
    """Returns the document as Markdown. Its own title stands above it: an attachment goes by the file's name."""
    structured = write_structured(document.passages)
    is_own = document.title and document.title not in (name, PurePath(name).stem)
    return f"# {document.title}\n\n{structured}" if is_own else structured


def merge_lookups(lookups: Iterable[Lookup]) -> Lookup:
    return reduce(Lookup.merge, lookups, Lookup())


def link_for(document: Document, url: str) -> str:
    """Returns the address for people: the feed's own link if it is on the fetched site, else `url`."""
    link = document.url or url
    return link if urlsplit(link).hostname == urlsplit(url).hostname else url


def shortcomings(lookup: Lookup, language: Language) -> str:
    """Lists the documents that the answer lacks, and the choices made, as text before the answer; "" for none."""
    notices = [text("source-unclosed-context", language)] if lookup.unclosed_context else []
    notices += [text("source-unread", language, name=source_label(name, language)) for name in lookup.unread]
    notices += [describe_notice(notice, language) for notice in lookup.notices]
    for each in lookup.partly_read:
        read = describe_omissions(each.omissions, language)
        notices.append(text("source-partly-read", language, name=each.name, read=read))
    return "".join(f"{sentence}\n\n" for sentence in dict.fromkeys(notices))


def describe_notice(notice: LookupNotice, language: Language) -> str:
    source, name, other = notice.source, notice.name, notice.other
    return text(f"source-notice-{notice.kind}", language, source=source, name=name, other=other)


def question_language(question: LookupQuestion) -> Language | None:
    """Detects the question's language; a short one ("Montréal?") is in that of the questions before it."""
    texts = (question.text, *(each.question for each in reversed(question.earlier)))
    return next(filter(None, map(detect_language, texts)), None)


def source_label(name: str, language: Language) -> str:
    """Returns an address as it is, and a source's title inside a phrase."""
    return name if name.startswith(("http://", "https://")) else text("source-label", language, name=name)


def unread_lookup(name: str, exc: CspsError) -> Lookup:
    # The name is not logged: it may be a URL that a person wrote.
    log.warning("page_read_failed", code=exc.code, problem=exc.message)
    return Lookup(unread=(name,))
