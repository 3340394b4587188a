"""bindings.delivery.deliver: how an answer ends is said honestly, and frees the model."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bindings.delivery.context import DeliveryOutcome
from bindings.delivery.deliver import deliver
from bindings.delivery.outlet import Gone, Page, PageLimits, Refused, Throttled, Unreachable
from core.contract import Done, Text, Usage
from core.errors import ModelUnavailable, Overloaded
from core.texts import text
from tests.bindings.delivery.support_stories import (
    DONE,
    Answer,
    build_options,
    delivered,
    text_of,
    troubles,
    withdrawn_after,
    words,
)
from tests.bindings.support_fakes import FakeLedger, FakeOutlet, Trouble, rendered, run


def test_an_answer_that_was_cut_says_so() -> None:
    """By the model's token budget, in the person's language."""
    outlet = FakeOutlet()
    outcome = run(
        delivered(Text("And so"), Done("length", "m", Usage()), outlet=outlet, options=build_options(language="fr"))
    )

    assert "delivered" == outcome.ending
    assert text("delivery-cut", "fr") in rendered(outlet.shown[0])


def test_an_engine_that_never_ends_is_cut() -> None:
    """Memory and the channel are bounded."""
    outlet = FakeOutlet()
    answer = Answer(*[Text("word ")] * 1000, DONE)
    outcome = run(deliver(answer.events(), outlet, FakeLedger(), build_options(context={"answer_limit_chars": 400})))

    assert (400, True) == (outcome.chars, answer.closed)
    assert answer.given < 100
    assert text("delivery-cut", "en") in rendered(outlet.shown[-1])


def test_an_empty_answer_says_so() -> None:
    """With no footer, as no AI wrote it."""
    outlet = FakeOutlet()
    run(delivered(Text("\u200b\n "), DONE, outlet=outlet))

    assert text("delivery-empty", "en") == rendered(outlet.shown[0])


def test_a_failure_is_told_in_place_of_an_answer() -> None:
    """In words for people, with when to try again."""
    outlet = FakeOutlet()
    outcome = run(delivered(Overloaded("busy", retry_after_s=5.0), outlet=outlet))

    assert "failed" == outcome.ending
    assert rendered(outlet.shown[0]) == f"{text('error-overloaded', 'en')} You can try again in about 5 seconds."


def test_a_failure_is_told_under_what_was_written() -> None:
    """An AI wrote that, so the footer says so."""
    outlet = FakeOutlet()
    run(delivered(Text("The first half"), ModelUnavailable("gone"), outlet=outlet))
    closing = outlet.shown[0].closing

    assert closing is not None
    assert "The first half" == outlet.shown[0].text
    assert text("error-model_unavailable", "en") in (closing.note or "")
    assert "AI: None" == closing.footer


def test_a_failure_that_nobody_foresaw_is_logged_and_told() -> None:
    """Without its message, which might quote somebody."""
    outlet = FakeOutlet()
    with capture_logs() as logs:
        outcome = run(delivered(Text("Hm"), ValueError("secret words"), outlet=outlet))

    assert "failed" == outcome.ending
    assert text("error-internal", "en") in rendered(outlet.shown[0])
    assert ["answer_failed"] == [line["event"] for line in logs]
    assert "secret" not in rendered(outlet.shown[0])


def test_events_that_just_end_are_a_failure() -> None:
    """An answer without Done is not known to be whole."""
    outlet = FakeOutlet()

    assert "failed" == run(delivered(Text("Hm"), outlet=outlet)).ending
    assert text("error-model_failed", "en") in rendered(outlet.shown[0])


def test_stopping_closes_the_events_and_says_so() -> None:
    """What was written stands."""
    outlet, answer = FakeOutlet(), Answer(*words(20), asyncio.Event())

    async def story() -> DeliveryOutcome:
        options = build_options()
        delivery = asyncio.create_task(deliver(answer.events(), outlet, FakeLedger(), options))
        await asyncio.sleep(5.0)
        options.stop.set()
        return await delivery

    outcome = run(story())

    assert ("stopped", None, True) == (outcome.ending, outcome.done, answer.closed)
    assert f"{text_of(20)}\n{text('delivery-stopped', 'en')}\nAI: None" == rendered(outlet.shown[0])


def test_stopping_before_the_first_word_says_so_too() -> None:
    """In a message of its own."""
    outlet = FakeOutlet()

    async def story() -> DeliveryOutcome:
        options = build_options()
        options.stop.set()
        return await delivered(asyncio.Event(), outlet=outlet, options=options)

    assert "stopped" == run(story()).ending
    assert text("delivery-stopped", "en") == rendered(outlet.shown[0])


def test_stopping_what_is_whole_changes_nothing() -> None:
    """The platform was slow to take the last words."""
    outlet = FakeOutlet(trouble=troubles(None, Throttled("slowly", retry_after_s=30.0)))

    async def story() -> DeliveryOutcome:
        options = build_options()
        delivery = asyncio.create_task(delivered(*words(20), DONE, outlet=outlet, options=options))
        await asyncio.sleep(10.0)
        options.stop.set()
        return await delivery

    assert "delivered" == run(story()).ending
    assert text("delivery-stopped", "en") not in rendered(outlet.shown[0])


def test_a_withdrawn_question_takes_its_answer_along() -> None:
    """All its messages; the events are closed."""
    outlet = FakeOutlet(PageLimits(page_chars=60, edit_interval_s=1.0))
    outcome, ledger, answer = withdrawn_after(5.0, outlet, *words(30), asyncio.Event())

    assert ("withdrawn", True, [], []) == (outcome.ending, answer.closed, outlet.shown, ledger.refs)


def test_a_question_withdrawn_while_a_post_is_under_way() -> None:
    """What comes of the post is taken back as well."""
    outlet = FakeOutlet(took_s=3.0)
    outcome, ledger, _ = withdrawn_after(1.0, outlet, Text("Hello"), asyncio.Event())

    assert ("withdrawn", [], []) == (outcome.ending, outlet.shown, ledger.refs)


def test_a_question_withdrawn_while_a_post_is_in_doubt() -> None:
    """It is looked for, and taken back."""
    outlet = FakeOutlet(trouble=troubles(Unreachable("reset"), done=True))
    outcome, ledger, _ = withdrawn_after(0.1, outlet, Text("Hello"), asyncio.Event())

    assert ("withdrawn", [], []) == (outcome.ending, outlet.shown, ledger.refs)
    assert ["post", "find", "delete"] == [call.name for call in outlet.calls]


def test_a_question_withdrawn_while_the_platform_is_down() -> None:
    """It is not answered again later because its messages could not be deleted now."""
    outlet = FakeOutlet(trouble=iter([None, *[Trouble(Unreachable("503"))] * 1000]))
    outcome, ledger, _ = withdrawn_after(5.0, outlet, Text("Hello"), asyncio.Event())

    assert ("withdrawn", 1) == (outcome.ending, len(ledger.refs))


def test_what_cannot_be_deleted_is_left_final() -> None:
    """Without closing, so without a word about it."""
    outlet = FakeOutlet(undeletable=Refused("not allowed"))
    outcome, _, _ = withdrawn_after(5.0, outlet, Text("Hello"), asyncio.Event())

    assert "withdrawn" == outcome.ending
    assert [Page("Hello", "en", final=True)] == outlet.shown


def test_nobody_left_to_tell() -> None:
    """The message was deleted: the model is not kept busy for it."""
    outlet, answer = FakeOutlet(trouble=troubles(None, Gone("no such message"))), Answer(*words(1000))
    outcome = run(deliver(answer.events(), outlet, FakeLedger(), build_options()))

    assert ("gone", True) == (outcome.ending, answer.closed)
    assert answer.given < 1000
    assert ["post", "edit"] == [call.name for call in outlet.calls]


def test_leaving_closes_the_events() -> None:
    """A cancelled delivery frees the model's slot, and leaves no task behind."""
    answer = Answer(Text("Hello"), asyncio.Event())

    async def story() -> int:
        delivery = asyncio.create_task(deliver(answer.events(), FakeOutlet(), FakeLedger(), build_options()))
        await asyncio.sleep(1.0)
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery
        return len(asyncio.all_tasks())

    assert 1 == run(story())
    assert answer.closed
