"""bindings.delivery.deliver: a growing answer is shown at the platform's rate, over all its pages."""

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
from tests.bindings.delivery.support_deliveries import (
    DONE,
    ScriptedEngine,
    build_options,
    deliver_steps,
    joined_words,
    word_steps,
)
from tests.bindings.support_fakes import STARTED_AT, FakeLedger, FakeOutlet, FakePlatform, clock, rendered, run


def test_a_quick_answer_is_one_final_post() -> None:
    outlet = FakeOutlet(PageLimits(page_chars=500, edit_interval_s=1.0, first_words_s=0.5))
    source = Source(1, "A page", "http://a.b/c")
    outcome = run(deliver_steps(Text("Hello"), source, Text(" world."), DONE, outlet=outlet))

    assert ["post"] == [call.name for call in outlet.calls]
    [page] = outlet.pages
    assert page.closing is not None
    assert (page.text, page.final, page.closing.sources) == ("Hello world.", True, (source,))
    assert (page.closing.answer_id, page.closing.footer, page.closing.note) == ("a1", "AI: fake-model", None)
    assert DeliveryOutcome("delivered", chars=12, edits=0, posts=1, done=DONE) == outcome


def test_text_is_shown_while_it_grows() -> None:
    """The first post comes at once, edits keep the interval, and the last one is final."""
    outlet = FakeOutlet()

    async def scenario() -> tuple[float, DeliveryOutcome]:
        return clock(), await deliver_steps(*word_steps(50), DONE, outlet=outlet)

    begun_at, outcome = run(scenario())
    times = [call.at for call in outlet.calls]

    assert times[0] == begun_at
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(times))
    assert 5 <= outcome.edits <= 6
    assert [True] == [page.final for page in outlet.pages]
    assert joined_words(50) == outlet.pages[0].text
    assert [False] * (len(outlet.calls) - 1) + [True] == [call.page.final for call in outlet.calls if call.page]


def test_the_first_post_waits_for_more_words() -> None:
    """The outlet's limits set the delay."""
    outlet = FakeOutlet(PageLimits(page_chars=500, edit_interval_s=1.0, first_words_s=0.45))
    run(deliver_steps(*word_steps(20), DONE, outlet=outlet))

    assert outlet.calls[0].page == Page("word0 word1 word2 word3 word4", "en")


def test_a_slow_platform_does_not_delay_reading_events() -> None:
    """It does not keep the model busy."""
    outlet = FakeOutlet(call_s=50.0)
    answer = ScriptedEngine(*word_steps(50), DONE)

    async def scenario() -> float:
        begun_at = clock()
        delivery = asyncio.create_task(deliver(answer.events(), outlet, FakeLedger(), build_options()))
        await answer.closed.wait()
        took_s = clock() - begun_at
        await delivery
        return took_s

    assert run(scenario()) < 10.0
    assert joined_words(50) == outlet.pages[0].text


def test_a_status_is_posted_after_a_delay() -> None:
    """The answer later replaces it in the same message."""
    outlet = FakeOutlet()
    queued = Status("queued", position=2, wait_s=9.0)
    run(deliver_steps(queued, 2.0, Status("reading"), 2.0, Text("Here."), 2.0, DONE, outlet=outlet))
    pages = [call.page for call in outlet.calls]

    assert [Page("", "en", status_text(queued, "en")), Page("", "en", status_text(Status("reading"), "en"))] == pages[
        :2
    ]
    assert Page("Here.", "en") == pages[2]
    assert ["post", "edit", "edit", "edit"] == [call.name for call in outlet.calls]


def test_a_loading_model_has_a_status_within_a_second() -> None:
    """Its seconds are shown in steps of five, so that the post is not edited every second."""
    outlet = FakeOutlet()
    loading = [Status("loading"), *(each for s in (12.0, 11.0, 9.9) for each in (1.0, Status("loading", wait_s=s)))]
    run(deliver_steps(*loading, 2.0, Text("Here."), 2.0, DONE, outlet=outlet))
    statuses = [call.page.status for call in outlet.calls if call.page and call.page.status]

    assert outlet.calls[0].at - STARTED_AT < 1.0
    assert statuses == [
        "The model is loading…",
        "The model is loading… Expected wait: about 15 seconds.",
        "The model is loading… Expected wait: about 10 seconds.",
    ]


def test_a_short_wait_posts_no_status() -> None:
    """No message flickers before a quick answer."""
    outlet = FakeOutlet()
    run(deliver_steps(Status("queued", position=1), 1.0, Text("Here."), DONE, outlet=outlet))

    assert ["Here."] == [call.page.text for call in outlet.calls if call.page]


def test_a_restart_of_the_model_shows_a_status_below_the_text() -> None:
    """It disappears when the text continues."""
    outlet = FakeOutlet()
    run(deliver_steps(Text("One "), 3.0, Status("reconnecting"), 3.0, Text("two."), 3.0, DONE, outlet=outlet))
    status = status_text(Status("reconnecting"), "en")

    assert [("One", None), ("One", status), ("One two.", None), ("One two.", None)] == [
        (call.page.text, call.page.status) for call in outlet.calls if call.page
    ]


