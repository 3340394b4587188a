"""Makes the posted pages match an answer, one call after the other, until it is finished or its place is gone.

After each call it compares the posted pages with the wanted ones and makes the first call that differs. So it needs no
history: new words, failed calls and a killed process are all handled by the next comparison.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from bindings.delivery.context import DeliveryEnding, DeliveryOptions, DeliveryOutcome, EditInterval, RetryingCaller
from bindings.delivery.outlet import Gone, Outlet, Page, PostLedger, Refused, Throttled, Unreachable
from bindings.delivery.partial_answer import PartialAnswer, ProgressStatus, describe_status
from core.texts import text

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """The next call, and the earliest time for it."""

    act: Callable[[], Awaitable[None]]
    at: float = 0.0


class PageWriter:
    """Writes the pages of one answer. `build_final` returns them once the answer has ended."""

    def __init__(
        self,
        outlet: Outlet,
        ledger: PostLedger,
        options: DeliveryOptions,
        answer: PartialAnswer,
        build_final: Callable[[], tuple[Page, ...]],
    ) -> None:
        self._outlet = outlet
        self._ledger = ledger
        self._options = options
        self._answer = answer
        self._build_final = build_final
        self._final: tuple[Page, ...] | None = None
        self._rate_limit = options.context.rate_limit
        self._clock = self._rate_limit.clock
        self._edit_interval = EditInterval(self._clock)
        self._caller = RetryingCaller(options.context)
        # How each posted page looks; None: unknown, because an earlier process may have posted or edited it.
        self._posted: list[Page | None] = [None] * len(ledger.refs)
        self._maybe_posted = ledger.resumed  # the next page may be on the platform, but not in the ledger
        self._undeletable = False
        self._posts = self._edits = 0

    async def run(self) -> DeliveryOutcome:
        """Writes until the answer is finished. Raises StorageError if the ledger cannot store a post."""
        try:
            return self._outcome(await self._work())
        except Gone:
            return self._outcome("gone")
        except Refused as exc:
            log.warning("delivery_refused", answer=self._options.answer_id, problem=exc.message)
            return self._outcome("refused")

    def _outcome(self, ending: DeliveryEnding) -> DeliveryOutcome:
        return DeliveryOutcome(ending, self._answer.chars, self._edits, self._posts, self._answer.done)

    async def _work(self) -> DeliveryEnding:
        while True:
            self._answer.changed.clear()
            self._answer.plan_changed.clear()
            if self._gives_up():
                return "withdrawn" if self._withdrawn else "undelivered"
            if (at := self._idle_until()) > self._clock():
                await self._pause(at)
            elif planned := self._plan_next():
                await self._make(planned)
            elif self._answer.ending:
                return self._answer.ending
            else:
                await self._answer.changed.wait()

    @property
    def _withdrawn(self) -> bool:
        return self._answer.ending == "withdrawn"

    def _gives_up(self) -> bool:
        return self._answer.ended_at is not None and self._caller.gives_up(self._answer.ended_at)

    def _idle_until(self) -> float:
        """The earliest time of the next call, which shows all text that has arrived by then."""
        answer, limits, next_call_at = self._answer, self._outlet.limits, self._caller.next_call_at
        if answer.ending:
            return next_call_at
        if self._posted and self._posted[0]:
            return max(next_call_at, self._edit_interval.next_edit_at(limits.edit_interval_s))
        if answer.first_text_at is not None:
            return max(next_call_at, answer.first_text_at + limits.first_words_s)
        if answer.status:
            return max(next_call_at, answer.begun_at + self._options.context.status_after_s)
        return math.inf

    async def _pause(self, at: float) -> None:
        """Waits until then, or until an event changes the plan."""
        try:
            async with asyncio.timeout(at - self._clock()):
                await self._answer.plan_changed.wait()
        except TimeoutError:
            return

    async def _make(self, planned: PlannedCall) -> None:
        if planned.at > self._clock():
            await self._pause(planned.at)
            return
        try:
            await planned.act()
        except (Throttled, Unreachable):
            return  # the caller has set the time of the next call

    def _plan_next(self) -> PlannedCall | None:
        """The call for the first difference between the posted and the wanted pages."""
        if self._maybe_posted:
            return PlannedCall(self._find)
        if self._withdrawn:
            return self._plan_withdrawal()
        target_pages = self._build_target_pages()
        for number, page in enumerate(target_pages):
            if number == len(self._posted):
                return self._plan_post(page)
            if self._posted[number] != page:
                return self._plan_edit(number, page)
        if self._answer.ending and len(self._posted) > len(target_pages):
            return PlannedCall(self._delete_last)
        return None

    def _plan_withdrawal(self) -> PlannedCall | None:
        if self._posted and not self._undeletable:
            return PlannedCall(self._delete_last)
        for number, page in enumerate(self._posted):
            if page and not page.final:
                shown = page.text or text("delivery-stopped", self._options.language)
                return self._plan_edit(
                    number, replace(page, text=shown, status=None, final=True, is_notice=not page.text)
                )
        return None

    def _build_target_pages(self) -> tuple[Page, ...]:
        """The pages as they should look now."""
        answer = self._answer
        if answer.ending:
            self._final = self._final or self._build_final()
            return self._final
        texts = answer.pages.all() if answer.has_text else []
        if not texts:
            # A status does not replace the text that an earlier process posted; the progress of a job does.
            has_older_text = bool(self._posted) and self._posted[0] is None
            is_hidden = has_older_text and not isinstance(answer.status, ProgressStatus)
            return (self._open_page(""),) if answer.status and not is_hidden else ()
        language = self._options.language
        return (*(Page(text, language, final=True) for text in texts[:-1]), self._open_page(texts[-1]))

    def _open_page(self, text: str) -> Page:
        page = Page(text, self._options.language)
        if not self._answer.status:
            return page
        with_status = replace(page, status=describe_status(self._answer.status, page.language))
        return with_status if self._outlet.length(with_status) <= self._outlet.limits.page_chars else page

    def _plan_post(self, page: Page) -> PlannedCall:
        channel, interval_s = self._options.channel, self._outlet.limits.post_interval_s

        async def post() -> None:
            self._rate_limit.record_post(channel, interval_s)
            self._edit_interval.record_edit()
            self._maybe_posted = True
            try:
                nonce = self._options.nonce(len(self._posted) + 1)
                ref = await self._caller.call(lambda: self._outlet.post(page, nonce))
            except (Throttled, Gone, Refused):
                self._maybe_posted = False
                raise
            await self._record_post(ref, page)
            self._posts += 1

        return PlannedCall(post, self._rate_limit.next_post_at(channel))

    def _plan_edit(self, number: int, page: Page) -> PlannedCall:
        async def edit() -> None:
            self._edit_interval.record_edit()
            await self._caller.call(lambda: self._outlet.edit(self._ledger.refs[number], page))
            self._posted[number] = page
            self._edits += 1

        return PlannedCall(edit, self._edit_interval.next_edit_at(self._outlet.limits.edit_interval_s))

    async def _find(self) -> None:
        nonce = self._options.nonce(len(self._posted) + 1)
        try:
            ref = await self._caller.call(lambda: self._outlet.find(nonce))
        except Refused as exc:
            log.warning("post_lookup_failed", answer=self._options.answer_id, problem=exc.message)
            ref = None
        if ref is not None:
            await self._record_post(ref, None)
        self._maybe_posted = False

    async def _record_post(self, ref: str, page: Page | None) -> None:
        self._maybe_posted = False
        self._posted.append(page)
        await self._ledger.add(ref)

    async def _delete_last(self) -> None:
        ref = self._ledger.refs[-1]
        try:
            await self._caller.call(lambda: self._outlet.delete(ref))
        except Refused:
            if not self._withdrawn:
                raise
            self._undeletable = True
            return
        self._posted.pop()
        await self._ledger.remove(ref)
