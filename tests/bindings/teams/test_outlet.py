"""Answers on their way to Teams: streamed or updated, ended by anybody, after restarts, and with what goes along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bindings.delivery.outlet import Closing, Gone, Refused, Throttled, Unreachable, Upload
from bindings.incoming import IncomingMessage
from bindings.teams.outlet import PAGE_UNITS, TeamsOutlet
from bindings.teams.streaming import LIMIT_S, OWN_LIMIT_S
from core.contract import Source
from tests.bindings.teams.support_answering import CHAT, Intake, final, page, place
from tests.bindings.teams.support_fake_microsoft import Failure, FakeMicrosoft

ROWS = Upload("rows.jsonl", "application/jsonl", b"{}\n")


def kinds(microsoft: FakeMicrosoft) -> list[tuple[Any, ...]]:
    """Of the calls: method, type, stream type, sequence, text."""
    return [
        (call.method, call.activity.get("type"), (call.stream or {}).get("streamType"),
         (call.stream or {}).get("streamSequence"), call.text)
        for call in microsoft.calls
    ]  # fmt: skip


async def test_a_personal_answer_is_streamed(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """What is waited for first, numbered from 1, each with all that came before; the end has no number."""
    outlet = intake.outlet()
    ref = await outlet.post(page("", "You are number 2."), "n1")
    await outlet.edit(ref, page("", "You are number 1."))
    await outlet.edit(ref, page("Hello"))
    await outlet.edit(ref, page("Hello"))
    await outlet.edit(ref, page("Hello world.", "still reading"))
    await outlet.edit(ref, final("Hello world. Bye."))

    assert [
        ("POST", "typing", "informative", 1, "You are number 2."),
        ("POST", "typing", "informative", 2, "You are number 1."),
        ("POST", "typing", "streaming", 3, "Hello"),
        ("POST", "typing", "streaming", 4, "Hello world."),
        ("POST", "message", "final", None, "Hello world. Bye.\n\nℹ Model: fake"),
    ] == kinds(microsoft)
    assert [None, "a-1", "a-1", "a-1", "a-1"] == [(call.stream or {}).get("streamId") for call in microsoft.calls]
    assert "stream:a-1" == ref
    assert {CHAT} == {call.conversation for call in microsoft.calls}


async def test_the_end_has_label_citations_feedback_and_a_button(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """The platform's own, and only there."""
    outlet = intake.outlet()
    ref = await outlet.post(page("As said [1]."), "n1")
    sources = (Source(1, "The guide", "https://example.gc.ca/guide"), Source(2, "Another", "javascript:x"))
    await outlet.edit(ref, final("As said [1].", sources=sources))

    began, ended = (call.activity for call in microsoft.calls)
    assert ["streaminfo"] == [entity["type"] for entity in began["entities"]]
    label, _ = ended["entities"]
    assert ("Message", ["AIGeneratedContent"]) == (label["@type"], label["additionalType"])
    assert [
        {
            "@type": "Claim",
            "position": 1,
            "appearance": {
                "@type": "DigitalDocument",
                "name": "The guide",
                "abstract": "The guide",
                "url": "https://example.gc.ca/guide",
            },
        },
        {
            "@type": "Claim",
            "position": 2,
            "appearance": {"@type": "DigitalDocument", "name": "Another", "abstract": "Another"},
        },
    ] == label["citation"]
    assert {"type": "default"} == ended["channelData"]["feedbackLoop"]
    assert [("imBack", "Again", "Again")] == [
        (each["type"], each["title"], each["value"]) for each in ended["suggestedActions"]["actions"]
    ]