def test_a_status_that_does_not_fit_is_omitted() -> None:
    """The text takes precedence."""
    outlet = FakeOutlet(PageLimits(page_chars=60, edit_interval_s=1.0))
    run(deliver_steps(Text("x" * 55), 3.0, Status("reconnecting"), 3.0, DONE, outlet=outlet))

    assert not any(call.page.status for call in outlet.calls if call.page)
    assert all(len(rendered(call.page)) <= 60 for call in outlet.calls if call.page)


def test_white_space_alone_is_not_posted() -> None:
    outlet = FakeOutlet()
    run(deliver_steps(Text("\n\n "), 5.0, Text("Here."), DONE, outlet=outlet))

    assert ["Here."] == [call.page.text for call in outlet.calls if call.page]


def test_a_long_answer_takes_several_messages() -> None:
    """Each is finished before the next begins and never edited again; only the last has a closing."""
    outlet = FakeOutlet(PageLimits(page_chars=120, edit_interval_s=1.0))
    run(deliver_steps(*word_steps(100), DONE, outlet=outlet))
    finals = [call.page for call in outlet.calls if call.page and call.page.final]

    assert joined_words(100) == " ".join(page.text for page in outlet.pages)
    assert finals == outlet.pages
    assert [False] * (len(finals) - 1) + [True] == [page.closing is not None for page in finals]
    assert all(len(rendered(page)) <= 120 for page in outlet.pages)
    assert [f"a1-{number}" for number in range(1, len(finals) + 1)] == outlet.platform.posted_nonces


def test_a_closing_that_does_not_fit_moves_with_the_last_words() -> None:
    """It does not stand alone where that can be avoided."""
    outlet = FakeOutlet(PageLimits(page_chars=60, edit_interval_s=1.0))
    run(deliver_steps(Text("Forty characters are here, more or less. And twelve."), DONE, outlet=outlet))

    assert ["Forty characters are here, more or less.", "And twelve."] == [page.text for page in outlet.pages]
    assert [False, True] == [page.closing is not None for page in outlet.pages]


def test_many_sources_take_further_messages() -> None:
    """All are listed in order, and the last message has the buttons."""
    outlet = FakeOutlet(PageLimits(page_chars=200, edit_interval_s=1.0))
    sources = [Source(number, f"Page {number}", f"http://a.b/{number}") for number in range(1, 31)]
    options = build_options(notice="We keep what you say for 30 days.")
    run(deliver_steps(Text("Look here."), *sources, DONE, outlet=outlet, options=options))
    closings = [page.closing for page in outlet.pages if page.closing]

    assert sources == [source for closing in closings for source in closing.sources]
    assert [""] * (len(closings) - 1) + ["a1"] == [closing.answer_id for closing in closings]
    assert options.notice == closings[-1].notice
    assert all(len(rendered(page)) <= 200 for page in outlet.pages)


def test_a_source_that_fits_on_no_page_is_shortened() -> None:
    """Its URL of 500 characters is left out."""
    outlet = FakeOutlet(PageLimits(page_chars=200, edit_interval_s=1.0))
    run(deliver_steps(Text("Look."), Source(1, "T" * 500, "http://a.b/" + "c" * 500), DONE, outlet=outlet))

    assert "[1] " + "T" * 100 in rendered(outlet.pages[-1])
    assert all(len(rendered(page)) <= 200 for page in outlet.pages)


def test_changed_limits_apply_at_once() -> None:
    """An outlet slows down when the platform ends its stream."""
    outlet = FakeOutlet()

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(deliver_steps(*word_steps(60), DONE, outlet=outlet))
            await asyncio.sleep(1.5)
            outlet.limits = replace(outlet.limits, edit_interval_s=3.0)

    run(scenario())
    times = [call.at for call in outlet.calls]

    assert [1.0] + [3.0] * (len(times) - 2) == [
        pytest.approx(later - earlier, abs=0.3) for earlier, later in pairwise(times)
    ]


def test_posts_in_one_channel_are_spaced_over_all_answers() -> None:
    """Ten answers arrive in one channel at once."""
    limits = PageLimits(page_chars=500, edit_interval_s=1.0, post_interval_s=1.0)
    platform = FakePlatform()
    outlets = [FakeOutlet(limits, platform) for _ in range(10)]

    async def scenario() -> None:
        context = DeliveryContext(rate_limit=RateLimit(clock))
        async with asyncio.TaskGroup() as group:
            for number, outlet in enumerate(outlets):
                options = DeliveryOptions("en", f"a{number}", channel="C1", context=context)
                group.create_task(deliver(ScriptedEngine(Text("Hello"), DONE).events(), outlet, FakeLedger(), options))

    run(scenario())
    times = sorted(call.at for outlet in outlets for call in outlet.calls)

    assert 10 == len(platform.messages)
    assert all(later - earlier >= 0.99 for earlier, later in pairwise(times))


def test_a_notice_is_one_final_page() -> None:
    """It has no buttons."""
    outlet = FakeOutlet()

    async def scenario() -> DeliveryOutcome:
        return await deliver_notice("This is help.", outlet, FakeLedger(), build_options())

    assert "delivered" == run(scenario()).ending
    assert [Page("This is help.", "en", final=True, closing=Closing("", ""), is_notice=True)] == outlet.pages
