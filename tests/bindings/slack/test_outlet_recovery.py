"""One answer in a strict stand-in for Slack after a crash, and after calls with unknown outcome."""

from __future__ import annotations

import pytest

from bindings.delivery.outlet import Unreachable, Upload
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import BOT_USER
from bindings.selftest.slack_texts import text_of
from tests.bindings.slack.support_chat import Chat, final, page


@pytest.mark.parametrize("done", [False, True])
async def test_an_append_with_unknown_outcome_is_not_repeated(chat: Chat, done: bool) -> None:
    """A repeat could double the text, so the message is edited from then on."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.trouble["chat.appendStream"].append(Trouble(500, done=done))
    with pytest.raises(Unreachable):
        await chat.outlet.edit(ref, page("One two "))
    await chat.outlet.edit(ref, page("One two "))
    await chat.outlet.edit(ref, final("One two three."))

    assert "One two three." == text_of(chat.answers[0])
    assert 1 == len(chat.slack.calls_to("chat.appendStream"))


@pytest.mark.parametrize("done", [False, True])
async def test_a_stop_with_unknown_outcome_is_completed(chat: Chat, done: bool) -> None:
    """The text is there once, also if the stop had taken effect."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.trouble["chat.stopStream"].append(Trouble(502, raw="<html>", done=done))
    with pytest.raises(Unreachable):
        await chat.outlet.edit(ref, final("One two."))
    await chat.outlet.edit(ref, final("One two."))

    assert "One two." == text_of(chat.answers[0])
    assert not chat.answers[0]["streaming"]


@pytest.mark.parametrize("streams", [True, False])
async def test_a_post_with_unknown_outcome_is_found(chat: Chat, streams: bool) -> None:
    """A message is found by its nonce. An open stream has none, and is found because no answer owns it."""
    if not streams:
        chat.slack.permanent_errors["chat.startStream"] = "missing_scope"
    method = "chat.startStream" if streams else "chat.postMessage"
    other = await chat.again().post(page("Another answer "), "m-1")
    chat.slack.trouble[method].append(Trouble(500, done=True))
    with pytest.raises(Unreachable):
        await chat.outlet.post(page("One "), "n-1")

    ref = await chat.outlet.find("n-1")
    assert ref not in (None, other)
    await chat.outlet.edit(ref or "", final("One two."))
    assert ["Another answer ", "One two."] == [text_of(each) for each in chat.answers]


@pytest.mark.parametrize("streams", [True, False])
async def test_a_post_that_failed_is_not_found(chat: Chat, streams: bool) -> None:
    """No other message passes for it: of people, of other answers, with files, or before the question."""
    if not streams:
        chat.slack.permanent_errors["chat.startStream"] = "missing_scope"
    thread = chat.question
    chat.slack.add_message("C1", "hi", thread=thread)
    chat.slack.add_message("C1", "", thread=thread, user=BOT_USER, bot_id="B0BOT", files=[{"id": "F1"}])
    await chat.again().post(page("Another answer "), "m-1")
    await chat.again().post(final("A notice."), "m-2")

    assert await chat.outlet.find("n-1") is None


async def test_after_a_crash_an_answer_is_finished_in_its_message(chat: Chat) -> None:
    """The stream of the crashed process is ended, and its message edited."""
    ref = await chat.outlet.post(page("One "), "n-1")
    outlet = chat.after_a_crash()
    await outlet.edit(ref, page("One two "))
    await outlet.edit(ref, final("One two."))

    [answer] = chat.answers
    assert "One two." == text_of(answer)
    assert not answer["streaming"]


async def test_after_a_crash_an_unrecorded_stream_is_found(chat: Chat) -> None:
    """The process died between Slack's response and its own record of it."""
    lost = await chat.outlet.post(page("One "), "n-1")

    assert lost == await chat.after_a_crash().find("n-1")


async def test_an_open_stream_is_no_page_of_a_plainer_form(chat: Chat) -> None:
    """It belongs to the form that was refused, and is deleted."""
    await chat.outlet.post(page("One "), "n-1")

    assert await chat.after_a_crash().in_form("text").find("n-text-1") is None


async def test_after_a_crash_an_uploaded_file_is_found(chat: Chat) -> None:
    """It is found by its name. No other file and no unowned stream passes for it."""
    await chat.outlet.post(page("One "), "n-1")
    await chat.outlet.upload(Upload("rows.jsonl", "application/json", b"{}"), "m-file")
    outlet = chat.after_a_crash()

    assert await outlet.find("m-file")
    assert await outlet.find("n-file") is None


async def test_after_a_crash_the_second_page_is_not_the_first(chat: Chat) -> None:
    """While the first page is streamed, the second cannot have begun."""
    first = await chat.outlet.post(page("One "), "n-1")
    assert await chat.after_a_crash().find("n-2") is None

    await chat.outlet.edit(first, page("One.", final=True))
    second = await chat.outlet.post(page("Two "), "n-2")
    assert second == await chat.after_a_crash().find("n-2")


async def test_a_message_has_one_owner_after_a_crash(chat: Chat) -> None:
    """Neither this process nor the next one takes it for another answer."""
    first = await chat.outlet.post(page("One "), "n-1")
    await chat.after_a_crash().edit(first, final("One."))

    assert await chat.after_a_crash().find("m-1") is None
