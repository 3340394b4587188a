"""bindings.delivery: a refused call never loses an answer, as long as one form of it is accepted."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bindings.delivery.context import DeliveryOutcome
from bindings.delivery.deliver import deliver_file, deliver_notice
from bindings.delivery.outlet import (
    DIRECT,
    DeliveryError,
    Gone,
    PageLimits,
    PostedPage,
    Refused,
    Unreachable,
    Unsent,
)
from core.contract import Text
from core.texts import text
from tests.bindings.delivery.support_deliveries import (
    DONE,
    UPLOAD,
    build_options,
    deliver_steps,
    failures,
    joined_words,
    withdraw_after,
    word_steps,
)
from tests.bindings.support_fakes import (
    Call,
    CallFailure,
    CallName,
    FakeLedger,
    FakeOutlet,
    PlaceGone,
    link_forms,
    rendered,
    run,
)


def refuse(*names: CallName, after: int = 0, error: DeliveryError | None = None) -> FakeOutlet:
    """An outlet that refuses these calls, all but the first `after` of them."""
    seen: list[Call] = []

    def check(call: Call) -> DeliveryError | None:
        seen.extend([call] if call.name in names else [])
        return (error or Refused("no")) if call.name in names and len(seen) > after else None

    return FakeOutlet(refuses=check)


def as_form(outlet: FakeOutlet, form: str) -> FakeOutlet:
    outlet.form = form
    return outlet


def direct(outlet: FakeOutlet | None = None) -> FakeOutlet:
    return as_form(outlet or FakeOutlet(), DIRECT)


def test_a_refused_post_takes_the_next_form() -> None:
    """A direct message says why it is one; the ledger knows the form."""
    outlet, ledger = link_forms(refuse("post"), direct()), FakeLedger()
    outcome = run(deliver_steps(Text("Hello"), DONE, outlet=outlet, ledger=ledger))

    assert ("delivered", DIRECT, ["m1"]) == (outcome.ending, ledger.form, ledger.refs)
    assert f"Hello\nAI: fake-model\n{text('delivery-direct', 'en')}" == rendered(outlet.pages[0])


def test_a_form_without_the_platforms_ai_label_has_it_in_the_footer() -> None:
    """Nobody takes the answer for a person's, in whatever form it stands."""
    labelled = refuse("post")
    labelled.ai_label = True
    outlet = link_forms(labelled, as_form(FakeOutlet(), "plain"))
    run(deliver_steps(Text("Hello"), DONE, outlet=outlet, options=build_options(labelled_footer=lambda _model: "")))

    assert "Hello\nAI: fake-model" == rendered(outlet.pages[0])


def test_a_gone_place_takes_the_next_form() -> None:
    """The bot was removed from the channel while it wrote."""
    outlet = link_forms(refuse("edit", error=PlaceGone("not in the channel")), direct())
    outcome = run(deliver_steps(*word_steps(50), DONE, outlet=outlet))

    assert "delivered" == outcome.ending
    assert [joined_words(50)] == [page.text for page in outlet.pages]


def test_a_form_with_the_same_messages_edits_them() -> None:
    """No page is posted twice, and none is deleted."""
    outlet, ledger = link_forms(refuse("edit", after=2), FakeOutlet()), FakeLedger()
    run(deliver_steps(*word_steps(50), DONE, outlet=outlet, ledger=ledger))

    assert (1, 0) == (len(outlet.calls_named("post")), len(outlet.calls_named("delete")))
    assert ([joined_words(50)], "") == ([page.text for page in outlet.pages], ledger.form)


def test_a_new_message_replaces_a_half_written_one() -> None:
    """The stump is deleted as soon as the new message stands, while the answer goes on."""
    outlet, ledger = link_forms(refuse("edit"), as_form(FakeOutlet(), "again")), FakeLedger()
    run(deliver_steps(*word_steps(50), DONE, outlet=outlet, ledger=ledger))

    assert ["post", "edit", "post", "delete"] == [call.name for call in outlet.calls][:4]
    assert [True] == [page.final for page in outlet.pages]
    assert (["m2"], [], "again") == (ledger.refs, ledger.leftovers, ledger.form)


