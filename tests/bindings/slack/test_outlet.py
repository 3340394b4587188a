"""One answer in one place of a strict Slack: streamed where there can be a stream, edited elsewhere, whole at last."""

from __future__ import annotations

import pytest

from bindings.delivery.outlet import Closing, Gone, Page, Refused, Throttled, Unreachable, Upload
from bindings.incoming import IncomingMessage, Place
from bindings.slack.adapter import SlackPlatform
from bindings.slack.api import SlackApi
from bindings.slack.outlet import SlackOutlet
from bindings.slack.streams import UPDATES_PER_MINUTE
from tests.bindings.slack.support_fake_slack import BOT_USER, FakeSlack, Trouble, small_print, text_of
from tests.bindings.slack.support_fakes import ME

CLOSING = Closing("ans-1", "Written by AI (model m).")


class Chat:
    """A question in a thread, and the outlet of its answer."""

    def __init__(self, slack: FakeSlack, api: SlackApi, channel: str = "C1", *, threaded: bool = True) -> None:
        self.slack, self.api, self.channel = slack, api, channel
        self.question = slack.said(channel, f"<@{BOT_USER}> why?")
        kind = "personal" if channel.startswith("D") else "channel"
        route = {"user": "U0ANN", "team": "T0001"}
        self.place = Place("slack", "T0001", channel, self.question if threaded else None, kind, route)  # type: ignore[arg-type]
        self.stopped: list[tuple[Place, str]] = []
        self.platform = SlackPlatform(api, lambda: ME, lambda place, ref: self.stopped.append((place, ref)))
        self.outlet = self.again()

    def again(self) -> SlackOutlet:
        incoming = IncomingMessage("e", self.place, self.question, "U0ANN", "why?")
        outlet = self.platform.outlet(incoming)
        assert isinstance(outlet, SlackOutlet)
        return outlet

    def after_a_crash(self) -> SlackOutlet:
        """Of a process that knows nothing."""
        self.platform = SlackPlatform(self.api, lambda: ME, lambda *_: None)
        return self.again()

    @property
    def answers(self) -> list[dict[str, object]]:
        return self.slack.answers(self.channel)


@pytest.fixture
def chat(slack: FakeSlack, api: SlackApi) -> Chat:
    return Chat(slack, api)


def page(text: str, **more: object) -> Page:
    return Page(text, "en", **more)  # type: ignore[arg-type]


def final(text: str) -> Page:
    return page(text, final=True, closing=CLOSING)


async def test_an_answer_is_streamed(chat: Chat) -> None:
    """Begun for the person who asked, added to, and ended with what stands under it: three kinds of call, no edit."""
    ref = await chat.outlet.post(page("Hello "), "n-1")
    await chat.outlet.edit(ref, page("Hello wor"))
    await chat.outlet.edit(ref, page("Hello world"))
    await chat.outlet.edit(ref, final("Hello world."))

    [answer] = chat.answers
    assert "Hello world." == text_of(answer)
    assert ["Written by AI (model m)."] == small_print(answer)
    assert "context_actions" in [each["type"] for each in answer["blocks"]]  # type: ignore[attr-defined]
    assert {"nonce": "n-1"} == answer["metadata"]["event_payload"]  # type: ignore[index]
    assert chat.question == answer["thread_ts"]
    [start] = chat.slack.made("chat.startStream")
    assert ("U0ANN", "T0001") == (start["recipient_user_id"], start["recipient_team_id"])
    assert [] == chat.slack.made("chat.update", "chat.postMessage")


async def test_a_stream_shows_only_what_stays(chat: Chat) -> None:
    """A fence that is closed for the time being, half a link and half a mention are held back; the end is whole."""
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
    assert [] == chat.slack.made("chat.update")
    sent = [call.get("markdown_text", "") for call in chat.slack.made("chat.appendStream", "chat.startStream")]
    assert not any("[Can" in each for each in sent)


