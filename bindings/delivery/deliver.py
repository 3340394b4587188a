"""The entry of delivery: an event stream, a notice or a file goes to one place, exactly once and complete.

Knows no platform and no database: an `Outlet` posts, a `PostLedger` remembers. After a crash, call a function again
with the same ledger: it finishes the delivery that an earlier process began.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from bindings.delivery.context import DeliveryOptions, DeliveryOutcome, RetryingCaller
from bindings.delivery.final_pages import PageMeasure, build_final_pages, build_notice_pages
from bindings.delivery.ladder import FORMS_LIMIT, Ladder
from bindings.delivery.outlet import Gone, Outlet, Page, PostLedger, Upload
from bindings.delivery.page_writer import PageWriter
from bindings.delivery.partial_answer import PartialAnswer, collect_events
from core.contract import Event
from core.errors import StorageError


async def deliver(
    events: AsyncGenerator[Event, None], outlet: Outlet, ledger: PostLedger, options: DeliveryOptions
) -> DeliveryOutcome:
    """Shows an answer while it grows, and finishes it. A slow platform does not delay the reading of events.

    The events are closed when this returns, at the latest. Raises StorageError of the ledger; failures of the engine
    and of the platform are outcomes.
    """
    ladder = Ladder(outlet, ledger)
    answer = start_answer(ladder.outlet, options)
    writer = PageWriter(ladder, options, answer, lambda current: build_final_pages(answer, current, options))
    failure: StorageError | None = None
    async with asyncio.TaskGroup() as group:
        collecting = group.create_task(collect_events(events, answer))
        watching = [
            group.create_task(end_on(options.stop, lambda: answer.end("stopped"), collecting)),
            group.create_task(end_on(options.withdrawn, lambda: answer.end("withdrawn"), collecting)),
        ]
        try:
            outcome = await writer.run()
        except StorageError as exc:
            failure = exc
        for task in (collecting, *watching):
            task.cancel()
    if failure:
        raise failure
    return outcome


def start_answer(outlet: Outlet, options: DeliveryOptions) -> PartialAnswer:
    return PartialAnswer(options, PageMeasure(outlet, options.language).text, outlet.limits.page_chars)


async def end_on(stop_request: asyncio.Event, end: Callable[[], None], collecting: asyncio.Task[None]) -> None:
    """Ends the answer when the event is set. Cancelling the task closes the events and frees the model's slot."""
    await stop_request.wait()
    end()
    collecting.cancel()


async def deliver_notice(text: str, outlet: Outlet, ledger: PostLedger, options: DeliveryOptions) -> DeliveryOutcome:
    """Posts a notice in final pages. Raises StorageError."""
    ladder = Ladder(outlet, ledger)
    answer = start_answer(ladder.outlet, options)
    answer.end("withdrawn" if options.withdrawn.is_set() else "delivered")

    def pages(current: Outlet) -> tuple[Page, ...]:
        return build_notice_pages(text, current, options.language)

    return await PageWriter(ladder, options, answer, pages).run()


async def deliver_file(upload: Upload, outlet: Outlet, ledger: PostLedger, options: DeliveryOptions) -> bool:
    """Sends a file once, in a plainer form if its place is gone. False: files cannot be sent there.

    Raises Gone, Refused (the caller shows the content as text), and the other errors once the retry policy gives up.
    """
    current = outlet.in_form(ledger.form)
    for _ in range(FORMS_LIMIT):
        try:
            return await send_file(upload, current, ledger, options)
        except Gone as exc:
            if (plainer := current.plainer(exc)) is None:
                raise
            current = plainer
    return False


async def send_file(upload: Upload, outlet: Outlet, ledger: PostLedger, options: DeliveryOptions) -> bool:
    caller = RetryingCaller(options.context)
    nonce = options.nonce("file", outlet.form)
    maybe_sent = ledger.resumed

    async def send() -> bool:
        nonlocal maybe_sent
        if maybe_sent and await caller.call(lambda: outlet.find(nonce)) is not None:
            return True
        maybe_sent = True
        return await caller.call(lambda: outlet.upload(upload, nonce))

    return await caller.call_until_done(send)
