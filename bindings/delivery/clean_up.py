"""Deletes pages that nobody needs: those of a refused form, of a longer version of the answer, of a deleted question.

A page that cannot be deleted becomes final instead, so that no dead button stays. Deletions are few and short: neither
the answer, nor the next one in the chat, nor the end of the process waits for a platform that does not delete.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from bindings.delivery.context import PASSING, DeliveryContext, DeliveryOptions, RetryingCaller
from bindings.delivery.ladder import Ladder
from bindings.delivery.outlet import Gone, Page, PostedPage, Refused
from core.texts import text

log = structlog.get_logger()

FAILURES_LIMIT = 4  # in a row
CALL_LIMIT_S = 5.0
WAIT_LIMIT_S = 30.0  # without a success


class CleanUp:
    """Removes the ledger's leftovers, one call at a time. `last_pages`: how they look, by ref, where that is known."""

    def __init__(self, ladder: Ladder, options: DeliveryOptions) -> None:
        self._ladder = ladder
        self._ledger = ladder.ledger
        self._options = options
        self._caller = RetryingCaller(limit_calls(options.context))
        self._clock = options.context.rate_limit.clock
        self._failures = 0
        self._failing_since: float | None = None
        self._has_given_up = False
        self.last_pages: dict[str, Page] = {}

    @property
    def pending(self) -> bool:
        return bool(self._ledger.leftovers) and not self._has_given_up

    @property
    def next_at(self) -> float:
        return self._caller.next_call_at

    async def remove_one(self, *, withdrawn: bool) -> None:
        """Removes a page, or records the failure. `withdrawn`: the question was deleted. Raises StorageError."""
        page = self._ledger.leftovers[0]
        try:
            await self._caller.call(lambda: self._remove(page, withdrawn=withdrawn))
        except PASSING:
            self._record_failure()
            return
        except (Gone, Refused) as exc:
            log.info("page_left", answer=self._options.answer_id, problem=exc.message)
        self._failures, self._failing_since = 0, None
        await self._ledger.forget_leftover(page)

    async def _remove(self, page: PostedPage, *, withdrawn: bool) -> None:
        outlet = self._ladder.outlet_of(page)
        try:
            await outlet.delete(page.ref)
        except Refused:
            if final := self._build_final(page, withdrawn=withdrawn):
                await outlet.edit(page.ref, final)

    def _build_final(self, page: PostedPage, *, withdrawn: bool) -> Page | None:
        """The final look of a page that cannot be deleted. None: it is final already."""
        language, known = self._options.language, self.last_pages.get(page.ref)
        if not withdrawn:
            return Page(text("delivery-replaced", language), language, final=True, is_notice=True)
        if known is None or not known.text:
            return Page(text("delivery-stopped", language), language, final=True, is_notice=True)
        return None if known.final else replace(known, status=None, final=True)

    def _record_failure(self) -> None:
        self._failures += 1
        self._failing_since = self._clock() if self._failing_since is None else self._failing_since
        waits_too_long = self._caller.next_call_at > self._failing_since + WAIT_LIMIT_S
        if self._failures >= FAILURES_LIMIT or waits_too_long:
            self._has_given_up = True
            log.warning("clean_up_failed", answer=self._options.answer_id, pages=len(self._ledger.leftovers))


def limit_calls(context: DeliveryContext) -> DeliveryContext:
    return replace(context, retry=replace(context.retry, call_limit_s=min(CALL_LIMIT_S, context.retry.call_limit_s)))