@pytest.mark.parametrize("kind", ["group", "channel"])
async def test_elsewhere_a_message_is_updated(intake: Intake, microsoft: FakeMicrosoft, kind: str) -> None:
    """In its thread, with the label as soon as there are words of the model, without buttons that Teams hides there."""
    outlet = intake.outlet(kind)
    ref = await outlet.post(page("", "Reading…"), "n1")
    await outlet.edit(ref, page("Hello", "Reading…"))
    await outlet.edit(ref, final("Hello."))

    assert [
        ("POST", "message", None, None, "Reading…"),
        ("PUT", "message", None, None, "Hello\n\n*Reading…*"),
        ("PUT", "message", None, None, "Hello.\n\nℹ Model: fake"),
    ] == kinds(microsoft)
    assert {place(kind).route["conversation"]} == {call.conversation for call in microsoft.calls}
    assert [0, 1, 1] == [len(call.activity.get("entities") or []) for call in microsoft.calls]
    assert ["1:1", "1:1"] == [call.at for call in microsoft.calls[1:]]
    last = microsoft.messages[ref]
    assert "suggestedActions" not in last
    assert {"feedbackLoop": {"type": "default"}} == last["channelData"]


async def test_a_notice_of_ours_is_not_labelled(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """The label says that an AI wrote it."""
    await intake.outlet().post(page("Stopped.", final=True), "n1")
    await intake.outlet().post(page("Stopped.", final=True, closing=Closing("a-1", ""), is_notice=True), "n1")

    assert [1, 0] == [len(call.activity.get("entities") or []) for call in microsoft.calls]
    await intake.outlet().post(page("Help.", final=True, closing=Closing("", ""), is_notice=True), "n1")
    assert "channelData" not in microsoft.calls[2].activity


async def test_one_stream_in_a_chat(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """A second answer at the same time is a message that is updated; after the first ends, the next one streams."""
    first, second, third = intake.outlet(), intake.outlet(), intake.outlet()
    streamed = await first.post(page("One"), "n1")
    plain = await second.post(page("Two"), "n2")
    await second.edit(plain, final("Two."))
    await first.edit(streamed, final("One."))
    await third.post(page("Three"), "n3")

    assert ["streaming", None, None, "final", "streaming"] == [each[2] for each in kinds(microsoft)]
    assert ["POST", "POST", "PUT", "POST", "POST"] == [each[0] for each in kinds(microsoft)]


async def test_an_abandoned_stream_blocks_no_chat(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """Teams ends it by itself, and then so do we."""
    await intake.outlet().post(page("One"), "n1")
    intake.clock.now += LIMIT_S + 1
    await intake.outlet().post(page("Two"), "n2")

    assert ["streaming", "streaming"] == [each[2] for each in kinds(microsoft)]


async def test_before_two_minutes_it_goes_on_by_updates(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """The stream is ended with what it has, the same message is updated from then on."""
    outlet = intake.outlet()
    ref = await outlet.post(page("One"), "n1")
    intake.clock.now += OWN_LIMIT_S + 1
    await outlet.edit(ref, page("One two"))
    await outlet.edit(ref, final("One two three."))

    assert [
        ("POST", "typing", "streaming", 1, "One"),
        ("POST", "message", "final", None, "One"),
        ("PUT", "message", None, None, "One two"),
        ("PUT", "message", None, None, "One two three.\n\nℹ Model: fake"),
    ] == kinds(microsoft)
    assert 1 == len(microsoft.messages)


async def test_a_long_wait_outlasts_the_stream(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """Two minutes in the queue: the message becomes a plain one that says so."""
    outlet = intake.outlet()
    ref = await outlet.post(page("", "You are number 9."), "n1")
    intake.clock.now += OWN_LIMIT_S + 1
    await outlet.edit(ref, page("", "You are number 5."))
    await outlet.edit(ref, final("At last."))

    assert ["informative", "final", None, None] == [each[2] for each in kinds(microsoft)]
    assert "At last.\n\nℹ Model: fake" == microsoft.messages["a-1"]["text"]


@pytest.mark.parametrize("ends", ["exceeded", "completed"])
async def test_a_stream_that_teams_ended_goes_on_by_updates(
    intake: Intake, microsoft: FakeMicrosoft, ends: str
) -> None:
    """Also if it is only noticed at the end."""
    said = {
        "exceeded": "Content stream finished due to exceeded streaming time.",
        "completed": "Content stream is not allowed on an already completed streamed message",
    }[ends]
    outlet = intake.outlet()
    ref = await outlet.post(page("One"), "n1")
    microsoft.failures = [Failure(403, "ContentStreamNotAllowed", said)]
    await outlet.edit(ref, page("One two"))
    await outlet.edit(ref, final("One two three."))

    assert ["POST", "PUT", "PUT"] == [call.method for call in microsoft.calls]
    assert [] == intake.stops


async def test_the_person_presses_stop(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """The intake is told, and the note under what was written comes by an update."""
    outlet = intake.outlet()
    ref = await outlet.post(page("One"), "n1")
    microsoft.stopped.add("a-1")
    await outlet.edit(ref, page("One two"))
    assert [ref] == intake.stops

    await outlet.edit(ref, final("One two", note="Stopped."))
    assert ("PUT", "message", None, None, "One two\n\nℹ Stopped.\n\nℹ Model: fake") == kinds(microsoft)[-1]


@pytest.mark.parametrize(("left_by_another", "late_s"), [(False, 0.0), (True, 0.0), (False, OWN_LIMIT_S + 1)])
async def test_stop_is_heard_also_at_the_end_of_a_stream(
    intake: Intake, microsoft: FakeMicrosoft, tmp_path: Path, left_by_another: bool, late_s: float
) -> None:
    """At the end of a page that others follow, after a restart, and where the stream would be ended for its age."""
    outlet = intake.outlet()
    ref = await outlet.post(page("One"), "n1")
    microsoft.stopped.add("a-1")
    intake.clock.now += late_s
    stopped = Intake(microsoft, tmp_path) if left_by_another else intake
    now = stopped.outlet() if left_by_another else outlet
    await now.edit(ref, page("One two") if late_s else page("One two", final=True))
    assert [ref] == stopped.stops

    await now.edit(ref, final("One two", note="Stopped."))
    assert "One two\n\nℹ Stopped.\n\nℹ Model: fake" == microsoft.messages["a-1"]["text"]
    assert [ref] == stopped.stops


async def test_an_answer_that_was_whole_when_it_was_stopped(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """There is nothing to stop."""
    outlet = intake.outlet()
    ref = await outlet.post(page("One"), "n1")
    microsoft.stopped.add("a-1")
    await outlet.edit(ref, final("One two"))

    assert ([], "One two\n\nℹ Model: fake") == (intake.stops, microsoft.messages["a-1"]["text"])


async def test_where_nobody_may_stream(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """The answer is a message that is updated."""
    microsoft.failures = [Failure(403, "ContentStreamNotAllowed", "Content stream is not allowed")]
    outlet = intake.outlet()
    ref = await outlet.post(page("One"), "n1")
    await outlet.edit(ref, final("One two."))

    assert [("POST", None), ("PUT", None)] == [(call.method, call.stream) for call in microsoft.calls]


async def test_a_text_that_was_divided_is_corrected(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """Where the end is not what was streamed: the stream ends with its own text, and the message is updated."""
    outlet = intake.outlet()
    ref = await outlet.post(page("One two three"), "n1")
    await outlet.edit(ref, page("One", final=True))

    assert [("POST", "One two three"), ("POST", "One two three"), ("PUT", "One")] == [
        (call.method, call.text) for call in microsoft.calls
    ]


async def test_a_code_block_streams(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """Pages come with their fences closed; the stream leaves them open until they are."""
    outlet = intake.outlet()
    ref = await outlet.post(page("```py\nx = 1\n```"), "n1")
    await outlet.edit(ref, page("```py\nx = 1\ny = 2\n```"))
    await outlet.edit(ref, final("```py\nx = 1\ny = 2\n```\nDone."))

    assert ["```py\nx = 1", "```py\nx = 1\ny = 2", "```py\nx = 1\ny = 2\n```\nDone.\n\nℹ Model: fake"] == [
        call.text for call in microsoft.calls
    ]


async def test_after_a_restart_the_stream_is_finished(intake: Intake, microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Another process knows the ref alone: it ends the stream, and updates from then on. Nothing is posted twice."""
    ref = await intake.outlet().post(page("One"), "n1")
    later = Intake(microsoft, tmp_path)
    outlet = later.outlet()
    await outlet.edit(ref, page("One two"))
    await outlet.edit(ref, final("One two three."))
    again = Intake(microsoft, tmp_path).outlet()
    await again.edit(ref, final("One two three four."))

    assert ["streaming", "final", None, None] == [each[2] for each in kinds(microsoft)]
    assert 1 == len(microsoft.messages)
    assert "One two three four.\n\nℹ Model: fake" == microsoft.messages["a-1"]["text"]


async def test_an_answer_that_is_written_again_stays_one_message(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """A finished stream is updated by the next outlet, without asking for a stream first."""
    outlet = intake.outlet()
    ref = await outlet.post(page("One"), "n1")
    await outlet.edit(ref, final("One."))
    await intake.outlet().edit(ref, page("", "Reading…"))
    await intake.outlet().edit(ref, final("Two."))

    assert ["POST", "POST", "PUT", "PUT"] == [call.method for call in microsoft.calls]


async def test_a_chunk_that_failed_keeps_its_number(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """Teams refuses numbers that do not grow, and one that is left out is one that was lost."""
    outlet = intake.outlet()
    ref = await outlet.post(page("One"), "n1")
    microsoft.failures = [Failure(502)]
    with pytest.raises(Unreachable):
        await outlet.edit(ref, page("One two"))
    await outlet.edit(ref, page("One two three"))

    assert [1, 2] == [each[3] for each in kinds(microsoft)]


async def test_an_end_that_was_done_and_not_told_is_not_done_twice(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """The connection broke after it: tried again, Teams says that it is complete, and it is updated."""
    outlet = intake.outlet()
    ref = await outlet.post(page("One"), "n1")
    microsoft.failures = [Failure(0)]
    with pytest.raises(Unreachable):
        await outlet.edit(ref, final("One."))
    await outlet.edit(ref, final("One."))

    assert 1 == len(microsoft.messages)
    assert "One.\n\nℹ Model: fake" == microsoft.messages["a-1"]["text"]


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (Failure(429, retry_after="7"), Throttled),
        (Failure(412), Unreachable),
        (Failure(500), Unreachable),
        (Failure(502), Unreachable),
        (Failure(503), Unreachable),
        (Failure(504), Unreachable),
        (Failure(0), Unreachable),
        (Failure(404, "ConversationNotFound"), Gone),
        (Failure(403, "BotNotInConversationRoster"), Gone),
        (Failure(403, "ConversationBlockedByUser"), Gone),
        (Failure(403, "Forbidden"), Refused),
        (Failure(400, "BadSyntax"), Refused),
        (Failure(413, "MessageSizeTooBig"), Refused),
        (Failure(301), Refused),
    ],
    ids=lambda value: f"{value.status}{value.code}" if isinstance(value, Failure) else "",
)
@pytest.mark.parametrize("kind", ["personal", "channel"])
async def test_what_the_connector_refuses(
    intake: Intake, microsoft: FakeMicrosoft, failure: Failure, raised: type[Exception], kind: str
) -> None:
    """In the family of delivery: come back, try again, nobody is there, or it cannot be helped."""
    microsoft.failures = [failure]
    with pytest.raises(raised) as caught:
        await intake.outlet(kind).post(page("One"), "n1")

    if isinstance(caught.value, Throttled):
        assert 7.0 == caught.value.retry_after_s


async def test_where_to_click_is_told(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """A refusal that only the operator can lift."""
    microsoft.failures = [Failure(403, "Forbidden")]
    with pytest.raises(Refused, match="Teams admin center under Manage apps"):
        await intake.outlet("channel").post(page("One"), "n1")


async def test_a_page_that_is_gone_already_is_deleted(intake: Intake, microsoft: FakeMicrosoft) -> None:
    """It is what was wanted."""
    outlet = intake.outlet("group")
    ref = await outlet.post(page("One"), "n1")
    await outlet.delete(ref)
    await outlet.delete(ref)

    assert {} == microsoft.messages


def test_length_is_of_what_is_sent() -> None:
    """In UTF-16 units, as Teams counts, of the rendered page."""
    incoming = IncomingMessage("e", place(), "1", "u", "")
    none: Any = None
    outlet = TeamsOutlet(incoming, none, none, none, none)

    assert 2 == outlet.length(page("👍"))
    assert len("a &lt; b") == outlet.length(page("a < b"))
    assert PAGE_UNITS == outlet.limits.page_chars
