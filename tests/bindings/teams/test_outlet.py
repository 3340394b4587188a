"""The delivery of an answer to Teams: streams, updates, their ends, restarts and failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bindings.delivery.outlet import Closing, Gone, Refused, Throttled, Unreachable
from bindings.incoming import IncomingMessage
from bindings.selftest.microsoft_connector import Failure
from bindings.selftest.microsoft_server import FakeMicrosoft
from bindings.teams.outlet import PAGE_UNITS, TeamsOutlet
from bindings.teams.streaming import LIMIT_S, OWN_LIMIT_S
from core.contract import Source
from tests.bindings.teams.support_outlets import CHAT, OutletFactory, final, page, place


def summaries(microsoft: FakeMicrosoft) -> list[tuple[Any, ...]]:
    """Returns method, type, stream type, sequence and text of each call."""
    return [
        (call.method, call.activity.get("type"), (call.stream or {}).get("streamType"),
         (call.stream or {}).get("streamSequence"), call.text)
        for call in microsoft.calls
    ]  # fmt: skip


async def test_a_personal_answer_is_streamed(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """Statuses come first. Each part has a number and the whole text so far; the final part has no number."""
    outlet = outlets.build()
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
    ] == summaries(microsoft)
    assert [None, "a-1", "a-1", "a-1", "a-1"] == [(call.stream or {}).get("streamId") for call in microsoft.calls]
    assert "stream:a-1" == ref
    assert {CHAT} == {call.conversation for call in microsoft.calls}


async def test_the_final_part_has_label_citations_feedback_and_a_button(
    outlets: OutletFactory, microsoft: FakeMicrosoft
) -> None:
    """Earlier parts have none of them."""
    outlet = outlets.build()
    ref = await outlet.post(page("As said [1]."), "n1")
    sources = (Source(1, "The guide", "https://example.gc.ca/guide"), Source(2, "Another", "javascript:x"))
    await outlet.edit(ref, final("As said [1].", sources=sources))

    first, last = (call.activity for call in microsoft.calls)
    assert ["streaminfo"] == [entity["type"] for entity in first["entities"]]
    label, _ = last["entities"]
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
    assert {"type": "default"} == last["channelData"]["feedbackLoop"]
    assert [("imBack", "Again", "Again")] == [
        (each["type"], each["title"], each["value"]) for each in last["suggestedActions"]["actions"]
    ]


@pytest.mark.parametrize("kind", ["group", "channel"])
async def test_an_answer_in_a_group_or_channel_is_updated(
    outlets: OutletFactory, microsoft: FakeMicrosoft, kind: str
) -> None:
    """It stays in its thread, has the label from the model's first text on, and no buttons, which Teams hides there."""
    outlet = outlets.build(kind)
    ref = await outlet.post(page("", "Reading…"), "n1")
    await outlet.edit(ref, page("Hello", "Reading…"))
    await outlet.edit(ref, final("Hello."))

    assert [
        ("POST", "message", None, None, "Reading…"),
        ("PUT", "message", None, None, "Hello\n\n*Reading…*"),
        ("PUT", "message", None, None, "Hello.\n\nℹ Model: fake"),
    ] == summaries(microsoft)
    assert {place(kind).route["conversation"]} == {call.conversation for call in microsoft.calls}
    assert [0, 1, 1] == [len(call.activity.get("entities") or []) for call in microsoft.calls]
    assert ["1:1", "1:1"] == [call.at for call in microsoft.calls[1:]]
    last = microsoft.messages[ref]
    assert "suggestedActions" not in last
    assert {"feedbackLoop": {"type": "default"}} == last["channelData"]


