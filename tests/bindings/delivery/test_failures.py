"""bindings.delivery.deliver: a platform that throttles, breaks off, refuses or stays down."""

from __future__ import annotations

import asyncio
import math

import pytest
from structlog.testing import capture_logs

from bindings.delivery.context import DeliveryOutcome, PlatformHealth
from bindings.delivery.deliver import deliver
from bindings.delivery.outlet import Refused, Throttled, Unreachable
from core.contract import Text
from core.errors import StorageError
from tests.bindings.delivery.support_stories import (
    DONE,
    Answer,
    build_options,
    delivered,
    text_of,
    troubles,
    words,
)
from tests.bindings.support_fakes import FakeLedger, FakeOutlet, Trouble, clock, run


def test_a_refusal_ends_it_with_one_line() -> None:
    """The line says what to click, and nothing of the answer."""
    outlet, answer = FakeOutlet(trouble=troubles(Refused("add the scope chat:write"))), Answer(*words(1000))
    with capture_logs() as logs:
        outcome = run(deliver(answer.events(), outlet, FakeLedger(), build_options()))

    assert ("refused", True, 1) == (outcome.ending, answer.closed, len(outlet.calls))
    assert [("delivery_refused", "add the scope chat:write")] == [(line["event"], line["error"]) for line in logs]


def test_a_mistake_of_the_adapter_is_a_refusal() -> None:
    """It ends this answer, not the process, and is logged with where it came from."""
    outlet = FakeOutlet(trouble=troubles(KeyError("blocks")))
    with capture_logs() as logs:
        outcome = run(delivered(Text("Hello"), DONE, outlet=outlet))

    assert "refused" == outcome.ending
    assert ["outlet_failed", "delivery_refused"] == [line["event"] for line in logs]


def test_retry_after_is_honoured() -> None:
    """No call is made meanwhile, and the words that came by then are shown at once."""
    outlet = FakeOutlet(trouble=troubles(None, Throttled("slowly", retry_after_s=30.0)))
    run(delivered(*words(60), DONE, outlet=outlet))
    times = [call.at for call in outlet.calls]

    assert ["post", "edit", "edit"] == [call.name for call in outlet.calls]
    assert times[2] - times[1] >= 30.0
    assert text_of(60) == outlet.shown[0].text


@pytest.mark.parametrize("retry_after_s", [None, 0.0, -1.0, math.nan])
def test_a_retry_after_of_nothing_is_no_storm(retry_after_s: float | None) -> None:
    """There is a pause of our own."""
    outlet = FakeOutlet(trouble=troubles(*[Throttled("slowly", retry_after_s=retry_after_s)] * 6))
    run(delivered(Text("Hello"), DONE, outlet=outlet))

    assert 7 == len(outlet.calls)
    assert outlet.calls[-1].at - outlet.calls[0].at >= 0.5 + 1 + 2 + 4 + 8 + 16


def test_a_post_whose_outcome_is_unknown_is_looked_for() -> None:
    """It was made, so it is edited and not made again."""
    outlet, ledger = FakeOutlet(trouble=troubles(Unreachable("reset"), done=True)), FakeLedger()
    run(delivered(Text("Hello"), DONE, outlet=outlet, ledger=ledger))

    assert ["post", "find", "edit"] == [call.name for call in outlet.calls]
    assert (["m1"], ["Hello"]) == (ledger.refs, [page.text for page in outlet.shown])


def test_a_post_that_was_not_made_is_made_again() -> None:
    """Under the same nonce."""
    outlet = FakeOutlet(trouble=troubles(Unreachable("reset"), Unreachable("find: reset")))
    run(delivered(Text("Hello"), DONE, outlet=outlet))

    assert ["post", "find", "find", "post"] == [call.name for call in outlet.calls]
    assert {"a1-1"} == {call.nonce for call in outlet.calls}


def test_a_platform_that_cannot_look_for_posts_gets_the_answer_all_the_same() -> None:
    """Rather twice than never."""
    outlet = FakeOutlet(trouble=troubles(Unreachable("reset"), Refused("no scope for history")))
    with capture_logs() as logs:
        outcome = run(delivered(Text("Hello"), DONE, outlet=outlet))

    assert "delivered" == outcome.ending
    assert ["post_lookup_failed"] == [line["event"] for line in logs]


def test_a_call_that_hangs_has_an_end() -> None:
    """It counts as one whose outcome is unknown."""
    outlet = FakeOutlet(took_s=1_000_000.0)

    async def story() -> DeliveryOutcome:
        async with asyncio.TaskGroup() as group:
            delivery = group.create_task(delivered(Text("Hello"), DONE, outlet=outlet))
            await asyncio.sleep(30.0)
            outlet.took_s = 0.0
        return delivery.result()

    assert "delivered" == run(story()).ending
    assert ["post", "find", "post"] == [call.name for call in outlet.calls]
    assert 60.0 <= outlet.calls[1].at - outlet.calls[0].at <= 61.0


def test_a_platform_that_stays_down_is_left_for_later() -> None:
    """After ten minutes without a success, with few calls and one line."""
    outlet = FakeOutlet(trouble=iter(lambda: Trouble(Unreachable("503")), None))
    with capture_logs() as logs:

        async def story() -> tuple[DeliveryOutcome, float]:
            begun_at = clock()
            return await delivered(Text("Hello"), DONE, outlet=outlet, options=build_options()), clock() - begun_at

        outcome, took_s = run(story())

    assert "undelivered" == outcome.ending
    assert 500.0 < took_s <= 600.0
    assert len(outlet.calls) < 40
    assert not any(line["event"] == "delivery_refused" for line in logs)


def test_an_outage_while_words_come_ends_nothing() -> None:
    """They are shown when the platform is back; the operator is told when it begins and when it is over."""
    down = [Unreachable("503")] * 30
    outlet = FakeOutlet(trouble=troubles(None, *down))

    async def story() -> DeliveryOutcome:
        options = build_options(context={"health": PlatformHealth(clock=clock)})
        return await delivered(*words(200, every_s=10.0), DONE, outlet=outlet, options=options)

    with capture_logs() as logs:
        outcome = run(story())

    assert "delivered" == outcome.ending
    assert ["platform_failed", "platform_recovered"] == [line["event"] for line in logs]
    assert text_of(200) == " ".join(page.text for page in outlet.shown)


def test_a_full_disk_is_the_callers_to_know() -> None:
    """What was posted could not be written down: the error reaches who asked, and the model is free."""
    answer, ledger = Answer(*words(1000)), FakeLedger(failure=StorageError("disk full"))
    with pytest.raises(StorageError):
        run(deliver(answer.events(), FakeOutlet(), ledger, build_options()))

    assert answer.closed