async def test_a_page_that_was_cut_shorter_is_edited(chat: Chat) -> None:
    """Delivery splits at a border before what was streamed already: the message is put right by an edit."""
    ref = await chat.outlet.post(page("One. Two. Thr"), "n-1")
    await chat.outlet.edit(ref, page("One. Two.", final=True))

    [answer] = chat.answers
    assert "One. Two." == text_of(answer)
    assert not answer["streaming"]


async def test_a_stream_that_slack_ended_goes_on_as_an_edited_message(chat: Chat) -> None:
    """After some minutes Slack takes no more: nothing is lost, and nobody is told."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.expire("C1", ref)
    await chat.outlet.edit(ref, page("One two "))
    assert "One two" == text_of(chat.answers[0]).strip()
    await chat.outlet.edit(ref, page("One two three "))
    await chat.outlet.edit(ref, final("One two three."))

    assert "One two three." == text_of(chat.answers[0])
    assert ["Written by AI (model m)."] == small_print(chat.answers[0])
    assert [] == chat.stopped


async def test_a_stream_that_ended_before_its_end_is_edited(chat: Chat) -> None:
    """Found out only by the last call."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.expire("C1", ref)
    await chat.outlet.edit(ref, final("One two."))

    assert "One two." == text_of(chat.answers[0])


async def test_slacks_stop_button_is_told(chat: Chat) -> None:
    """An append says so: the intake is told, and what it then ends with is an edit."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.expire("C1", ref, by_user=True)
    await chat.outlet.edit(ref, page("One two "))

    assert [(chat.place, ref)] == chat.stopped
    assert "One" == text_of(chat.answers[0]).strip()
    await chat.outlet.edit(ref, page("One ", final=True, closing=Closing("ans-1", "f", note="Stopped.")))
    assert ["Stopped.", "f"] == small_print(chat.answers[0])


@pytest.mark.parametrize("done", [False, True])
async def test_an_append_whose_outcome_is_unknown_is_not_repeated(chat: Chat, done: bool) -> None:
    """Added or not, adding again could double it: the message is edited from then on."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.trouble["chat.appendStream"].append(Trouble(500, done=done))
    with pytest.raises(Unreachable):
        await chat.outlet.edit(ref, page("One two "))
    await chat.outlet.edit(ref, page("One two "))
    await chat.outlet.edit(ref, final("One two three."))

    assert "One two three." == text_of(chat.answers[0])
    assert 1 == len(chat.slack.made("chat.appendStream"))


@pytest.mark.parametrize("done", [False, True])
async def test_an_end_whose_outcome_is_unknown_is_made_sure_of(chat: Chat, done: bool) -> None:
    """Also if the stream did end: the text is there once."""
    ref = await chat.outlet.post(page("One "), "n-1")
    chat.slack.trouble["chat.stopStream"].append(Trouble(502, raw="<html>", done=done))
    with pytest.raises(Unreachable):
        await chat.outlet.edit(ref, final("One two."))
    await chat.outlet.edit(ref, final("One two."))

    assert "One two." == text_of(chat.answers[0])
    assert not chat.answers[0]["streaming"]


async def test_a_throttled_append_is_made_later(chat: Chat) -> None:
    """It was not done, so it may be."""
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
async def test_where_slack_has_no_stream_messages_are_edited(chat: Chat, error: str) -> None:
    """Found out once: the next answer there does not ask."""
    chat.slack.refusing["chat.startStream"] = error
    ref = await chat.outlet.post(page("One "), "n-1")
    await chat.outlet.edit(ref, page("One two "))
    await chat.outlet.edit(ref, final("One two."))
    assert "One two." == text_of(chat.answers[0])
    assert chat.outlet.limits.edit_interval_s >= 60 / 50

    await chat.again().post(page("More"), "n-2")
    assert 1 == len(chat.slack.made("chat.startStream"))


