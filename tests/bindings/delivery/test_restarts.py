"""bindings.delivery.deliver: exactly one answer over restarts, and files that belong to an answer."""

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
from tests.bindings.delivery.support_deliveries import (
    DONE,
    UPLOAD,
    build_options,
    deliver_steps,
    failures,
    joined_words,
    word_steps,
)
from tests.bindings.support_fakes import CallFailure, FakeLedger, FakeOutlet, run


def test_a_restart_finishes_a_begun_answer() -> None:
    """It edits the existing messages and deletes those that are no longer needed."""
    outlet = FakeOutlet(PageLimits(page_chars=60, edit_interval_s=1.0))
    ledger = FakeLedger()

    async def scenario() -> DeliveryOutcome:
        first = asyncio.create_task(deliver_steps(*word_steps(50), DONE, outlet=outlet, ledger=ledger))
        await asyncio.sleep(4.5)
        first.cancel()
        await asyncio.wait({first})
        assert len(ledger.refs) > 1
        return await deliver_steps(Text("Short."), DONE, outlet=outlet, ledger=ledger.restarted())

    assert "delivered" == run(scenario()).ending
    assert ["Short."] == [page.text for page in outlet.pages]


def test_a_restart_finds_a_post_that_the_ledger_missed() -> None:
    """The process was killed between the post and the ledger."""
    outlet = FakeOutlet()

    async def scenario() -> DeliveryOutcome:
        await outlet.post(Page("Hel", "en"), "a1-1")
        return await deliver_steps(Text("Hello"), DONE, outlet=outlet, ledger=FakeLedger(resumed=True))

    assert "delivered" == run(scenario()).ending
    assert ["Hello"] == [page.text for page in outlet.pages]


def test_a_status_does_not_replace_text_of_an_earlier_process() -> None:
    """That text stays until new text arrives."""
    outlet = FakeOutlet()

    async def scenario() -> None:
        ref = await outlet.post(Page("Half of it", "en"), "a1-1")
        ledger = FakeLedger([ref], resumed=True)
        await deliver_steps(Status("queued"), 20.0, Text("All of it"), DONE, outlet=outlet, ledger=ledger)

    run(scenario())

    assert ["All of it"] == [call.page.text for call in outlet.calls_named("edit") if call.page]


def test_progress_replaces_the_status_of_an_earlier_process() -> None:
    """A job that continues after a restart shows its progress."""
    outlet = FakeOutlet()

    async def scenario() -> None:
        ref = await outlet.post(Page("", "en", "7 rows of 20"), "a1-1")
        ledger = FakeLedger([ref], resumed=True)
        await deliver_steps(build_progress("9 rows of 20"), 20.0, Text("All."), DONE, outlet=outlet, ledger=ledger)

    run(scenario())

    assert ["9 rows of 20", None] == [call.page.status for call in outlet.calls_named("edit") if call.page]


@pytest.mark.parametrize("done", [True, False])
def test_a_file_is_sent_once(done: bool) -> None:
    """This holds for any number of calls with unknown outcome."""
    outlet = FakeOutlet(failures=failures(Unreachable("reset"), Unreachable("reset"), done=done))

    async def scenario() -> bool:
        return await deliver_file(UPLOAD, outlet, FakeLedger(), build_options())

    assert run(scenario())
    assert [UPLOAD] == list(outlet.platform.files.values())


def test_a_file_of_an_earlier_process_is_not_sent_again() -> None:
    """That process was killed before the store knew of the file."""
    outlet = FakeOutlet()

    async def scenario() -> bool:
        await outlet.upload(UPLOAD, "a1-file")
        return await deliver_file(UPLOAD, outlet, FakeLedger(resumed=True), build_options())

    assert run(scenario())
    assert 1 == len(outlet.platform.files)


def test_delivering_a_file_returns_false_where_files_cannot_be_sent() -> None:
    """The caller then shows the content."""

    async def scenario() -> bool:
        return await deliver_file(UPLOAD, FakeOutlet(takes_files=False), FakeLedger(), build_options())

    assert not run(scenario())


def test_delivering_a_file_raises_while_the_platform_stays_down() -> None:
    outlet = FakeOutlet(failures=iter(lambda: CallFailure(Unreachable("503")), None))

    async def scenario() -> bool:
        return await deliver_file(UPLOAD, outlet, FakeLedger(), build_options())

    with pytest.raises(Unreachable):
        run(scenario())


failure_kinds = st.sampled_from(
    ["ok", "ok", "ok", "throttled", "refused_connection", "reset_after", "killed", "killed_after"]
)


class Killed(BaseException):
    """The process was killed."""


def build_failure(kind: str) -> CallFailure | None:
    match kind:
        case "throttled":
            return CallFailure(Throttled("429", retry_after_s=2.0))
        case "refused_connection":
            return CallFailure(Unreachable("503"))
        case "reset_after":
            return CallFailure(Unreachable("reset"), done=True)
        case "killed":
            return CallFailure(Killed())
        case "killed_after":
            return CallFailure(Killed(), done=True)
    return None


@pytest.mark.slow  # tries many cases
@given(st.lists(failure_kinds, max_size=40), st.integers(1, 60), st.integers(60, 300), st.booleans())
@settings(max_examples=200)
def test_each_page_exists_once_after_any_sequence_of_failures(
    kinds: list[str], count: int, limit: int, slow: bool
) -> None:
    """After throttling, outages and kills, before or after a call, the result equals an undisturbed delivery."""
    outlet = FakeOutlet(
        PageLimits(page_chars=limit, edit_interval_s=1.0), failures=iter([build_failure(kind) for kind in kinds])
    )
    ledger = FakeLedger()
    for _ in range(len(kinds) + 1):
        try:
            outcome = run(deliver_steps(*word_steps(count, 0.3 if slow else 0.01), DONE, outlet=outlet, ledger=ledger))
        except* Killed:
            ledger = ledger.restarted()
        else:
            break

    undisturbed = FakeOutlet(PageLimits(page_chars=limit, edit_interval_s=1.0))
    run(deliver_steps(*word_steps(count), DONE, outlet=undisturbed))
    assert "delivered" == outcome.ending
    assert undisturbed.pages == outlet.pages
    assert joined_words(count) == " ".join(page.text for page in outlet.pages if page.text)
    assert list(outlet.platform.messages) == ledger.refs
    assert len(set(outlet.platform.posted_nonces)) == len(outlet.platform.posted_nonces)
