"""The ladder of one delivery: from the richest form of an answer down to the plainest, one step after each refusal.

What comes next is the outlet's decision, by what the platform said. The ledger stores the form, so that the next
process continues in it.
"""

from __future__ import annotations

from bindings.delivery.outlet import DeliveryError, Outlet, PostedPage, PostLedger

FORMS_LIMIT = 8  # of one delivery, also for an outlet that never ends its ladder


class Ladder:
    """`outlet` posts now. `refusals` are the errors that led to it, in order."""

    def __init__(self, richest: Outlet, ledger: PostLedger) -> None:
        self.ledger = ledger
        self.outlet = richest.in_form(ledger.form)
        self.refusals: list[DeliveryError] = []
        self.tried = [richest] if self.outlet is richest else [richest, self.outlet]
        self._richest = richest

    async def descend(self, error: DeliveryError) -> bool:
        """Takes the next form. False: there is none. Raises StorageError."""
        self.refusals.append(error)
        plainer = self.outlet.plainer(error) if len(self.refusals) < FORMS_LIMIT else None
        if plainer is None:
            return False
        if plainer.form != self.outlet.form:
            await self.ledger.change_form(plainer.form)
        self.outlet = plainer
        self.tried.append(plainer)
        return True

    def outlet_of(self, page: PostedPage) -> Outlet:
        """The outlet that can edit and delete a page."""
        return self.outlet if page.form == self.outlet.form else self._richest.in_form(page.form)
