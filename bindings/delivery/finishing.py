"""The pages of an answer that is whole: its text, and what stands under it. Pure, but for the outlet's measure.

What does not fit under the last words moves to further pages, and long lists of sources over several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bindings.delivery.draft import Draft
from bindings.delivery.manner import Manner
from bindings.delivery.outlet import Closing, Outlet, Page
from bindings.delivery.splitting import Pages
from bindings.delivery.words import BREAKS_OFF, CUT, EMPTY, STOPPED
from core.contract import Language, Source
from core.texts import error_text

TITLE_CHARS = 100  # of a source that would not fit on a page as it is


OURS = Closing(answer="", footer="")  # nothing that an AI wrote


def whole(draft: Draft, outlet: Outlet, manner: Manner) -> tuple[Page, ...]:
    """The answer with its closing, or instead of an answer the reason why there is none."""
    note = note_of(draft, manner.language)
    if not draft.says_something:
        closing = Closing(manner.answer, footer="", notice=manner.notice)
        return notice(note or EMPTY[manner.language], outlet, manner.language, closing)
    footer = manner.footer(draft.done.model if draft.done else None)
    closing = Closing(manner.answer, footer, note, manner.notice, tuple(draft.sources))
    return closed(draft.pages, closing, Measure(outlet, manner.language))


def notice(text: str, outlet: Outlet, language: Language, closing: Closing = OURS) -> tuple[Page, ...]:
    """Words of ours, on as many pages as they take."""
    measure = Measure(outlet, language)
    pages = Pages(measure.text, outlet.limits.page_chars)
    pages.add(text)
    return tuple(replace(page, ours=True) for page in closed(pages, closing, measure))


def note_of(draft: Draft, language: Language) -> str | None:
    """Why the answer is not whole; None if it is."""
    if draft.failure:
        reason = error_text(draft.failure, language)
        return BREAKS_OFF[language].format(reason=reason) if draft.says_something else reason
    if draft.ending == "stopped":
        return STOPPED[language]
    return CUT[language] if draft.cut else None


class Measure:
    """Of pages in one language, as the outlet counts."""

    def __init__(self, outlet: Outlet, language: Language) -> None:
        self._outlet = outlet
        self._language = language
        self.limit = outlet.limits.page_chars

    def page(self, text: str, closing: Closing | None = None) -> Page:
        return Page(text, self._language, final=True, closing=closing)

    def text(self, text: str) -> int:
        return self._outlet.length(Page(text, self._language))

    def closed(self, text: str, closing: Closing) -> int:
        return self._outlet.length(self.page(text, closing))

    def fits(self, text: str, closing: Closing) -> bool:
        return self.closed(text, closing) <= self.limit


def closed(pages: Pages, closing: Closing | None, measure: Measure) -> tuple[Page, ...]:
    """At least one page, the last of which has the closing."""
    if closing is None:
        return tuple(measure.page(text) for text in pages.all())
    texts = pages.all() or [""]
    if not measure.fits(texts[-1], closing) and measure.closed("", closing) * 2 <= measure.limit:
        texts = [*pages.settled, *pages.ending(lambda text: measure.closed(text, closing))]
    if not measure.fits(texts[-1], closing):
        texts = [*filter(None, texts), ""]
    *before, last = texts
    closings = [closing] if last else spread(closing, measure)
    return (*(measure.page(text) for text in before), *(measure.page(last, each) for each in closings))


def spread(closing: Closing, measure: Measure) -> Iterator[Closing]:
    """The sources on as many pages as they take. What is ours is short, and on the last one."""
    held: tuple[Source, ...] = ()
    for each in closing.sources:
        source = (
            each if measure.fits("", sources_alone(each)) else replace(each, title=each.title[:TITLE_CHARS], url=None)
        )
        if held and not measure.fits("", sources_alone(*held, source)):
            yield sources_alone(*held)
            held = ()
        held = (*held, source)
    if held and not measure.fits("", replace(closing, sources=held)):
        yield sources_alone(*held)
        held = ()
    yield replace(closing, sources=held)


def sources_alone(*sources: Source) -> Closing:
    return Closing(answer="", footer="", sources=sources)
