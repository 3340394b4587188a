"""Renders documents for the model: their passages in reading order, with headings, dates and gaps. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from core.contract import Language, Source
from core.rag.context import QuotedDocument, quote_documents
from core.rag.documents import Passage
from core.rag.retrieved import RetrievedDocument
from core.texts import format_date, format_day_and_time

GAP = "[…]"  # stands for passages that are left out


@dataclass(frozen=True, slots=True)
class PromptStyle:
    """The language of a prompt's fixed sentences, and the time zone of its dates.

    `cites`: the model is asked to cite its documents. Not for JSON, whose values must not contain "[1]". `prose`: False
    for JSON, which cannot say that the documents have no answer.
    """

    language: Language = "en"
    zone: tzinfo = UTC
    cites: bool = True
    prose: bool = True


DEFAULT_STYLE = PromptStyle()


@dataclass(frozen=True, slots=True)
class NumberedDocument:
    """A document with the number by which the answer cites it."""

    number: int
    document: RetrievedDocument

    @property
    def source(self) -> Source:
        """The document as people see it. A file has no address."""
        return replace(self.document.source or Source(0, self.document.name), number=self.number)


@dataclass(frozen=True, slots=True)
class RenderedContext:
    """Documents as one block of quoted text, "" for none, and the sources that it numbers."""

    text: str = ""
    sources: tuple[Source, ...] = ()
    documents: tuple[NumberedDocument, ...] = ()


def render(documents: Iterable[NumberedDocument], style: PromptStyle) -> RenderedContext:
    """Renders all passages of the documents."""
    numbered = tuple(documents)
    block = quote_documents(
        [quote(each, style) for each in numbered], style.language, cites=style.cites, prose=style.prose
    )
    return RenderedContext(block, tuple(each.source for each in numbered), numbered)


def quote(numbered: NumberedDocument, style: PromptStyle) -> QuotedDocument:
    document, source = numbered.document, numbered.document.source
    fetched_at = source.fetched_at.astimezone(style.zone) if source and source.fetched_at else None
    return QuotedDocument(
        numbered.number, document.name, document_text(document, style), fetched_at, document.omissions
    )


def document_text(document: RetrievedDocument, style: PromptStyle) -> str:
    """Returns a plain text as it was sent; else the passages, with headings and a mark for each gap."""
    if document.verbatim is not None:
        return document.verbatim
    return "\n\n".join(passage_parts(document, style))


def passage_parts(document: RetrievedDocument, style: PromptStyle) -> Iterator[str]:
    next_position, last_head, links = 0, "", {document.url}
    for position, passage in zip(document.positions, document.passages, strict=True):
        if position != next_position:
            yield GAP
        next_position = position + 1
        head = passage_head(passage, style)
        link = passage.link if passage.link not in links else None
        links.add(passage.link)
        yield "\n".join(filter(None, (head if head != last_head else "", link, passage.text)))
        last_head = head
    if next_position < document.total:
        yield GAP


def passage_head(passage: Passage, style: PromptStyle) -> str:
    """Returns the headings above a passage as one heading, with the entry's date if it is one of a feed."""
    when = f"({format_published(passage.published_at, style)})" if passage.published_at else ""
    head = " ".join(filter(None, (passage.heading, when)))
    return f"## {head}" if head else ""


def format_published(moment: datetime, style: PromptStyle) -> str:
    """Formats a date as its reader expects it.

    A time in UTC is moved to the reader's zone; another zone is the publisher's own and stays. Midnight in UTC usually
    stands for a day without a time, which must not become the evening before.
    """
    if moment.utcoffset() == timedelta(0):
        if (moment.hour, moment.minute, moment.second) == (0, 0, 0):
            return format_date(moment.date(), style.language, weekday=True)
        moment = moment.astimezone(style.zone)
    return format_day_and_time(moment, style.language)
