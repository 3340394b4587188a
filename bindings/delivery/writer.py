"""Brings an outlet to show what a draft says, one call after the other, until it is whole or nobody is there to see it.

After each call it looks again at what stands and at what should stand, and does the first thing that differs. So what
happened before does not matter: words that came meanwhile, a call that failed, a process that was killed.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from bindings.delivery.draft import Draft
from bindings.delivery.line import Line
from bindings.delivery.manner import Ending, Manner, Outcome
from bindings.delivery.outlet import Gone, Ledger, Outlet, Page, Refused, Throttled, Unreachable
from bindings.delivery.pace import EditPace
from bindings.delivery.progress import Progress, words_of
from bindings.delivery.words import STOPPED

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Step:
    """The next call, and when it may be made."""

    act: Callable[[], Awaitable[None]]
    at: float = 0.0


class Writer:
    """Of one answer. `whole` gives its pages once the draft has ended."""

    def __init__(
        self, outlet: Outlet, ledger: Ledger, manner: Manner, draft: Draft, whole: Callable[[], tuple[Page, ...]]
    ) -> None:
        self._outlet = outlet
        self._ledger = ledger
        self._manner = manner
        self._draft = draft
        self._make_whole = whole
        self._whole: tuple[Page, ...] | None = None
        self._pace = manner.means.pace
        self._edit_pace = EditPace(self._pace.clock)
        self._line = Line(manner.means)
        # How each page looks; None: as a process left it that is gone, or perhaps.
        self._standing: list[Page | None] = [None] * len(ledger.refs)
        self._in_doubt = ledger.begun_before  # whether the next page was posted already
        self._undeletable = False
        self._posts = self._edits = 0

    async def run(self) -> Outcome:
        """Raises StorageError if what was posted cannot be written down."""
        try:
            return self._outcome(await self._work())
        except Gone:
            return self._outcome("gone")
        except Refused as exc:
            log.warning("delivery_refused", answer=self._manner.answer, error=exc.message)
            return self._outcome("refused")

    def _outcome(self, ending: Ending) -> Outcome:
        return Outcome(ending, self._draft.chars, self._edits, self._posts, self._draft.done)

    async def _work(self) -> Ending:
        while True:
            self._draft.changed.clear()
            self._draft.turned.clear()
            if self._gives_up():
                return "withdrawn" if self._withdrawn else "undelivered"
            if (at := self._quiet_until()) > self._pace.clock():
                await self._pause(at)
            elif step := self._next():
                await self._do(step)
            elif self._draft.ending:
                return self._draft.ending
            else:
                await self._draft.changed.wait()

    @property
    def _withdrawn(self) -> bool:
        return self._draft.ending == "withdrawn"

    def _gives_up(self) -> bool:
        return self._draft.ended_at is not None and self._line.gives_up(self._draft.ended_at)

    def _quiet_until(self) -> float:
        """Before that nothing is to be done: what comes until then is shown at once."""
        draft = self._draft
        if draft.ending:
            return self._line.free_at
        if self._standing and self._standing[0]:
            return max(self._line.free_at, self._edit_pace.edit_at(self._outlet.limits.edit_interval_s))
        if draft.words_at is not None:
            return max(self._line.free_at, draft.words_at + self._outlet.limits.first_words_s)
        if draft.status:
            return max(self._line.free_at, draft.begun_at + self._manner.means.status_after_s)
        return math.inf

    async def _pause(self, at: float) -> None:
        """Until then, or until something turns up that changes the plan."""
        try:
            async with asyncio.timeout(at - self._pace.clock()):
                await self._draft.turned.wait()
        except TimeoutError:
            return

    async def _do(self, step: Step) -> None:
        if step.at > self._pace.clock():
            await self._pause(step.at)
            return
        try:
            await step.act()
        except (Throttled, Unreachable):
            return  # the line says when to try again

    def _next(self) -> Step | None:
        """The first thing that differs between what stands and what should."""
        if self._in_doubt:
            return Step(self._find)
        if self._withdrawn:
            return self._next_withdrawal()
        target = self._target()
        for number, page in enumerate(target):
            if number == len(self._standing):
                return self._posting(page)
            if self._standing[number] != page:
                return self._editing(number, page)
        if self._draft.ending and len(self._standing) > len(target):
            return Step(self._delete_last)
        return None

    def _next_withdrawal(self) -> Step | None:
        if self._standing and not self._undeletable:
            return Step(self._delete_last)
        for number, page in enumerate(self._standing):
            if page and not page.final:
                text = page.text or STOPPED[self._manner.language]
                return self._editing(number, replace(page, text=text, status=None, final=True, ours=not page.text))
        return None

    def _target(self) -> tuple[Page, ...]:
        """How the pages should look now."""
        if self._draft.ending:
            self._whole = self._whole or self._make_whole()
            return self._whole
        texts = self._draft.pages.all() if self._draft.says_something else []
        if not texts:
            # What an earlier process wrote is more than a status.
            written_before = bool(self._standing) and self._standing[0] is None
            stands_back = written_before and not isinstance(self._draft.status, Progress)
            return (self._open_page(""),) if self._draft.status and not stands_back else ()
        language = self._manner.language
        return (*(Page(text, language, final=True) for text in texts[:-1]), self._open_page(texts[-1]))

    def _open_page(self, text: str) -> Page:
        page = Page(text, self._manner.language)
        if not self._draft.status:
            return page
        with_status = replace(page, status=words_of(self._draft.status, page.language))
        return with_status if self._outlet.length(with_status) <= self._outlet.limits.page_chars else page

    def _posting(self, page: Page) -> Step:
        channel, interval_s = self._manner.channel, self._outlet.limits.post_interval_s

        async def post() -> None:
            self._pace.posting(channel, interval_s)
            self._edit_pace.editing()
            self._in_doubt = True
            try:
                nonce = self._manner.nonce(len(self._standing) + 1)
                ref = await self._line.call(lambda: self._outlet.post(page, nonce))
            except (Throttled, Gone, Refused):
                self._in_doubt = False
                raise
            await self._stands(ref, page)
            self._posts += 1

        return Step(post, self._pace.post_at(channel))

    def _editing(self, number: int, page: Page) -> Step:
        async def edit() -> None:
            self._edit_pace.editing()
            await self._line.call(lambda: self._outlet.edit(self._ledger.refs[number], page))
            self._standing[number] = page
            self._edits += 1

        return Step(edit, self._edit_pace.edit_at(self._outlet.limits.edit_interval_s))

    async def _find(self) -> None:
        nonce = self._manner.nonce(len(self._standing) + 1)
        try:
            ref = await self._line.call(lambda: self._outlet.find(nonce))
        except Refused as exc:
            log.warning("lost_post_not_found", answer=self._manner.answer, error=exc.message)
            ref = None
        if ref is not None:
            await self._stands(ref, None)
        self._in_doubt = False

    async def _stands(self, ref: str, page: Page | None) -> None:
        self._in_doubt = False
        self._standing.append(page)
        await self._ledger.posted(ref)

    async def _delete_last(self) -> None:
        ref = self._ledger.refs[-1]
        try:
            await self._line.call(lambda: self._outlet.delete(ref))
        except Refused:
            if not self._withdrawn:
                raise
            self._undeletable = True
            return
        self._standing.pop()
        await self._ledger.removed(ref)