async def test_a_notice_has_no_ai_label(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """The label is for the model's text only."""
    await outlets.build().post(page("Stopped.", final=True), "n1")
    await outlets.build().post(page("Stopped.", final=True, closing=Closing("a-1", ""), is_notice=True), "n1")

    assert [1, 0] == [len(call.activity.get("entities") or []) for call in microsoft.calls]
    await outlets.build().post(page("Help.", final=True, closing=Closing("", ""), is_notice=True), "n1")
    assert "channelData" not in microsoft.calls[2].activity


async def test_a_chat_has_one_stream_at_a_time(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """A second answer is updated; after the first one ends, the next answer is streamed."""
    first, second, third = outlets.build(), outlets.build(), outlets.build()
    stream_ref = await first.post(page("One"), "n1")
    plain_ref = await second.post(page("Two"), "n2")
    await second.edit(plain_ref, final("Two."))
    await first.edit(stream_ref, final("One."))
    await third.post(page("Three"), "n3")

    assert ["streaming", None, None, "final", "streaming"] == [each[2] for each in summaries(microsoft)]
    assert ["POST", "POST", "PUT", "POST", "POST"] == [each[0] for each in summaries(microsoft)]


async def test_an_abandoned_stream_blocks_a_chat_until_its_limit(
    outlets: OutletFactory, microsoft: FakeMicrosoft
) -> None:
    """Teams ends it after two minutes, and so does the bot."""
    await outlets.build().post(page("One"), "n1")
    outlets.clock.now += LIMIT_S + 1
    await outlets.build().post(page("Two"), "n2")

    assert ["streaming", "streaming"] == [each[2] for each in summaries(microsoft)]


async def test_a_late_stream_becomes_updates(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """The stream ends with its own text before Teams' limit; then the same message is updated."""
    outlet = outlets.build()
    ref = await outlet.post(page("One"), "n1")
    outlets.clock.now += OWN_LIMIT_S + 1
    await outlet.edit(ref, page("One two"))
    await outlet.edit(ref, final("One two three."))

    assert [
        ("POST", "typing", "streaming", 1, "One"),
        ("POST", "message", "final", None, "One"),
        ("PUT", "message", None, None, "One two"),
        ("PUT", "message", None, None, "One two three.\n\nℹ Model: fake"),
    ] == summaries(microsoft)
    assert 1 == len(microsoft.messages)


async def test_a_long_wait_in_the_queue_becomes_updates(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """A stream with only a status ends like any other."""
    outlet = outlets.build()
    ref = await outlet.post(page("", "You are number 9."), "n1")
    outlets.clock.now += OWN_LIMIT_S + 1
    await outlet.edit(ref, page("", "You are number 5."))
    await outlet.edit(ref, final("At last."))

    assert ["informative", "final", None, None] == [each[2] for each in summaries(microsoft)]
    assert "At last.\n\nℹ Model: fake" == microsoft.messages["a-1"]["text"]


@pytest.mark.parametrize("ends", ["exceeded", "completed"])
async def test_a_stream_that_teams_ended_becomes_updates(
    outlets: OutletFactory, microsoft: FakeMicrosoft, ends: str
) -> None:
    """The intake is not stopped."""
    message = {
        "exceeded": "Content stream finished due to exceeded streaming time.",
        "completed": "Content stream is not allowed on an already completed streamed message",
    }[ends]
    outlet = outlets.build()
    ref = await outlet.post(page("One"), "n1")
    microsoft.failures = [Failure(403, "ContentStreamNotAllowed", message)]
    await outlet.edit(ref, page("One two"))
    await outlet.edit(ref, final("One two three."))

    assert ["POST", "PUT", "PUT"] == [call.method for call in microsoft.calls]
    assert [] == outlets.stops


async def test_a_stopped_stream_stops_the_answer(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """The note below the text comes with an update."""
    outlet = outlets.build()
    ref = await outlet.post(page("One"), "n1")
    microsoft.stopped.add("a-1")
    await outlet.edit(ref, page("One two"))
    assert [ref] == outlets.stops

    await outlet.edit(ref, final("One two", note="Stopped."))
    assert ("PUT", "message", None, None, "One two\n\nℹ Stopped.\n\nℹ Model: fake") == summaries(microsoft)[-1]


@pytest.mark.parametrize(("restarted", "late_s"), [(False, 0.0), (True, 0.0), (False, OWN_LIMIT_S + 1)])
async def test_stop_takes_effect_at_the_end_of_a_stream(
    outlets: OutletFactory, microsoft: FakeMicrosoft, tmp_path: Path, restarted: bool, late_s: float
) -> None:
    """It holds for a page that others follow, after a restart, and for a late stream."""
    outlet = outlets.build()
    ref = await outlet.post(page("One"), "n1")
    microsoft.stopped.add("a-1")
    outlets.clock.now += late_s
    current = OutletFactory(microsoft, tmp_path) if restarted else outlets
    next_outlet = current.build() if restarted else outlet
    await next_outlet.edit(ref, page("One two") if late_s else page("One two", final=True))
    assert [ref] == current.stops

    await next_outlet.edit(ref, final("One two", note="Stopped."))
    assert "One two\n\nℹ Stopped.\n\nℹ Model: fake" == microsoft.messages["a-1"]["text"]
    assert [ref] == current.stops


async def test_stop_after_a_complete_answer_has_no_effect(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """The message is updated with the complete answer."""
    outlet = outlets.build()
    ref = await outlet.post(page("One"), "n1")
    microsoft.stopped.add("a-1")
    await outlet.edit(ref, final("One two"))

    assert ([], "One two\n\nℹ Model: fake") == (outlets.stops, microsoft.messages["a-1"]["text"])


async def test_where_streaming_is_forbidden_a_message_is_updated(
    outlets: OutletFactory, microsoft: FakeMicrosoft
) -> None:
    """Teams refuses the first part."""
    microsoft.failures = [Failure(403, "ContentStreamNotAllowed", "Content stream is not allowed")]
    outlet = outlets.build()
    ref = await outlet.post(page("One"), "n1")
    await outlet.edit(ref, final("One two."))

    assert [("POST", None), ("PUT", None)] == [(call.method, call.stream) for call in microsoft.calls]


async def test_a_page_that_was_cut_is_corrected(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """The final page does not continue the streamed text: the stream ends, and the message is updated."""
    outlet = outlets.build()
    ref = await outlet.post(page("One two three"), "n1")
    await outlet.edit(ref, page("One", final=True))

    assert [("POST", "One two three"), ("POST", "One two three"), ("PUT", "One")] == [
        (call.method, call.text) for call in microsoft.calls
    ]


async def test_a_code_block_is_streamed(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """Pages have closed fences; the stream leaves a fence open until the model closes it."""
    outlet = outlets.build()
    ref = await outlet.post(page("```py\nx = 1\n```"), "n1")
    await outlet.edit(ref, page("```py\nx = 1\ny = 2\n```"))
    await outlet.edit(ref, final("```py\nx = 1\ny = 2\n```\nDone."))

    assert ["```py\nx = 1", "```py\nx = 1\ny = 2", "```py\nx = 1\ny = 2\n```\nDone.\n\nℹ Model: fake"] == [
        call.text for call in microsoft.calls
    ]


async def test_a_restarted_process_ends_the_stream(
    outlets: OutletFactory, microsoft: FakeMicrosoft, tmp_path: Path
) -> None:
    """It knows only the ref. It ends the stream and then updates the message; nothing is posted twice."""
    ref = await outlets.build().post(page("One"), "n1")
    later = OutletFactory(microsoft, tmp_path)
    outlet = later.build()
    await outlet.edit(ref, page("One two"))
    await outlet.edit(ref, final("One two three."))
    again = OutletFactory(microsoft, tmp_path).build()
    await again.edit(ref, final("One two three four."))

    assert ["streaming", "final", None, None] == [each[2] for each in summaries(microsoft)]
    assert 1 == len(microsoft.messages)
    assert "One two three four.\n\nℹ Model: fake" == microsoft.messages["a-1"]["text"]


async def test_a_regenerated_answer_keeps_its_message(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """The next outlet updates the message, without trying to stream."""
    outlet = outlets.build()
    ref = await outlet.post(page("One"), "n1")
    await outlet.edit(ref, final("One."))
    await outlets.build().edit(ref, page("", "Reading…"))
    await outlets.build().edit(ref, final("Two."))

    assert ["POST", "POST", "PUT", "PUT"] == [call.method for call in microsoft.calls]


async def test_a_retried_chunk_keeps_its_number(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """Teams refuses a number that does not grow, and a gap means a lost part."""
    outlet = outlets.build()
    ref = await outlet.post(page("One"), "n1")
    microsoft.failures = [Failure(502)]
    with pytest.raises(Unreachable):
        await outlet.edit(ref, page("One two"))
    await outlet.edit(ref, page("One two three"))

    assert [1, 2] == [each[3] for each in summaries(microsoft)]


async def test_a_final_part_without_a_response_is_not_repeated(
    outlets: OutletFactory, microsoft: FakeMicrosoft
) -> None:
    """The connection broke: on the retry, Teams says that the stream is complete, and the message is updated."""
    outlet = outlets.build()
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
async def test_failures_of_the_connector_become_delivery_errors(
    outlets: OutletFactory, microsoft: FakeMicrosoft, failure: Failure, raised: type[Exception], kind: str
) -> None:
    """A 429 keeps its Retry-After. In a personal chat, Teams refuses the stream and then the message."""
    is_refused_stream = kind == "personal" and raised is Refused
    microsoft.failures = [failure, failure] if is_refused_stream else [failure]
    with pytest.raises(raised) as caught:
        await outlets.build(kind).post(page("One"), "n1")

    if isinstance(caught.value, Throttled):
        assert 7.0 == caught.value.retry_after_s


async def test_a_refusal_has_instructions_for_the_operator(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """Only the operator can solve it."""
    microsoft.failures = [Failure(403, "Forbidden")]
    with pytest.raises(Refused, match="Teams admin center under Manage apps"):
        await outlets.build("channel").post(page("One"), "n1")


async def test_deleting_a_page_twice_is_no_error(outlets: OutletFactory, microsoft: FakeMicrosoft) -> None:
    """The connector answers 404 to the second deletion."""
    outlet = outlets.build("group")
    ref = await outlet.post(page("One"), "n1")
    await outlet.delete(ref)
    await outlet.delete(ref)

    assert {} == microsoft.messages


def test_length_is_measured_on_the_rendered_page() -> None:
    """The unit is UTF-16, as Teams counts."""
    incoming = IncomingMessage("e", place(), "1", "u", "")
    none: Any = None
    outlet = TeamsOutlet(incoming, none, none, none, none)

    assert 2 == outlet.length(page("👍"))
    assert len("a &lt; b") == outlet.length(page("a < b"))
    assert PAGE_UNITS == outlet.limits.page_chars
