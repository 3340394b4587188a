"""bindings.delivery.deliver: a platform that throttles, disconnects, refuses or stays down."""

from __future__ import annotations

import asyncio
import math

import pytest
from structlog.testing import capture_logs

from bindings.delivery.context import DeliveryOutcome, PlatformHealth
from bindings.delivery.deliver import deliver
from bindings.delivery.outlet import CredentialsRefused, Refused, Throttled, Unreachable
from core.contract import Text
from core.errors import StorageError
from core.texts import text
from tests.bindings.delivery.support_deliveries import (
    DONE,
    ScriptedEngine,
    build_options,
    deliver_steps,
    failures,
    joined_words,
    withdraw_after,
    word_steps,
)
from tests.bindings.support_fakes import CallFailure, FakeLedger, FakeOutlet, clock, run


def test_a_refusal_ends_the_delivery_with_one_log_line() -> None:
    """The line tells the operator what to do, and quotes nothing of the answer."""
    outlet, answer = (
        FakeOutlet(failures=failures(Refused("add the scope chat:write"))),
        ScriptedEngine(*word_steps(1000)),
    )
    with capture_logs() as logs:
        outcome = run(deliver(answer.events(), outlet, FakeLedger(), build_options()))

    assert ("refused", True) == (outcome.ending, answer.closed.is_set())
    assert ("add the scope chat:write", [text("delivery-refused", "en")]) == (
        outcome.reason,
        [page.text for page in outlet.pages],
    )
    assert [("delivery_refused", "add the scope chat:write")] == [(line["event"], line["problem"]) for line in logs]


def test_a_defect_of_the_adapter_counts_as_a_refusal() -> None:
    """It ends this answer, not the process, and the log has its traceback."""
    outlet = FakeOutlet(failures=failures(KeyError("blocks")))
    with capture_logs() as logs:
        outcome = run(deliver_steps(Text("Hello"), DONE, outlet=outlet))

    assert "refused" == outcome.ending
    assert ["outlet_failed", "delivery_refused"] == [line["event"] for line in logs]


def test_no_call_precedes_retry_after() -> None:
    """The next call shows all text that arrived meanwhile."""
    outlet = FakeOutlet(failures=failures(None, Throttled("slowly", retry_after_s=30.0)))
    run(deliver_steps(*word_steps(60), DONE, outlet=outlet))
    times = [call.at for call in outlet.calls]

    assert ["post", "edit", "edit"] == [call.name for call in outlet.calls]
    assert times[2] - times[1] >= 30.0
    assert joined_words(60) == outlet.pages[0].text


@pytest.mark.parametrize("retry_after_s", [None, 0.0, -1.0, math.nan])
def test_an_invalid_retry_after_falls_back_to_the_backoff(retry_after_s: float | None) -> None:
    outlet = FakeOutlet(failures=failures(*[Throttled("slowly", retry_after_s=retry_after_s)] * 6))
    run(deliver_steps(Text("Hello"), DONE, outlet=outlet))

    assert 7 == len(outlet.calls)
    assert outlet.calls[-1].at - outlet.calls[0].at >= 0.5 + 1 + 2 + 4 + 8 + 16


def test_a_post_of_unknown_outcome_is_searched_first() -> None:
    """It exists, so it is edited and not repeated."""
    outlet, ledger = FakeOutlet(failures=failures(Unreachable("reset"), done=True)), FakeLedger()
    run(deliver_steps(Text("Hello"), DONE, outlet=outlet, ledger=ledger))

    assert ["post", "find", "edit"] == [call.name for call in outlet.calls]
    assert (["m1"], ["Hello"]) == (ledger.refs, [page.text for page in outlet.pages])


def test_a_failed_post_is_repeated_with_the_same_nonce() -> None:
    outlet = FakeOutlet(failures=failures(Unreachable("reset"), Unreachable("find: reset")))
    run(deliver_steps(Text("Hello"), DONE, outlet=outlet))

    assert ["post", "find", "find", "post"] == [call.name for call in outlet.calls]
    assert {"a1-1"} == {call.nonce for call in outlet.calls}