async def test_a_direct_conversation_without_threads_is_edited(slack: FakeSlack, api: SlackApi) -> None:
    """A stream is a reply, and would open a thread there."""
    chat = Chat(slack, api, "D1", threaded=False)
    ref = await chat.outlet.post(page("One "), "n-1")
    await chat.outlet.edit(ref, final("One two."))

    [answer] = chat.answers
    assert "thread_ts" not in answer
    assert "One two." == text_of(answer)
    assert [] == slack.made("chat.startStream")


async def test_what_is_short_and_final_is_one_message(chat: Chat) -> None:
    """A notice is no stream."""
    await chat.outlet.post(final("Stopped."), "n-1")

    assert ["chat.postMessage"] == [method for method, _ in chat.slack.calls]


async def test_waiting_is_slacks_own_status(chat: Chat) -> None:
    """Under an empty stream, and gone with the first words; if Slack has none, the stream's own pulse stays."""
    ref = await chat.outlet.post(page("", status="You are number 2."), "n-1")
    chat.slack.refusing["assistant.threads.setStatus"] = "missing_scope"
    await chat.outlet.edit(ref, page("", status="You are number 1."))
    await chat.outlet.edit(ref, final("Hello."))

    assert ["You are number 2."] == [each["status"] for each in chat.slack.statuses]
    assert "Hello." == text_of(chat.answers[0])


async def test_waiting_without_a_stream_is_a_message(chat: Chat) -> None:
    """Which becomes the answer."""
    chat.slack.refusing["chat.startStream"] = "missing_scope"
    ref = await chat.outlet.post(page("", status="You are number 2."), "n-1")
    assert ["You are number 2."] == small_print(chat.answers[0])
    await chat.outlet.edit(ref, final("Hello."))

    assert ["Hello."] == [text_of(each) for each in chat.answers]


@pytest.mark.parametrize("streams", [True, False])
async def test_a_post_whose_outcome_is_unknown_is_found(chat: Chat, streams: bool) -> None:
    """By its nonce; a stream, which has none yet, by being nobody's."""
    if not streams:
        chat.slack.refusing["chat.startStream"] = "missing_scope"
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
async def test_a_post_that_was_not_made_is_not_found(chat: Chat, streams: bool) -> None:
    """Neither is anything of others: people, answers that are known, files, what was said before the question."""
    if not streams:
        chat.slack.refusing["chat.startStream"] = "missing_scope"
    thread = chat.question
    chat.slack.said("C1", "hi", thread=thread)
    chat.slack.said("C1", "", thread=thread, user=BOT_USER, bot_id="B0BOT", files=[{"id": "F1"}])
    await chat.again().post(page("Another answer "), "m-1")
    await chat.again().post(final("A notice."), "m-2")

    assert await chat.outlet.find("n-1") is None


async def test_after_a_crash_an_answer_is_finished_where_it_was(chat: Chat) -> None:
    """The stream of a process that is gone is ended, and its message edited: one answer, whole."""
    ref = await chat.outlet.post(page("One "), "n-1")
    outlet = chat.after_a_crash()
    await outlet.edit(ref, page("One two "))
    await outlet.edit(ref, final("One two."))

    [answer] = chat.answers
    assert "One two." == text_of(answer)
    assert not answer["streaming"]


async def test_after_a_crash_a_stream_that_was_not_written_down_is_found(chat: Chat) -> None:
    """The process was killed between Slack's answer and its own note of it."""
    lost = await chat.outlet.post(page("One "), "n-1")

    assert lost == await chat.after_a_crash().find("n-1")


async def test_a_page_that_is_not_needed_is_deleted(chat: Chat) -> None:
    """A stream is ended first; one that is gone already is no error."""
    ref = await chat.outlet.post(page("One "), "n-1")
    await chat.outlet.delete(ref)
    await chat.outlet.delete(ref)

    assert [] == chat.answers


