"""Makes the posted pages match an answer, one call after the other, until it is finished or no form of it is accepted.

After each call it compares the posted pages with the wanted ones and makes the first call that differs. So it needs no
history: new words, failed calls, a plainer form and a killed process are all handled by the next comparison.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from bindings.delivery.clean_up import WAIT_LIMIT_S, CleanUp
from bindings.delivery.context import (
    PASSING,
    DeliveryEnding,
    DeliveryOptions,
    DeliveryOutcome,
    EditInterval,
    RetryingCaller,
)
from bindings.delivery.final_pages import PageMeasure
from bindings.delivery.ladder import Ladder
from bindings.delivery.outlet import (
    CredentialsRefused,
    DeliveryError,
    Gone,
    OutcomeUnknown,
    Outlet,
    Page,
    Refused,
    Throttled,
    Unreachable,
    Unsent,
)
from bindings.delivery.partial_answer import PartialAnswer, ProgressStatus, describe_status
from bindings.delivery.refusal import RefusalNotice

log = structlog.get_logger()

COPIES_LIMIT = 2  # of a post with unknown outcome, where the platform cannot look it up


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """The next call, and the earliest time for it."""

    act: Callable[[], Awaitable[None]]
    at: float = 0.0


class PageWriter:
    """Writes the pages of one answer. `build_final` returns them once the answer has ended."""

    def __init__(
        self,
        ladder: Ladder,
        options: DeliveryOptions,
        answer: PartialAnswer,
        build_final: Callable[[Outlet], tuple[Page, ...]],
    ) -> None:
        self._ladder = ladder
        self._ledger = ladder.ledger
        self._options = options
        self._answer = answer
        self._build_final = build_final
        self._final: tuple[Page, ...] | None = None
        self._rate_limit = options.context.rate_limit
        self._clock = self._rate_limit.clock
        self._edit_interval = EditInterval(self._clock)
        self._caller = RetryingCaller(options.context)
        self._clean_up = CleanUp(ladder, options)
        # How each posted page looks; None: unknown, because an earlier process may have posted or edited it.
        self._posted: list[Page | None] = [None] * len(self._ledger.refs)
        self._maybe_posted = self._ledger.resumed  # the next page may be on the platform, but not in the ledger
        self._can_find = True  # whether a post was made, so far
        self._unknown_posts = 0  # of the next page
        self._posts = self._edits = 0

    async def run(self) -> DeliveryOutcome:
        """Writes until the answer is finished. Raises StorageError if the ledger cannot store a post."""
        while True:
            try:
                return self._outcome(await self._work())
            except (Gone, Refused) as exc:
                if self._withdrawn:
                    return self._outcome("withdrawn")
                if not await self._take_plainer_form(exc):
                    return await self._end_refused(exc)

    def _outcome(self, ending: DeliveryEnding, reason: str | None = None) -> DeliveryOutcome:
        reason = self._answer.failure.code if ending == "failed" and self._answer.failure else reason
        return DeliveryOutcome(ending, self._answer.chars, self._edits, self._posts, self._answer.done, reason)

    # ------------------------------------------------------------ the ladder

    @property
    def _outlet(self) -> Outlet:
        return self._ladder.outlet

    async def _take_plainer_form(self, error: DeliveryError) -> bool:
        """Goes on in the next form. The text that was generated so far is split anew for it. False: there is none."""
        form, refs = self._outlet.form, tuple(self._ledger.refs)
        if not await self._ladder.descend(error):
            return False
        log.info("delivery_plainer", answer=self._options.answer_id, form=self._outlet.form, problem=error.message)
        if self._outlet.form != form:
            self._keep_last_pages(refs)
            self._posted, self._maybe_posted = [], False
        self._can_find, self._unknown_posts, self._final = True, 0, None
        measure = PageMeasure(self._outlet, self._options.language)
        self._answer.split_anew(measure.text, measure.limit)
        return True

    def _keep_last_pages(self, refs: tuple[str, ...]) -> None:
        """Lets the clean-up know how the pages look."""
        self._clean_up.last_pages |= {ref: page for ref, page in zip(refs, self._posted, strict=True) if page}

    async def _end_refused(self, error: DeliveryError) -> DeliveryOutcome:
        """Ends the delivery at the end of the ladder."""
        first = self._ladder.refusals[0]
        if isinstance(error, Gone) and first is error and not self._ledger.form:
            log.info("delivery_gone", answer=self._options.answer_id, problem=error.message)
            return self._outcome("gone", error.message)
        log.warning("delivery_refused", answer=self._options.answer_id, problem=first.message, last=error.message)
        for ref in tuple(self._ledger.refs):
            await self._ledger.discard(ref)
        if not isinstance(error, OutcomeUnknown):  # the answer probably stands, even twice
            await RefusalNotice(self._ladder, self._options).show()
        await self._clean_up_all()
        return self._outcome("refused", first.message)

    async def _clean_up_all(self) -> None:
        while self._clean_up.pending:
            await asyncio.sleep(max(0.0, self._clean_up.next_at - self._clock()))
            await self._clean_up.remove_one(withdrawn=self._withdrawn)

    # ------------------------------------------------------------ the next call

    async def _work(self) -> DeliveryEnding:
        while True:
            self._answer.changed.clear()
            self._answer.plan_changed.clear()
            if self._gives_up():
                return "undelivered"
            if self._cleans_up and self._clean_up.next_at <= self._clock():
                await self._clean_up.remove_one(withdrawn=self._withdrawn)
            elif (at := self._idle_until()) > self._clock():
                await self._pause(at)
            elif planned := self._plan_next():
                await self._make(planned)
            elif self._cleans_up:
                await self._wait(self._answer.changed, self._clean_up.next_at)
            elif self._answer.ending:
                return self._answer.ending
            else:
                await self._answer.changed.wait()

    @property
    def _withdrawn(self) -> bool:
        return self._answer.ending == "withdrawn"

    @property
    def _cleans_up(self) -> bool:
        """True if pages are to be removed, now that others stand in their place."""
        return self._clean_up.pending and (bool(self._posted) or self._withdrawn)

    def _gives_up(self) -> bool:
        if self._answer.ended_at is None:
            return False
        return not self._withdrawn and self._caller.gives_up(self._answer.ended_at)

    def _idle_until(self) -> float:
        """The earliest time of the next call, which shows all text that has arrived by then."""
        answer, limits, next_call_at = self._answer, self._outlet.limits, self._caller.next_call_at
        if self._withdrawn and not self._must_find:
            return 0.0  # only the clean-up makes calls, at its own times
        if answer.ending:
            return next_call_at
        if self._posted and self._posted[0]:
            return max(next_call_at, self._edit_interval.next_edit_at(limits.edit_interval_s))
        if answer.first_text_at is not None:
            return max(next_call_at, answer.first_text_at + limits.first_words_s)
        if answer.status:
            context = self._options.context
            delay_s = context.loading_after_s if answer.status.state == "loading" else context.status_after_s
            return max(next_call_at, answer.begun_at + delay_s)
        return math.inf

    async def _pause(self, at: float) -> None:
        """Waits until then, or until an event changes the plan."""
        await self._wait(self._answer.plan_changed, min(at, self._clean_up.next_at) if self._cleans_up else at)

    async def _wait(self, event: asyncio.Event, until: float) -> None:
        try:
            async with asyncio.timeout(until - self._clock()):
                await event.wait()
        except TimeoutError:
            return

    async def _make(self, planned: PlannedCall) -> None:
        if planned.at > self._clock():
            await self._pause(planned.at)
            return
        try:
            await planned.act()
        except PASSING:
            return  # the caller has set the time of the next call

    def _plan_next(self) -> PlannedCall | None:
        """The call for the first difference between the posted and the wanted pages."""
        if self._must_find:
            return PlannedCall(self._find)
        if self._withdrawn:
            return PlannedCall(self._discard_last) if self._posted else None
        target_pages = self._build_target_pages()
        for number, page in enumerate(target_pages):
            if number == len(self._posted):
                return None if self._waits_for_end(page) else self._plan_post(page)
            if self._posted[number] != page:
                return self._plan_edit(number, page)
        if self._answer.ending and len(self._posted) > len(target_pages):
            return PlannedCall(self._discard_last)
        return None

    def _waits_for_end(self, page: Page) -> bool:
        """True if a page is posted only when it is final: it cannot be edited, or it is the last copy that may stand.

        The last copy of a post with unknown outcome may have to stand as it is.
        """
        is_last_copy = self._unknown_posts > 0 and not (self._can_find and self._outlet.can_find)
        return not page.final and (is_last_copy or not self._outlet.can_edit)

    @property
    def _must_find(self) -> bool:
        """True if a post may exist that the ledger lacks. A deleted question does not wait long for the platform."""
        ended_at = self._answer.ended_at
        is_late = ended_at is not None and self._caller.next_call_at > ended_at + WAIT_LIMIT_S
        return self._maybe_posted and not (self._withdrawn and is_late)

    def _build_target_pages(self) -> tuple[Page, ...]:
        """The pages as they should look now."""
        answer = self._answer
        if answer.ending:
            self._final = self._final or self._build_final(self._outlet)
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
                ref = await self._caller.call(lambda: self._outlet.post(page, self._next_nonce))
            except (Throttled, Unsent, CredentialsRefused, Gone, Refused):
                self._maybe_posted = False
                raise
            except Unreachable:
                self._count_unknown_post()
                raise
            await self._record_post(ref, page)
            self._posts += 1

        return PlannedCall(post, self._rate_limit.next_post_at(channel))

    @property
    def _next_nonce(self) -> str:
        return self._options.nonce(len(self._posted) + 1, self._outlet.form)

    def _count_unknown_post(self) -> None:
        """Raises Refused instead of posting a third time where the platform cannot look a post up."""
        self._unknown_posts += 1
        if self._unknown_posts >= COPIES_LIMIT and not (self._can_find and self._outlet.can_find):
            self._maybe_posted = False
            log.warning("post_outcome_unknown", answer=self._options.answer_id, posts=self._unknown_posts)
            raise OutcomeUnknown(f"the outcome of {self._unknown_posts} posts is unknown, and they cannot be looked up")

    def _plan_edit(self, number: int, page: Page) -> PlannedCall:
        async def edit() -> None:
            self._edit_interval.record_edit()
            await self._caller.call(lambda: self._outlet.edit(self._ledger.refs[number], page))
            self._posted[number] = page
            self._edits += 1

        return PlannedCall(edit, self._edit_interval.next_edit_at(self._outlet.limits.edit_interval_s))

    async def _find(self) -> None:
        nonce = self._next_nonce
        try:
            ref = await self._caller.call(lambda: self._outlet.find(nonce))
        except (Refused, Gone) as exc:
            log.warning("post_lookup_failed", answer=self._options.answer_id, problem=exc.message)
            ref, self._can_find = None, False
        # A lookup by position finds a known page again if an earlier one stands twice. Deleting it would lose text.
        if ref is not None and ref not in self._ledger.refs:
            await self._record_post(ref, None)
        self._maybe_posted = False

    async def _record_post(self, ref: str, page: Page | None) -> None:
        self._maybe_posted, self._unknown_posts = False, 0
        self._posted.append(page)
        await self._ledger.add(ref)

    async def _discard_last(self) -> None:
        """Leaves the last page to the clean-up."""
        ref, page = self._ledger.refs[-1], self._posted.pop()
        self._clean_up.last_pages |= {ref: page} if page else {}
        await self._ledger.discard(ref)
