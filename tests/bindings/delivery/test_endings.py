"""bindings.delivery.deliver: every ending is shown to the person, and frees the model."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bindings.delivery.context import DeliveryOutcome
from bindings.delivery.deliver import deliver
from bindings.delivery.outlet import Gone, Page, PageLimits, PostedPage, Refused, Throttled, Unreachable
from core.contract import Done, Text, Usage
from core.errors import ModelUnavailable, Overloaded
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
from tests.bindings.support_fakes import CallFailure, FakeLedger, FakeOutlet, rendered, run


def test_a_truncated_answer_has_a_note() -> None:
    """The model's token budget cut it; the note is in the person's language."""
    outlet = FakeOutlet()
    outcome = run(
        deliver_steps(Text("And so"), Done("length", "m", Usage()), outlet=outlet, options=build_options(language="fr"))
    )

    assert "delivered" == outcome.ending
    assert text("delivery-cut", "fr") in rendered(outlet.pages[0])


def test_an_endless_answer_is_cut_off() -> None:
    """Memory and the channel stay bounded."""
    outlet = FakeOutlet()
    answer = ScriptedEngine(*[Text("word ")] * 1000, DONE)
    outcome = run(deliver(answer.events(), outlet, FakeLedger(), build_options(context={"answer_limit_chars": 400})))

    assert (400, True) == (outcome.chars, answer.closed.is_set())
    assert answer.yielded < 100
    assert text("delivery-cut", "en") in rendered(outlet.pages[-1])


def test_an_empty_answer_shows_a_notice() -> None:
    """There is no footer, because no AI text is shown."""
    outlet = FakeOutlet()
    run(deliver_steps(Text("\u200b\n "), DONE, outlet=outlet))

    assert text("delivery-empty", "en") == rendered(outlet.pages[0])


def test_a_failure_before_any_text_replaces_the_answer() -> None:
    """The message is in plain words and says when to try again."""
    outlet = FakeOutlet()
    outcome = run(deliver_steps(Overloaded("busy", retry_after_s=5.0), outlet=outlet))

    assert "failed" == outcome.ending
    assert rendered(outlet.pages[0]) == text("error-overloaded-wait", "en", seconds=5)


def test_a_failure_after_some_text_stands_below_it() -> None:
    """The text is from an AI, so the footer stays."""
    outlet = FakeOutlet()
    run(deliver_steps(Text("The first half"), ModelUnavailable("gone"), outlet=outlet))
    closing = outlet.pages[0].closing

    assert closing is not None
    assert "The first half" == outlet.pages[0].text
    assert text("error-model_unavailable", "en") in (closing.note or "")
    assert "AI: None" == closing.footer


def test_an_unexpected_failure_is_logged_and_shown() -> None:
    """The exception's message is not shown: it might quote somebody."""
    outlet = FakeOutlet()
    with capture_logs() as logs:
        outcome = run(deliver_steps(Text("Hm"), ValueError("secret words"), outlet=outlet))

    assert "failed" == outcome.ending
    assert text("error-internal", "en") in rendered(outlet.pages[0])
    assert ["answer_failed"] == [line["event"] for line in logs]
    assert "secret" not in rendered(outlet.pages[0])


def test_events_that_end_without_done_are_a_failure() -> None:
    """Such an answer may be incomplete."""
    outlet = FakeOutlet()

    assert "failed" == run(deliver_steps(Text("Hm"), outlet=outlet)).ending
    assert text("error-model_failed", "en") in rendered(outlet.pages[0])


def test_stopping_closes_the_events_and_adds_a_note() -> None:
    """The text so far stays."""
    outlet, answer = FakeOutlet(), ScriptedEngine(*word_steps(20), asyncio.Event())

    async def scenario() -> DeliveryOutcome:
        options = build_options()
        delivery = asyncio.create_task(deliver(answer.events(), outlet, FakeLedger(), options))
        await asyncio.sleep(5.0)
        options.stop.set()
        return await delivery

    outcome = run(scenario())

    assert ("stopped", None, True) == (outcome.ending, outcome.done, answer.closed.is_set())
    assert f"{joined_words(20)}\n{text('delivery-stopped', 'en')}\nAI: None" == rendered(outlet.pages[0])


