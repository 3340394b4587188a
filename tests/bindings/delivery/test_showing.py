"""bindings.delivery.deliver: an answer is shown while it is written, at the platform's pace, on all its pages."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from bindings.delivery.context import DeliveryContext, DeliveryOptions, DeliveryOutcome, RateLimit
from bindings.delivery.deliver import deliver, deliver_notice
from bindings.delivery.outlet import Closing, Page, PageLimits
from core.contract import Source, Status, Text
from core.texts import status_text
from tests.bindings.delivery.support_stories import (
    DONE,
    Answer,
    build_options,
    delivered,
    text_of,
    words,
)
from tests.bindings.support_fakes import FakeLedger, FakeOutlet, FakePlatform, clock, rendered, run


def test_a_quick_answer_is_one_message() -> None:
    """Whole, with its closing, and final at once."""
    outlet = FakeOutlet(PageLimits(page_chars=500, edit_interval_s=1.0, first_words_s=0.5))
    source = Source(1, "A page", "http://a.b/c")
    outcome = run(delivered(Text("Hello"), source, Text(" world."), DONE, outlet=outlet))

    assert ["post"] == [call.name for call in outlet.calls]
    [page] = outlet.shown
    assert page.closing is not None
    assert (page.text, page.final, page.closing.sources) == ("Hello world.", True, (source,))
    assert (page.closing.answer, page.closing.footer, page.closing.note) == ("a1", "AI: fake-model", None)
    assert DeliveryOutcome("delivered", chars=12, edits=0, posts=1, done=DONE) == outcome


def test_words_are_shown_while_they_come() -> None:
    """At the limits' pace: the first at once, edits an interval apart, the last one final."""
    outlet = FakeOutlet()

    async def story() -> tuple[float, DeliveryOutcome]:
        return clock(), await delivered(*words(50), DONE, outlet=outlet)

    begun_at, outcome = run(story())
    times = [call.at for call in outlet.calls]

    assert times[0] == begun_at
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(times))
    assert 5 <= outcome.edits <= 6
    assert [True] == [page.final for page in outlet.shown]
    assert text_of(50) == outlet.shown[0].text
    assert [False] * (len(outlet.calls) - 1) + [True] == [call.page.final for call in outlet.calls if call.page]


def test_first_words_are_gathered_as_long_as_the_limits_say() -> None:
    """So that the first message says something."""
    outlet = FakeOutlet(PageLimits(page_chars=500, edit_interval_s=1.0, first_words_s=0.45))
    run(delivered(*words(20), DONE, outlet=outlet))

    assert outlet.calls[0].page == Page("word0 word1 word2 word3 word4", "en")


def test_events_are_read_whatever_the_platform_does() -> None:
    """A platform that takes its time holds up nobody's model."""
    outlet = FakeOutlet(took_s=50.0)
    answer = Answer(*words(50), DONE)

    async def story() -> float:
        begun_at = clock()
        delivery = asyncio.create_task(deliver(answer.events(), outlet, FakeLedger(), build_options()))
        while not answer.closed:
            await asyncio.sleep(0.1)
        took_s = clock() - begun_at
        await delivery
        return took_s

    assert run(story()) < 10.0
    assert text_of(50) == outlet.shown[0].text


def test_what_is_waited_for_is_told_after_a_while() -> None:
    """And makes room for the words, in the same message."""
    outlet = FakeOutlet()
    queued = Status("queued", position=2, wait_s=9.0)
    run(delivered(queued, 2.0, Status("reading"), 2.0, Text("Here."), 2.0, DONE, outlet=outlet))
    pages = [call.page for call in outlet.calls]

    assert [Page("", "en", status_text(queued, "en")), Page("", "en", status_text(Status("reading"), "en"))] == pages[
        :2
    ]
    assert Page("Here.", "en") == pages[2]
    assert ["post", "edit", "edit", "edit"] == [call.name for call in outlet.calls]


def test_a_short_wait_is_not_told() -> None:
    """No message flickers before a quick answer."""
    outlet = FakeOutlet()
    run(delivered(Status("queued", position=1), 1.0, Text("Here."), DONE, outlet=outlet))

    assert ["Here."] == [call.page.text for call in outlet.calls if call.page]


def test_a_restart_of_the_model_is_told_under_the_words() -> None:
    """Until they go on."""
    outlet = FakeOutlet()
    run(delivered(Text("One "), 3.0, Status("reconnecting"), 3.0, Text("two."), 3.0, DONE, outlet=outlet))
    status = status_text(Status("reconnecting"), "en")

    assert [("One", None), ("One", status), ("One two.", None), ("One two.", None)] == [
        (call.page.text, call.page.status) for call in outlet.calls if call.page
    ]


def test_a_status_that_does_not_fit_is_left_out() -> None:
    """The words come before it."""
    outlet = FakeOutlet(PageLimits(page_chars=60, edit_interval_s=1.0))
    run(delivered(Text("x" * 55), 3.0, Status("reconnecting"), 3.0, DONE, outlet=outlet))

    assert not any(call.page.status for call in outlet.calls if call.page)
    assert all(len(rendered(call.page)) <= 60 for call in outlet.calls if call.page)


