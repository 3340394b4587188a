"""The end of the ladder: tells the person that no form of the answer was accepted, if a short notice is."""

from __future__ import annotations

import structlog

from bindings.delivery.context import PASSING, DeliveryOptions, RetryingCaller
from bindings.delivery.final_pages import build_notice_pages
from bindings.delivery.ladder import Ladder
from bindings.delivery.outlet import Gone, Outlet, Page, PostedPage, Refused
from core.texts import text

log = structlog.get_logger()

NONCE = "refused"


class RefusalNotice:
    """Makes one attempt in each place: a page that was posted becomes the notice, else the notice is a new message."""

    def __init__(self, ladder: Ladder, options: DeliveryOptions) -> None:
        self._ladder = ladder
        self._options = options
        self._caller = RetryingCaller(options.context)

    async def show(self) -> None:
        """Raises StorageError."""
        for page in tuple(self._ladder.ledger.leftovers):
            if await self._edit(page):
                await self._ladder.ledger.forget_leftover(page)
                return
        for outlet in self._ladder.tried:
            if await self._post(outlet):
                return
        log.info("refusal_notice_refused", answer=self._options.answer_id)

    async def _edit(self, page: PostedPage) -> bool:
        outlet = self._ladder.outlet_of(page)
        try:
            await self._caller.call(lambda: outlet.edit(page.ref, self._build_page(outlet)))
        except (*PASSING, Gone, Refused):
            return False
        return True

    async def _post(self, outlet: Outlet) -> bool:
        nonce = self._options.nonce(NONCE, outlet.form)
        try:
            if self._ladder.ledger.resumed and await self._caller.call(lambda: outlet.find(nonce)) is not None:
                return True
            await self._caller.call(lambda: outlet.post(self._build_page(outlet), nonce))
        except (*PASSING, Gone, Refused):
            return False
        return True

    def _build_page(self, outlet: Outlet) -> Page:
        return build_notice_pages(text("delivery-refused", self._options.language), outlet, self._options.language)[0]