def test_stopping_before_the_first_word_posts_the_note_alone() -> None:
    outlet = FakeOutlet()

    async def scenario() -> DeliveryOutcome:
        options = build_options()
        options.stop.set()
        return await deliver_steps(asyncio.Event(), outlet=outlet, options=options)

    assert "stopped" == run(scenario()).ending
    assert text("delivery-stopped", "en") == rendered(outlet.pages[0])


def test_stopping_a_complete_answer_changes_nothing() -> None:
    """The platform was slow to accept the last words."""
    outlet = FakeOutlet(failures=failures(None, Throttled("slowly", retry_after_s=30.0)))

    async def scenario() -> DeliveryOutcome:
        options = build_options()
        delivery = asyncio.create_task(deliver_steps(*word_steps(20), DONE, outlet=outlet, options=options))
        await asyncio.sleep(10.0)
        options.stop.set()
        return await delivery

    assert "delivered" == run(scenario()).ending
    assert text("delivery-stopped", "en") not in rendered(outlet.pages[0])


def test_withdrawing_a_question_deletes_its_answer() -> None:
    """All messages are deleted, and the events are closed."""
    outlet = FakeOutlet(PageLimits(page_chars=60, edit_interval_s=1.0))
    outcome, ledger, answer = withdraw_after(5.0, outlet, *word_steps(30), asyncio.Event())

    assert ("withdrawn", True, [], []) == (outcome.ending, answer.closed.is_set(), outlet.pages, ledger.refs)


def test_withdrawing_during_a_post_deletes_the_post() -> None:
    outlet = FakeOutlet(call_s=3.0)
    outcome, ledger, _ = withdraw_after(1.0, outlet, Text("Hello"), asyncio.Event())

    assert ("withdrawn", [], []) == (outcome.ending, outlet.pages, ledger.refs)


def test_withdrawing_after_a_post_of_unknown_outcome_finds_and_deletes_it() -> None:
    outlet = FakeOutlet(failures=failures(Unreachable("reset"), done=True))
    outcome, ledger, _ = withdraw_after(0.1, outlet, Text("Hello"), asyncio.Event())

    assert ("withdrawn", [], []) == (outcome.ending, outlet.pages, ledger.refs)
    assert ["post", "find", "delete"] == [call.name for call in outlet.calls]


def test_withdrawing_while_the_platform_is_down_still_ends_the_delivery() -> None:
    """It is not answered again later, although its message could not be deleted."""
    outlet = FakeOutlet(failures=iter([None, *[CallFailure(Unreachable("503"))] * 1000]))
    outcome, ledger, _ = withdraw_after(5.0, outlet, Text("Hello"), asyncio.Event())

    assert ("withdrawn", [PostedPage("", "m1")]) == (outcome.ending, ledger.leftovers)
    assert len(outlet.calls_named("delete")) <= 4


def test_an_undeletable_page_becomes_final() -> None:
    """It gets no closing, and so no note."""
    outlet = FakeOutlet(undeletable=Refused("not allowed"))
    outcome, _, _ = withdraw_after(5.0, outlet, Text("Hello"), asyncio.Event())

    assert "withdrawn" == outcome.ending
    assert [Page("Hello", "en", final=True)] == outlet.pages


def test_a_deleted_answer_ends_the_delivery() -> None:
    """The model does not go on working for it."""
    outlet, answer = FakeOutlet(failures=failures(None, Gone("no such message"))), ScriptedEngine(*word_steps(1000))
    outcome = run(deliver(answer.events(), outlet, FakeLedger(), build_options()))

    assert ("gone", True) == (outcome.ending, answer.closed.is_set())
    assert answer.yielded < 1000
    assert ["post", "edit"] == [call.name for call in outlet.calls]


def test_cancelling_a_delivery_closes_the_events() -> None:
    """It frees the model's slot and leaves no task behind."""
    answer = ScriptedEngine(Text("Hello"), asyncio.Event())

    async def scenario() -> int:
        delivery = asyncio.create_task(deliver(answer.events(), FakeOutlet(), FakeLedger(), build_options()))
        await asyncio.sleep(1.0)
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery
        return len(asyncio.all_tasks())

    assert 1 == run(scenario())
    assert answer.closed.is_set()