def test_a_plainer_form_splits_the_text_by_its_own_limits() -> None:
    plain = as_form(FakeOutlet(PageLimits(page_chars=60, edit_interval_s=1.0)), "plain")
    outlet = link_forms(refuse("edit"), plain)
    run(deliver_steps(*word_steps(50), DONE, outlet=outlet))

    assert all(len(rendered(page)) <= 60 for page in outlet.pages)
    assert joined_words(50) == " ".join(page.text for page in outlet.pages)


def test_a_stump_that_cannot_be_deleted_is_finished() -> None:
    """It shows no dead button, and says that another message replaces it."""
    first = refuse("edit")
    first.undeletable = Refused("not allowed")
    first.refuses = lambda call: Refused("too long") if call.page and call.page.closing else None
    outlet, ledger = link_forms(first, direct()), FakeLedger()
    outcome = run(deliver_steps(*word_steps(50), DONE, outlet=outlet, ledger=ledger))

    stump, answer = outlet.pages
    assert ("delivered", joined_words(50)) == (outcome.ending, answer.text)
    assert (text("delivery-replaced", "en"), True) == (rendered(stump), stump.final)
    assert [] == ledger.leftovers


def test_nothing_fails_if_a_stump_can_neither_be_deleted_nor_finished() -> None:
    first = refuse("edit")
    first.undeletable = Refused("not allowed")
    outlet = link_forms(first, direct())
    with capture_logs() as logs:
        outcome = run(deliver_steps(*word_steps(50), DONE, outlet=outlet))

    assert "delivered" == outcome.ending
    assert joined_words(50) == outlet.pages[-1].text
    assert ["page_left"] == [line["event"] for line in logs if line["event"] != "delivery_plainer"]


def test_a_surplus_page_that_cannot_be_deleted_is_no_failure() -> None:
    """A process wrote three pages, and the answer of the next one has a single page."""
    outlet = FakeOutlet(PageLimits(page_chars=60, edit_interval_s=1.0), undeletable=Refused("no"))
    ledger = FakeLedger()

    async def scenario() -> DeliveryOutcome:
        first = asyncio.create_task(deliver_steps(*word_steps(20), asyncio.Event(), outlet=outlet, ledger=ledger))
        await asyncio.sleep(30)
        first.cancel()
        await asyncio.wait({first})
        return await deliver_steps(Text("Short."), DONE, outlet=outlet, ledger=ledger.restarted())

    assert "delivered" == run(scenario()).ending
    assert "Short." == outlet.pages[0].text
    assert {text("delivery-replaced", "en")} == {rendered(page) for page in outlet.pages[1:]}


def test_a_clean_up_that_fails_ends_soon() -> None:
    """A platform that answers 503 to deletions neither delays the end by minutes nor takes part of the answer away."""
    outlet = link_forms(refuse("edit"), as_form(FakeOutlet(), "again"))

    def answer_deletions(call: Call) -> DeliveryError | None:
        if call.name == "delete":
            return Unreachable("503")
        return Refused("no") if call.name == "edit" else None

    outlet.refuses = answer_deletions
    ledger = FakeLedger()

    async def scenario() -> float:
        await deliver_steps(Text("Hello "), 2.0, Text("world."), DONE, outlet=outlet, ledger=ledger)
        return asyncio.get_running_loop().time()

    ended_at = run(scenario())
    assert 4 == len(outlet.calls_named("delete"))
    assert ended_at - outlet.calls[0].at < 10.0
    assert ("Hello world.", [PostedPage("", "m1")]) == (outlet.pages[-1].text, ledger.leftovers)


def test_at_the_end_of_the_ladder_the_person_gets_a_notice() -> None:
    """The stump becomes the notice. One line tells the operator both refusals; the outcome has the first."""
    limited = FakeOutlet(
        refuses=lambda call: (
            Refused("too long") if call.page and call.page.closing and call.page.closing.footer else None
        )
    )
    outlet = link_forms(limited, direct(refuse("post", error=Gone("no direct messages"))))
    with capture_logs() as logs:
        outcome = run(deliver_steps(*word_steps(50), DONE, outlet=outlet))

    assert ("refused", "too long") == (outcome.ending, outcome.reason)
    assert [text("delivery-refused", "en")] == [rendered(page) for page in outlet.pages]
    assert [("too long", "no direct messages")] == [
        (line["problem"], line["last"]) for line in logs if line["event"] == "delivery_refused"
    ]


