"""One answer in a strict stand-in for Slack: streamed where possible, edited elsewhere, complete at its end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bindings.delivery.outlet import Closing, Gone, Refused, Throttled, Unreachable, Upload
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import FakeSlack
from bindings.selftest.slack_texts import context_texts, text_of
from bindings.slack.api import SlackApi
from bindings.slack.streams import COOLDOWN_S, UPDATES_PER_MINUTE, StreamRegistry
from tests.bindings.slack.support_chat import Chat, final, page


async def test_an_answer_is_streamed(chat: Chat) -> None:
    """Starts, appends and a stop with the closing: no edit."""
    ref = await chat.outlet.post(page("Hello "), "n-1")
    await chat.outlet.edit(ref, page("Hello wor"))
    await chat.outlet.edit(ref, page("Hello world"))
    await chat.outlet.edit(ref, final("Hello world."))

    [answer] = chat.answers
    assert "Hello world." == text_of(answer)
    assert ["Written by AI (model m)."] == context_texts(answer)
    assert "context_actions" in [each["type"] for each in answer["blocks"]]  # type: ignore[attr-defined]
    assert {"nonce": "n-1"} == answer["metadata"]["event_payload"]  # type: ignore[index]
    assert chat.question == answer["thread_ts"]
    [start] = chat.slack.calls_to("chat.startStream")
    assert ("U0ANN", "T0001") == (start["recipient_user_id"], start["recipient_team_id"])
    assert [] == chat.slack.calls_to("chat.update", "chat.postMessage")


async def test_a_stream_shows_only_stable_text(chat: Chat) -> None:
    """It leaves out a fence that delivery closed for now, half a link and half a mention."""
    ref = await chat.outlet.post(page("See [Can"), "n-1")
    for text in (
        "See [Canada](https://can",
        "See [Canada](https://canada.ca) <!he",
        "See [Canada](https://canada.ca) <!here>\n",
    ):
        await chat.outlet.edit(ref, page(text))
    body = "See [Canada](https://canada.ca) <!here>\n```py\nx"
    await chat.outlet.edit(ref, page(body + "\n```"))
    await chat.outlet.edit(ref, page(body + " = 1\n```"))
    await chat.outlet.edit(ref, final(body + " = 1\n```\nEnd."))

    assert "See Canada (https://canada.ca) ‹!here>\n```py\nx = 1\n```\nEnd." == text_of(chat.answers[0])
    assert [] == chat.slack.calls_to("chat.update")
    sent = [call.get("markdown_text", "") for call in chat.slack.calls_to("chat.appendStream", "chat.startStream")]
    assert not any("[Can" in each for each in sent)


async def test_a_page_that_became_shorter_is_edited(chat: Chat) -> None:
    """Delivery may split before text that was already streamed: an edit corrects the message."""
    ref = await chat.outlet.post(page("One. Two. Thr"), "n-1")
    await chat.outlet.edit(ref, page("One. Two.", final=True))

    [answer] = chat.answers
    assert "One. Two." == text_of(answer)
    assert not answer["streaming"]


async def test_an_expired_stream_continues_as_an_edited_message(chat: Chat) -> None:
    """Slack ends a stream after some minutes. No text is lost."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.expire("C1", ref)
    await chat.outlet.edit(ref, page("One two "))
    assert "One two" == text_of(chat.answers[0]).strip()
    await chat.outlet.edit(ref, page("One two three "))
    await chat.outlet.edit(ref, final("One two three."))

    assert "One two three." == text_of(chat.answers[0])
    assert ["Written by AI (model m)."] == context_texts(chat.answers[0])
    assert [] == chat.stopped


async def test_a_stream_that_expired_before_its_last_call_is_edited(chat: Chat) -> None:
    """Only the last call shows it."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.expire("C1", ref)
    await chat.outlet.edit(ref, final("One two."))

    assert "One two." == text_of(chat.answers[0])


async def test_slacks_stop_button_is_reported(chat: Chat) -> None:
    """An append is refused, the callback is called, and the final page is an edit."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.expire("C1", ref, by_user=True)
    await chat.outlet.edit(ref, page("One two "))

    assert [(chat.place, ref)] == chat.stopped
    assert "One" == text_of(chat.answers[0]).strip()
    await chat.outlet.edit(ref, page("One ", final=True, closing=Closing("ans-1", "f", note="Stopped.")))
    assert ["Stopped.", "f"] == context_texts(chat.answers[0])