def test_an_answer_is_posted_again_where_posts_cannot_be_searched() -> None:
    """A double answer is better than none."""
    outlet = FakeOutlet(failures=failures(Unreachable("reset"), Refused("no scope for history")))
    with capture_logs() as logs:
        outcome = run(deliver_steps(Text("Hello"), DONE, outlet=outlet))

    assert "delivered" == outcome.ending
    assert ["post_lookup_failed"] == [line["event"] for line in logs]


def test_a_hanging_call_times_out() -> None:
    """Its outcome counts as unknown."""
    outlet = FakeOutlet(call_s=1_000_000.0)

    async def scenario() -> DeliveryOutcome:
        async with asyncio.TaskGroup() as group:
            delivery = group.create_task(deliver_steps(Text("Hello"), DONE, outlet=outlet))
            await asyncio.sleep(30.0)
            outlet.call_s = 0.0
        return delivery.result()

    assert "delivered" == run(scenario()).ending
    assert ["post", "find", "post"] == [call.name for call in outlet.calls]
    assert 60.0 <= outlet.calls[1].at - outlet.calls[0].at <= 61.0


def test_a_platform_that_stays_down_makes_the_delivery_undelivered() -> None:
    """It gives up after ten minutes without a success and with few calls."""
    outlet = FakeOutlet(failures=iter(lambda: CallFailure(Unreachable("503")), None))
    with capture_logs() as logs:

        async def scenario() -> tuple[DeliveryOutcome, float]:
            begun_at = clock()
            return await deliver_steps(Text("Hello"), DONE, outlet=outlet, options=build_options()), clock() - begun_at

        outcome, took_s = run(scenario())

    assert "undelivered" == outcome.ending
    assert 500.0 < took_s <= 600.0
    assert len(outlet.calls) < 40
    assert not any(line["event"] == "delivery_refused" for line in logs)


def test_an_outage_during_an_answer_ends_nothing() -> None:
    """All text is shown after the outage, whose start and end are logged once each."""
    down = [Unreachable("503")] * 30
    outlet = FakeOutlet(failures=failures(None, *down))

    async def scenario() -> DeliveryOutcome:
        options = build_options(context={"health": PlatformHealth(clock=clock)})
        return await deliver_steps(*word_steps(200, every_s=10.0), DONE, outlet=outlet, options=options)

    with capture_logs() as logs:
        outcome = run(scenario())

    assert "delivered" == outcome.ending
    assert ["platform_failed", "platform_recovered"] == [line["event"] for line in logs]
    assert joined_words(200) == " ".join(page.text for page in outlet.pages)


def test_a_full_disk_raises_storage_error() -> None:
    """The ledger could not store a post: the caller gets the error, and the model is free."""
    answer, ledger = ScriptedEngine(*word_steps(1000)), FakeLedger(failure=StorageError("disk full"))
    with pytest.raises(StorageError):
        run(deliver(answer.events(), FakeOutlet(), ledger, build_options()))

    assert answer.closed.is_set()


def test_refused_credentials_lose_nothing() -> None:
    """The delivery waits for hours, with few calls and one log line, and is shown once the token is accepted."""
    refused = [CredentialsRefused("the token was revoked")] * 200
    outlet = FakeOutlet(failures=failures(None, *refused))
    health = PlatformHealth(clock=clock)
    problems: list[str | None] = []

    async def scenario() -> tuple[DeliveryOutcome, float]:
        begun_at = clock()
        options = build_options(context={"health": health})
        delivery = asyncio.create_task(deliver_steps(*word_steps(50), DONE, outlet=outlet, options=options))
        await asyncio.sleep(600.0)
        problems.append(health.credentials_problem)
        return await delivery, clock() - begun_at

    with capture_logs() as logs:
        outcome, took_s = run(scenario())

    assert ("delivered", joined_words(50)) == (outcome.ending, outlet.pages[0].text)
    assert took_s > 200 * 30.0
    assert (["the token was revoked"], None) == (problems, health.credentials_problem)
    assert ["platform_credentials_refused", "platform_credentials_accepted"] == [line["event"] for line in logs]


def test_a_question_deleted_while_the_credentials_are_refused_ends() -> None:
    outlet = FakeOutlet(failures=iter([None, *[CallFailure(CredentialsRefused("revoked"))] * 1000]))
    outcome, _, _ = withdraw_after(5.0, outlet, *word_steps(200))

    assert "withdrawn" == outcome.ending