def test_white_space_is_no_first_word() -> None:
    """Nothing is posted for it."""
    outlet = FakeOutlet()
    run(delivered(Text("\n\n "), 5.0, Text("Here."), DONE, outlet=outlet))

    assert ["Here."] == [call.page.text for call in outlet.calls if call.page]


def test_a_long_answer_takes_several_messages() -> None:
    """Each is finished once before the next begins, none is touched again, and only the last has a closing."""
    outlet = FakeOutlet(PageLimits(page_chars=120, edit_interval_s=1.0))
    run(delivered(*words(100), DONE, outlet=outlet))
    finals = [call.page for call in outlet.calls if call.page and call.page.final]

    assert text_of(100) == " ".join(page.text for page in outlet.shown)
    assert finals == outlet.shown
    assert [False] * (len(finals) - 1) + [True] == [page.closing is not None for page in finals]
    assert all(len(rendered(page)) <= 120 for page in outlet.shown)
    assert [f"a1-{number}" for number in range(1, len(finals) + 1)] == outlet.platform.posted_nonces


def test_a_closing_that_does_not_fit_moves_on_with_the_last_words() -> None:
    """It stands under words where it can."""
    outlet = FakeOutlet(PageLimits(page_chars=60, edit_interval_s=1.0))
    run(delivered(Text("Forty characters are here, more or less. And twelve."), DONE, outlet=outlet))

    assert ["Forty characters are here, more or less.", "And twelve."] == [page.text for page in outlet.shown]
    assert [False, True] == [page.closing is not None for page in outlet.shown]


def test_sources_without_end_take_messages_of_their_own() -> None:
    """All of them are named, in order, and the last message has the buttons."""
    outlet = FakeOutlet(PageLimits(page_chars=200, edit_interval_s=1.0))
    sources = [Source(number, f"Page {number}", f"http://a.b/{number}") for number in range(1, 31)]
    options = build_options(notice="We keep what you say for 30 days.")
    run(delivered(Text("Look here."), *sources, DONE, outlet=outlet, options=options))
    closings = [page.closing for page in outlet.shown if page.closing]

    assert sources == [source for closing in closings for source in closing.sources]
    assert [""] * (len(closings) - 1) + ["a1"] == [closing.answer for closing in closings]
    assert options.notice == closings[-1].notice
    assert all(len(rendered(page)) <= 200 for page in outlet.shown)


def test_a_source_that_fits_nowhere_is_named_in_short() -> None:
    """Its address of thousands of characters is left out."""
    outlet = FakeOutlet(PageLimits(page_chars=200, edit_interval_s=1.0))
    run(delivered(Text("Look."), Source(1, "T" * 500, "http://a.b/" + "c" * 500), DONE, outlet=outlet))

    assert "[1] " + "T" * 100 in rendered(outlet.shown[-1])
    assert all(len(rendered(page)) <= 200 for page in outlet.shown)


def test_limits_that_change_on_the_way_count() -> None:
    """An outlet whose stream the platform ended has to be slower from then on."""
    outlet = FakeOutlet()

    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(delivered(*words(60), DONE, outlet=outlet))
            await asyncio.sleep(1.5)
            outlet.limits = replace(outlet.limits, edit_interval_s=3.0)

    run(story())
    times = [call.at for call in outlet.calls]

    assert [1.0] + [3.0] * (len(times) - 2) == [
        pytest.approx(later - earlier, abs=0.3) for earlier, later in pairwise(times)
    ]


def test_posts_in_one_channel_are_paced_over_all_answers() -> None:
    """Ten answers at once to one channel."""
    limits = PageLimits(page_chars=500, edit_interval_s=1.0, post_interval_s=1.0)
    platform = FakePlatform()
    outlets = [FakeOutlet(limits, platform) for _ in range(10)]

    async def story() -> None:
        context = DeliveryContext(rate_limit=RateLimit(clock))
        async with asyncio.TaskGroup() as group:
            for number, outlet in enumerate(outlets):
                options = DeliveryOptions("en", f"a{number}", channel="C1", context=context)
                group.create_task(deliver(Answer(Text("Hello"), DONE).events(), outlet, FakeLedger(), options))

    run(story())
    times = sorted(call.at for outlet in outlets for call in outlet.calls)

    assert 10 == len(platform.messages)
    assert all(later - earlier >= 0.99 for earlier, later in pairwise(times))


def test_a_notice_is_one_final_page() -> None:
    """Without buttons."""
    outlet = FakeOutlet()

    async def story() -> DeliveryOutcome:
        return await deliver_notice("This is help.", outlet, FakeLedger(), build_options())

    assert "delivered" == run(story()).ending
    assert [Page("This is help.", "en", final=True, closing=Closing("", ""), is_notice=True)] == outlet.shown
