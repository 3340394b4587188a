"""bindings.delivery.deliver: exactly once, also over restarts, and files that go with an answer."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindings.delivery.context import DeliveryOutcome
from bindings.delivery.deliver import deliver_file
from bindings.delivery.outlet import Page, PageLimits, Throttled, Unreachable
from bindings.delivery.partial_answer import build_progress
from core.contract import Status, Text
from tests.bindings.delivery.support_stories import (
    DONE,
    UPLOAD,
    build_options,
    delivered,
    text_of,
    troubles,
    words,
)
from tests.bindings.support_fakes import FakeLedger, FakeOutlet, Trouble, run


def test_after_a_restart_what_was_begun_is_finished() -> None:
    """By editing the messages that are there; those that are no longer needed are deleted."""
    outlet = FakeOutlet(PageLimits(page_chars=60, edit_interval_s=1.0))
    ledger = FakeLedger()

    async def story() -> DeliveryOutcome:
        first = asyncio.create_task(delivered(*words(50), DONE, outlet=outlet, ledger=ledger))
        await asyncio.sleep(4.5)
        first.cancel()
        await asyncio.wait({first})
        assert len(ledger.refs) > 1
        return await delivered(Text("Short."), DONE, outlet=outlet, ledger=ledger.restarted())

    assert "delivered" == run(story()).ending
    assert ["Short."] == [page.text for page in outlet.shown]


def test_after_a_restart_a_post_that_was_not_written_down_is_found() -> None:
    """The process was killed between the post and the ledger."""
    outlet = FakeOutlet()

    async def story() -> DeliveryOutcome:
        await outlet.post(Page("Hel", "en"), "a1-1")
        return await delivered(Text("Hello"), DONE, outlet=outlet, ledger=FakeLedger(resumed=True))

    assert "delivered" == run(story()).ending
    assert ["Hello"] == [page.text for page in outlet.shown]


def test_a_status_does_not_replace_what_an_earlier_process_wrote() -> None:
    """The words stay until there are new ones."""
    outlet = FakeOutlet()

    async def story() -> None:
        ref = await outlet.post(Page("Half of it", "en"), "a1-1")
        ledger = FakeLedger([ref], resumed=True)
        await delivered(Status("queued"), 20.0, Text("All of it"), DONE, outlet=outlet, ledger=ledger)

    run(story())

    assert ["All of it"] == [call.page.text for call in outlet.made("edit") if call.page]


def test_progress_is_told_also_where_an_earlier_process_wrote() -> None:
    """A job that goes on after a restart says how far it is."""
    outlet = FakeOutlet()

    async def story() -> None:
        ref = await outlet.post(Page("", "en", "7 rows of 20"), "a1-1")
        ledger = FakeLedger([ref], resumed=True)
        await delivered(build_progress("9 rows of 20"), 20.0, Text("All."), DONE, outlet=outlet, ledger=ledger)

    run(story())

    assert ["9 rows of 20", None] == [call.page.status for call in outlet.made("edit") if call.page]


@pytest.mark.parametrize("done", [True, False])
def test_a_file_is_sent_once(done: bool) -> None:
    """However often it is in doubt whether it went."""
    outlet = FakeOutlet(trouble=troubles(Unreachable("reset"), Unreachable("reset"), done=done))

    async def story() -> bool:
        return await deliver_file(UPLOAD, outlet, FakeLedger(), build_options())

    assert run(story())
    assert [UPLOAD] == list(outlet.platform.files.values())


def test_a_file_that_an_earlier_process_sent_is_not_sent_again() -> None:
    """It was killed before that could be written down."""
    outlet = FakeOutlet()

    async def story() -> bool:
        await outlet.upload(UPLOAD, "a1-file")
        return await deliver_file(UPLOAD, outlet, FakeLedger(resumed=True), build_options())

    assert run(story())
    assert 1 == len(outlet.platform.files)


def test_where_files_cannot_be_sent_the_caller_is_told() -> None:
    """It is for the caller to show the content instead."""

    async def story() -> bool:
        return await deliver_file(UPLOAD, FakeOutlet(takes_files=False), FakeLedger(), build_options())

    assert not run(story())


def test_a_file_that_cannot_be_sent_in_time_is_told_to_the_caller() -> None:
    """The platform stays down."""
    outlet = FakeOutlet(trouble=iter(lambda: Trouble(Unreachable("503")), None))

    async def story() -> bool:
        return await deliver_file(UPLOAD, outlet, FakeLedger(), build_options())

    with pytest.raises(Unreachable):
        run(story())


trouble_kinds = st.sampled_from(
    ["ok", "ok", "ok", "throttled", "refused_connection", "reset_after", "killed", "killed_after"]
)


class Killed(BaseException):
    """The process is no more."""


def trouble_of(kind: str) -> Trouble | None:
    match kind:
        case "throttled":
            return Trouble(Throttled("429", retry_after_s=2.0))
        case "refused_connection":
            return Trouble(Unreachable("503"))
        case "reset_after":
            return Trouble(Unreachable("reset"), done=True)
        case "killed":
            return Trouble(Killed())
        case "killed_after":
            return Trouble(Killed(), done=True)
    return None


@given(st.lists(trouble_kinds, max_size=40), st.integers(1, 60), st.integers(60, 300), st.booleans())
@settings(max_examples=200)
def test_whatever_happens_each_page_stands_once_and_the_answer_is_whole(
    kinds: list[str], count: int, limit: int, slow: bool
) -> None:
    """Throttled, unreachable or killed, before or after the deed: in the end it is as if nothing had been."""
    outlet = FakeOutlet(
        PageLimits(page_chars=limit, edit_interval_s=1.0), trouble=iter([trouble_of(kind) for kind in kinds])
    )
    ledger = FakeLedger()
    for _ in range(len(kinds) + 1):
        try:
            outcome = run(delivered(*words(count, 0.3 if slow else 0.01), DONE, outlet=outlet, ledger=ledger))
        except* Killed:
            ledger = ledger.restarted()
        else:
            break

    undisturbed = FakeOutlet(PageLimits(page_chars=limit, edit_interval_s=1.0))
    run(delivered(*words(count), DONE, outlet=undisturbed))
    assert "delivered" == outcome.ending
    assert undisturbed.shown == outlet.shown
    assert text_of(count) == " ".join(page.text for page in outlet.shown if page.text)
    assert list(outlet.platform.messages) == ledger.refs
    assert len(set(outlet.platform.posted_nonces)) == len(outlet.platform.posted_nonces)