async def test_a_deleted_answer_is_gone(chat: Chat) -> None:
    """Whoever deleted it: nobody waits for the rest."""
    ref = await chat.outlet.post(page("One "), "n-1")
    del chat.slack.messages["C1"][ref]

    with pytest.raises(Gone):
        await chat.outlet.edit(ref, page("One two "))


async def test_a_bot_that_was_not_invited_says_what_to_do(chat: Chat) -> None:
    """In the error, for the log; once invited, it streams there."""
    chat.slack.members = False
    chat.slack.refusing["chat.startStream"] = "not_in_channel"

    with pytest.raises(Refused, match="/invite"):
        await chat.outlet.post(page("One "), "n-1")

    chat.slack.members = True
    del chat.slack.refusing["chat.startStream"]
    await chat.again().post(page("One "), "m-1")
    assert chat.answers[0]["streaming"]


async def test_many_answers_keep_within_slacks_limits(slack: FakeSlack, api: SlackApi) -> None:
    """Fifty edits a minute over all answers: the next one is not asked of Slack."""
    chat = Chat(slack, api, "D1", threaded=False)
    ref = await chat.outlet.post(page("One "), "n-1")
    for _ in range(UPDATES_PER_MINUTE // 5):
        await chat.outlet.edit(ref, page("One "))
    with pytest.raises(Throttled):
        await chat.outlet.edit(ref, page("One "))

    assert UPDATES_PER_MINUTE // 5 == len(slack.made("chat.update"))


async def test_a_file_goes_with_the_answer(chat: Chat) -> None:
    """Into the thread, once for a nonce, whatever became of the calls; False where files cannot be sent."""
    upload = Upload("answer.json", "application/json", b"{}")
    chat.slack.trouble["files.completeUploadExternal"].append(Trouble(500, done=True))
    with pytest.raises(Unreachable):
        await chat.outlet.upload(upload, "n-file")
    assert await chat.outlet.upload(upload, "n-file")
    [file] = chat.slack.files.values()
    assert (b"{}", chat.question, "answer.n-file.json") == (file["body"], file["thread"], file["name"])
    assert 1 == len(chat.slack.made("files.completeUploadExternal"))

    chat.slack.refusing["files.getUploadURLExternal"] = "missing_scope"
    assert not await chat.outlet.upload(upload, "m-file")


async def test_after_a_crash_a_file_that_was_sent_is_found(chat: Chat) -> None:
    """By its name, and nothing else is taken for it: not another's file, and not a stream that was lost."""
    await chat.outlet.post(page("One "), "n-1")
    await chat.outlet.upload(Upload("rows.jsonl", "application/json", b"{}"), "m-file")
    outlet = chat.after_a_crash()

    assert await outlet.find("m-file")
    assert await outlet.find("n-file") is None


async def test_after_a_crash_a_second_page_is_not_the_first(chat: Chat) -> None:
    """The first was being streamed: the second cannot have been begun. Once the first has ended, it can."""
    first = await chat.outlet.post(page("One "), "n-1")
    assert await chat.after_a_crash().find("n-2") is None

    await chat.outlet.edit(first, page("One.", final=True))
    second = await chat.outlet.post(page("Two "), "n-2")
    assert second == await chat.after_a_crash().find("n-2")


async def test_what_was_taken_over_is_nobody_elses(chat: Chat) -> None:
    """Neither for this process, nor for one that comes after the next crash."""
    first = await chat.outlet.post(page("One "), "n-1")
    await chat.after_a_crash().edit(first, final("One."))

    assert await chat.after_a_crash().find("m-1") is None


async def test_more_streams_than_slack_allows_become_messages(slack: FakeSlack, api: SlackApi) -> None:
    """Twenty a minute: the next answer does not wait for one."""
    chat = Chat(slack, api)
    for number in range(6):
        await chat.again().post(page("One "), f"n{number}-1")

    assert (4, 2) == (len(slack.made("chat.startStream")), len(slack.made("chat.postMessage")))
