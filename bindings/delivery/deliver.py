"""Delivery: an event stream, a notice or a file, to one place of a platform, exactly once and whole.

Knows no platform and no database: an `Outlet` says what can be done, a `Ledger` remembers what was. Every function may
be called again with the same ledger after a crash, and then brings to its end what was begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from bindings.delivery.draft import Draft, gather
from bindings.delivery.finishing import Measure, notice, whole
from bindings.delivery.line import Line
from bindings.delivery.manner import Manner, Outcome
from bindings.delivery.outlet import Ledger, Outlet, Page, Upload
from bindings.delivery.writer import Writer
from core.contract import Event
from core.errors import StorageError


async def deliver(events: AsyncGenerator[Event, None], outlet: Outlet, ledger: Ledger, manner: Manner) -> Outcome:
    """Show an answer while it is written, and finish it. Events are read at once, however slow the platform is.

    They are closed when this returns, at the latest. Raises StorageError of the ledger; failures of the engine and of
    the platform are outcomes.
    """
    draft = draft_of(outlet, manner)
    writer = Writer(outlet, ledger, manner, draft, lambda: whole(draft, outlet, manner))
    failure: StorageError | None = None
    async with asyncio.TaskGroup() as group:
        gathering = group.create_task(gather(events, draft))
        watching = [
            group.create_task(end_when(manner.stop, lambda: draft.end("stopped"), gathering)),
            group.create_task(end_when(manner.withdrawn, lambda: draft.end("withdrawn"), gathering)),
        ]
        try:
            outcome = await writer.run()
        except StorageError as exc:
            failure = exc
        for task in (gathering, *watching):
            task.cancel()
    if failure:
        raise failure
    return outcome


def draft_of(outlet: Outlet, manner: Manner) -> Draft:
    return Draft(manner, Measure(outlet, manner.language).text, outlet.limits.page_chars)


async def end_when(wanted: asyncio.Event, end: Callable[[], None], gathering: asyncio.Task[None]) -> None:
    """Cancelling the task closes the events, which frees the model's slot."""
    await wanted.wait()
    end()
    gathering.cancel()


async def tell(text: str, outlet: Outlet, ledger: Ledger, manner: Manner) -> Outcome:
    """One notice, in final pages. Raises StorageError."""
    draft = draft_of(outlet, manner)
    draft.end("withdrawn" if manner.withdrawn.is_set() else "delivered")

    def pages() -> tuple[Page, ...]:
        return notice(text, outlet, manner.language)

    return await Writer(outlet, ledger, manner, draft, pages).run()


async def uploaded(upload: Upload, outlet: Outlet, ledger: Ledger, manner: Manner) -> bool:
    """A file, once. False: files cannot be sent there. Raises Gone, Refused; Throttled or Unreachable in the end."""
    line = Line(manner.means)
    nonce = f"{manner.answer}-file"
    in_doubt = ledger.begun_before

    async def send() -> bool:
        nonlocal in_doubt
        if in_doubt and await line.call(lambda: outlet.find(nonce)) is not None:
            return True
        in_doubt = True
        return await line.call(lambda: outlet.upload(upload, nonce))

    return await line.insist(send)
