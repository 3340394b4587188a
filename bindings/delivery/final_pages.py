"""The pages of a finished answer: text, note, sources, notice and footer. Pure, but for the outlet's measure.

A closing that does not fit below the last words moves to further pages; long lists of sources take several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bindings.delivery.context import DeliveryOptions
from bindings.delivery.outlet import DIRECT, Closing, Outlet, Page
from bindings.delivery.partial_answer import PartialAnswer
from bindings.delivery.splitting import PageSplitter
from core.contract import Language, Source
from core.rag.source_list import sources_to_list
from core.texts import error_text, masked_text, text

TITLE_CHARS = 100  # of a source that does not fit on a page in full
NOTICE_CLOSING = Closing(answer_id="", footer="")  # no AI text: neither buttons nor footer


def build_final_pages(answer: PartialAnswer, outlet: Outlet, options: DeliveryOptions) -> tuple[Page, ...]:
    """The answer with its closing. Without any text, the reason for that."""
    note = explain_incomplete(answer, options.language)
    notice = explain_place(outlet, options, answer)
    if not answer.has_text:
        closing = Closing(options.answer_id, footer="", notice=notice)
        return build_notice_pages(note or text("delivery-empty", options.language), outlet, options.language, closing)
    build_footer = options.labelled_footer if outlet.ai_label and options.labelled_footer else options.footer
    footer = build_footer(answer.done.model if answer.done else None)
    sources = {each.number: each for each in answer.sources}  # a repeated number replaces the earlier source
    listed = sources_to_list(sources.values(), answer.text)
    closing = Closing(options.answer_id, footer, note, notice, listed)
    return add_closing(answer.pages, closing, PageMeasure(outlet, options.language))


def build_notice_pages(
    notice: str, outlet: Outlet, language: Language, closing: Closing = NOTICE_CLOSING
) -> tuple[Page, ...]:
    """Text of ours, on as many pages as it needs."""
    measure = PageMeasure(outlet, language)
    pages = PageSplitter(measure.text, outlet.limits.page_chars)
    pages.add(notice)
    return tuple(replace(page, is_notice=True) for page in add_closing(pages, closing, measure))


def explain_incomplete(answer: PartialAnswer, language: Language) -> str | None:
    """The reason why the answer is incomplete. None: it is complete."""
    if answer.failure:
        reason = error_text(answer.failure, language)
        return text("delivery-interrupted", language, reason=reason) if answer.has_text else reason
    if answer.ending == "stopped":
        return text("delivery-stopped", language)
    return text("delivery-cut", language) if answer.truncated else None


def explain_place(outlet: Outlet, options: DeliveryOptions, answer: PartialAnswer) -> str | None:
    """The notice below the answer. It also says why the answer is a direct message, and what was taken out of the
    question.
    """
    direct = text("delivery-direct", options.language) if outlet.form == DIRECT else ""
    masked = masked_text(answer.masked, options.language) if answer.masked else ""
    return "\n".join(filter(None, (direct, masked, options.notice))) or None


class PageMeasure:
    """The length of pages in one language, as the outlet counts."""

    def __init__(self, outlet: Outlet, language: Language) -> None:
        self._outlet = outlet
        self._language = language
        self.limit = outlet.limits.page_chars

    def page(self, text: str, closing: Closing | None = None) -> Page:
        return Page(text, self._language, final=True, closing=closing)

    def text(self, text: str) -> int:
        return self._outlet.length(Page(text, self._language))

    def with_closing(self, text: str, closing: Closing) -> int:
        return self._outlet.length(self.page(text, closing))

    def fits(self, text: str, closing: Closing) -> bool:
        return self.with_closing(text, closing) <= self.limit


def add_closing(pages: PageSplitter, closing: Closing, measure: PageMeasure) -> tuple[Page, ...]:
    """The pages with the closing on the last one; at least one page."""
    texts = pages.all() or [""]
    if not measure.fits(texts[-1], closing) and measure.with_closing("", closing) * 2 <= measure.limit:
        texts = [*pages.settled, *pages.ending(lambda text: measure.with_closing(text, closing))]
    if not measure.fits(texts[-1], closing):
        texts = [*filter(None, texts), ""]
    *before, last = texts
    closings = [closing] if last else split_sources(closing, measure)
    return (*(measure.page(text) for text in before), *(measure.page(last, each) for each in closings))


def split_sources(closing: Closing, measure: PageMeasure) -> Iterator[Closing]:
    """The sources on as many pages as they need. The last page has our own lines, which are short."""
    pending: tuple[Source, ...] = ()
    for source in (shorten(each, measure) for each in closing.sources):
        if pending and not measure.fits("", sources_only(*pending, source)):
            yield sources_only(*pending)
            pending = ()
        pending = (*pending, source)
    if pending and not measure.fits("", replace(closing, sources=pending)):
        yield sources_only(*pending)
        pending = ()
    yield replace(closing, sources=pending)


def shorten(source: Source, measure: PageMeasure) -> Source:
    """The source itself if it fits on a page, else a part of its title without the URL."""
    fits = measure.fits("", sources_only(source))
    return source if fits else replace(source, title=source.title[:TITLE_CHARS], url=None)


def sources_only(*sources: Source) -> Closing:
    return Closing(answer_id="", footer="", sources=sources)