def test_the_ladder_ends_without_a_notice_where_nothing_is_accepted() -> None:
    """Each place is tried once."""
    outlet = link_forms(refuse("post"), direct(refuse("post")))
    outcome = run(deliver_steps(Text("Hello"), DONE, outlet=outlet))

    assert ("refused", []) == (outcome.ending, outlet.pages)
    assert 4 == len(outlet.calls_named("post"))


def test_an_endless_ladder_ends() -> None:
    """An adapter's defect."""
    outlet = refuse("post")
    outlet.plainer_forms = (outlet,)
    outcome = run(deliver_steps(Text("Hello"), DONE, outlet=outlet))

    assert "refused" == outcome.ending


def test_a_notice_takes_the_next_form() -> None:
    """Confirmations of commands are not lost either."""
    outlet = link_forms(refuse("post"), direct())

    async def scenario() -> DeliveryOutcome:
        return await deliver_notice("Forgotten.", outlet, FakeLedger(), build_options())

    assert "delivered" == run(scenario()).ending
    assert ["Forgotten."] == [page.text for page in outlet.pages]


def test_a_file_takes_the_next_form_if_its_place_is_gone() -> None:
    """If only the file is refused, its content is shown as text in the same place."""
    gone = link_forms(refuse("upload", error=PlaceGone("archived")), direct())
    refused = link_forms(refuse("upload"), direct())

    async def scenario(outlet: FakeOutlet) -> bool:
        return await deliver_file(UPLOAD, outlet, FakeLedger(), build_options())

    assert run(scenario(gone))
    assert [UPLOAD] == list(gone.platform.files.values())
    with pytest.raises(Refused):
        run(scenario(refused))


def test_a_process_that_is_killed_in_a_plainer_form_is_continued_there() -> None:
    """The refusal was passing, so that the richest form would be accepted now, and the answer doubled."""
    outlet = link_forms(refuse("post"), direct())
    ledger = FakeLedger()

    async def scenario() -> DeliveryOutcome:
        first = asyncio.create_task(deliver_steps(Text("Hel"), asyncio.Event(), outlet=outlet, ledger=ledger))
        await asyncio.sleep(5.0)
        first.cancel()
        await asyncio.wait({first})
        outlet.refuses = lambda call: None
        return await deliver_steps(Text("Hello"), DONE, outlet=outlet, ledger=ledger.restarted())

    assert "delivered" == run(scenario()).ending
    assert ["Hello"] == [page.text for page in outlet.pages]


def test_a_deleted_question_takes_no_plainer_form() -> None:
    """The pages of all forms are deleted."""
    outlet = link_forms(refuse("edit"), direct(refuse("edit")), as_form(FakeOutlet(), "last"))
    outcome, ledger, _ = withdraw_after(0.5, outlet, Text("Hello"), 0.2, Text("you"), asyncio.Event())

    assert ("withdrawn", [], [], []) == (outcome.ending, outlet.pages, ledger.refs, ledger.leftovers)


def test_a_post_that_cannot_be_looked_up_is_posted_once_more() -> None:
    """A platform that takes each post and answers 502 gets two of them, and not twenty in ten minutes."""
    post, find = CallFailure(Unreachable("502"), done=True), None
    outlet = FakeOutlet(can_find=False, failures=iter([post, find] * 50))
    outcome = run(deliver_steps(Text("Hello"), DONE, outlet=outlet))

    assert ("refused", ["Hello", "Hello"]) == (outcome.ending, [page.text for page in outlet.pages])


def test_a_post_that_was_never_sent_is_repeated() -> None:
    """No connection was made, so there are no copies."""
    outlet = FakeOutlet(can_find=False, failures=failures(*[Unsent("connection refused")] * 10))
    outcome = run(deliver_steps(Text("Hello"), DONE, outlet=outlet))

    assert ("delivered", ["Hello"]) == (outcome.ending, [page.text for page in outlet.pages])
    assert [] == outlet.calls_named("find")


def test_nothing_is_posted_again_while_the_platform_is_down() -> None:
    """The outage ends after minutes, and the answer stands once."""
    down = [Unreachable("503")] * 10
    outlet = FakeOutlet(can_find=False, failures=failures(*down))
    outcome = run(deliver_steps(Text("Hello"), DONE, outlet=outlet))

    assert ("delivered", 2) == (outcome.ending, len(outlet.calls_named("post")))
    assert ["Hello"] == [page.text for page in outlet.pages]