async def test_a_throttled_append_is_repeated(chat: Chat) -> None:
    """It had no effect, so a repeat is safe."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.trouble["chat.appendStream"].append(Trouble(429, retry_after_s="3"))
    with pytest.raises(Throttled) as caught:
        await chat.outlet.edit(ref, page("One two "))
    await chat.outlet.edit(ref, page("One two "))

    assert 3 == caught.value.retry_after_s
    assert "One two " == text_of(chat.answers[0])


@pytest.mark.parametrize(
    "error", ["missing_scope", "unknown_method", "channel_type_not_supported", "invalid_arguments"]
)
async def test_without_streams_messages_are_edited(chat: Chat, error: str) -> None:
    """The next answer in that channel does not try a stream."""
    chat.slack.permanent_errors["chat.startStream"] = error
    ref = await chat.outlet.post(page("One "), "n-1")
    await chat.outlet.edit(ref, page("One two "))
    await chat.outlet.edit(ref, final("One two."))
    assert "One two." == text_of(chat.answers[0])
    assert chat.outlet.limits.edit_interval_s >= 60 / 50

    await chat.again().post(page("More"), "n-2")
    assert 1 == len(chat.slack.calls_to("chat.startStream"))


@pytest.mark.parametrize(
    "error",
    [
        *("team_access_not_granted", "user_not_found", "channel_not_found", "thread_not_found", "invalid_blocks"),
        *("msg_too_long", "messages_tab_disabled", "method_deprecated", "a_code_of_tomorrow"),
    ],
)
async def test_every_refusal_of_a_stream_leads_to_a_message(chat: Chat, error: str) -> None:
    """A stream is an extra: whatever Slack says about it, the answer is posted and edited. One line is logged."""
    chat.slack.permanent_errors["chat.startStream"] = error
    with capture_logs() as logs:
        ref = await chat.outlet.post(page("One "), "n-1")
    await chat.outlet.edit(ref, final("One two."))

    assert ["One two."] == [text_of(answer) for answer in chat.answers]
    assert [error] == [entry["reason"] for entry in logs if entry["event"] == "slack_stream_refused"]


async def test_streams_are_tried_again_after_a_while(slack: FakeSlack, api: SlackApi) -> None:
    """One refusal does not switch them off for good."""
    now = [0.0]
    chat = Chat(slack, api)
    chat.platform.streams = StreamRegistry(lambda: now[0])
    slack.trouble["chat.startStream"].append(Trouble(error="channel_type_not_supported"))
    await chat.again().post(page("One "), "n-1")
    now[0] = COOLDOWN_S - 1
    await chat.again().post(page("Two "), "m-1")
    now[0] = COOLDOWN_S + 1
    await chat.again().post(page("Three "), "o-1")

    assert [None, None, True] == [answer.get("streaming") for answer in chat.answers]
    assert 2 == len(slack.calls_to("chat.startStream"))


async def test_a_refused_recipient_does_not_affect_other_people(chat: Chat) -> None:
    """A person of another organisation may get no streams; the next person in the channel does."""
    chat.slack.trouble["chat.startStream"].append(Trouble(error="team_access_not_granted"))
    await chat.outlet.post(page("One "), "n-1")
    chat.place = replace(chat.place, route={"user": "U0BOB", "team": "T0001"})
    await chat.again().post(page("Two "), "m-1")

    assert [None, True] == [answer.get("streaming") for answer in chat.answers]


TABLE = "Rates:\n\n| Year | Rate |\n|---|---|\n| 2026 | 2 % |\n\nThat is all."


async def test_a_streamed_table_becomes_a_block_at_the_end(chat: Chat) -> None:
    """A stream shows it as text, because Slack shows the blocks of a stream below all its text."""
    ref = await chat.outlet.post(page(TABLE[:30]), "n-1")
    await chat.outlet.edit(ref, page(TABLE[:50]))
    await chat.outlet.edit(ref, final(TABLE))

    [answer] = chat.answers
    kinds = [each["type"] for each in answer["blocks"]]  # type: ignore[attr-defined]
    assert ["markdown", "table", "markdown", "context"] == kinds[:4]
    assert "Year | Rate\n2026 | 2 %" in text_of(answer)
    assert not answer["streaming"]


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_a_refused_table_stays_text(chat: Chat, method: str) -> None:
    """The answer is posted with the table as Markdown."""
    chat.slack.trouble[method].append(Trouble(error="invalid_blocks"))
    if method == "chat.update":
        await chat.outlet.edit(await chat.outlet.post(page("Rates:"), "n-1"), final(TABLE))
    else:
        await chat.outlet.post(final(TABLE), "n-1")

    assert [TABLE] == [text_of(answer) for answer in chat.answers]


async def test_a_long_edited_answer_has_no_text_of_ours(chat: Chat) -> None:
    """Slack refuses a text of more than 4,000 bytes in an edit, and builds its own without one."""
    chat.slack.permanent_errors["chat.startStream"] = "unknown_method"
    ref = await chat.outlet.post(page("One "), "n-1")
    await chat.outlet.edit(ref, final("word " * 1000))
    await chat.outlet.edit(ref, final("word " * 500))

    long, short = chat.slack.calls_to("chat.update")
    assert "text" not in long
    assert short["text"].endswith("Written by AI (model m).")


async def test_a_direct_conversation_names_no_recipient(slack: FakeSlack, api: SlackApi) -> None:
    """A stream there has only one, and Slack refuses to be told."""
    await Chat(slack, api, "D1").outlet.post(page("One "), "n-1")

    [start] = slack.calls_to("chat.startStream")
    assert not {"recipient_user_id", "recipient_team_id"} & set(start)


async def test_a_direct_conversation_without_threads_is_edited(slack: FakeSlack, api: SlackApi) -> None:
    """A stream is a reply, and would open a thread there."""
    chat = Chat(slack, api, "D1", threaded=False)
    ref = await chat.outlet.post(page("One "), "n-1")
    await chat.outlet.edit(ref, final("One two."))

    [answer] = chat.answers
    assert "thread_ts" not in answer
    assert "One two." == text_of(answer)
    assert [] == slack.calls_to("chat.startStream")


async def test_a_final_first_page_is_one_message(chat: Chat) -> None:
    """A notice is not a stream."""
    await chat.outlet.post(final("Stopped."), "n-1")

    assert ["chat.postMessage"] == [method for method, _ in chat.slack.calls]


async def test_a_status_below_a_stream_is_slacks_own(chat: Chat) -> None:
    """The first words remove it. A refused status changes nothing else."""
    ref = await chat.outlet.post(page("", status="You are number 2."), "n-1")
    chat.slack.permanent_errors["assistant.threads.setStatus"] = "missing_scope"
    await chat.outlet.edit(ref, page("", status="You are number 1."))
    await chat.outlet.edit(ref, final("Hello."))

    assert ["You are number 2."] == [each["status"] for each in chat.slack.statuses]
    assert "Hello." == text_of(chat.answers[0])


async def test_a_status_without_a_stream_is_a_message(chat: Chat) -> None:
    """The message becomes the answer."""
    chat.slack.permanent_errors["chat.startStream"] = "missing_scope"
    ref = await chat.outlet.post(page("", status="You are number 2."), "n-1")
    assert ["You are number 2."] == context_texts(chat.answers[0])
    await chat.outlet.edit(ref, final("Hello."))

    assert ["Hello."] == [text_of(each) for each in chat.answers]


async def test_a_page_is_deleted(chat: Chat) -> None:
    """A stream is ended first. A page that is already gone is no error."""
    ref = await chat.outlet.post(page("One "), "n-1")
    await chat.outlet.delete(ref)
    await chat.outlet.delete(ref)

    assert [] == chat.answers


async def test_a_deleted_answer_raises_gone(chat: Chat) -> None:
    """Nobody waits for the rest."""
    ref = await chat.outlet.post(page("One "), "n-1")
    del chat.slack.messages["C1"][ref]

    with pytest.raises(Gone):
        await chat.outlet.edit(ref, page("One two "))


async def test_an_uninvited_bot_explains_the_error(chat: Chat) -> None:
    """The error names /invite, for the log. After an invitation the bot streams there."""
    chat.slack.bot_is_member = False
    chat.slack.permanent_errors["chat.startStream"] = "not_in_channel"

    with pytest.raises(Refused, match="/invite"):
        await chat.outlet.post(page("One "), "n-1")

    chat.slack.bot_is_member = True
    del chat.slack.permanent_errors["chat.startStream"]
    await chat.again().post(page("One "), "m-1")
    assert chat.answers[0]["streaming"]


async def test_all_answers_share_the_limit_of_edits(slack: FakeSlack, api: SlackApi) -> None:
    """Slack allows 50 edits a minute: the next edit does not call it."""
    chat = Chat(slack, api, "D1", threaded=False)
    ref = await chat.outlet.post(page("One "), "n-1")
    for _ in range(UPDATES_PER_MINUTE // 5):
        await chat.outlet.edit(ref, page("One "))
    with pytest.raises(Throttled):
        await chat.outlet.edit(ref, page("One "))

    assert UPDATES_PER_MINUTE // 5 == len(slack.calls_to("chat.update"))


async def test_a_file_is_posted_with_the_answer(chat: Chat) -> None:
    """The thread gets one file for a nonce, also after a failure. False: Slack refuses files."""
    upload = Upload("answer.json", "application/json", b"{}")
    chat.slack.trouble["files.completeUploadExternal"].append(Trouble(500, done=True))
    with pytest.raises(Unreachable):
        await chat.outlet.upload(upload, "n-file")
    assert await chat.outlet.upload(upload, "n-file")
    [file] = chat.slack.files.values()
    assert (b"{}", chat.question, "answer.n-file.json") == (file["body"], file["thread"], file["name"])
    assert 1 == len(chat.slack.calls_to("files.completeUploadExternal"))

    chat.slack.permanent_errors["files.getUploadURLExternal"] = "missing_scope"
    assert not await chat.outlet.upload(upload, "m-file")


async def test_streams_beyond_slacks_limit_become_messages(slack: FakeSlack, api: SlackApi) -> None:
    """Slack allows 20 starts a minute: the next answer does not wait for one."""
    chat = Chat(slack, api)
    for number in range(6):
        await chat.again().post(page("One "), f"n{number}-1")

    assert (4, 2) == (len(slack.calls_to("chat.startStream")), len(slack.calls_to("chat.postMessage")))
