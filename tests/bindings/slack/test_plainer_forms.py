"""A refused answer takes plainer forms, until it stands somewhere: the whole ladder, with a strict stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from bindings.delivery.context import DeliveryContext, DeliveryOptions, DeliveryOutcome, RetryPolicy
from bindings.delivery.deliver import deliver
from bindings.delivery.outlet import CredentialsRefused
from bindings.incoming import IncomingMessage, Place
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import BOT_USER, PERSON, FakeSlack
from bindings.selftest.slack_texts import text_of
from bindings.slack import outlet
from bindings.slack.adapter import SlackPlatform
from bindings.slack.api import SlackApi
from core.contract import Done, Event, Source, Text, Usage
from core.texts import text
from tests.bindings.support_fakes import FakeLedger

CONTEXT = DeliveryContext(retry=RetryPolicy(first_s=0.001, limit_s=0.01))
DIRECT_CHANNEL = f"D{PERSON}"


class Question:
    """A question in a thread of a channel, and the delivery of its answer."""

    def __init__(self, slack: FakeSlack, platform: SlackPlatform) -> None:
        self.slack = slack
        self.ledger = FakeLedger()
        ts = slack.add_message("C1", f"<@{BOT_USER}> why?")
        place = Place("slack", "T0001", "C1", ts, "channel", {"user": PERSON, "team": "T0001"})
        self.outlet = platform.outlet(IncomingMessage("e", place, ts, PERSON, "why?"))
        self.streamed = asyncio.Event()  # the rest of the answer waits for it
        self.streamed.set()

    async def answer(self, whole: str = "One two.") -> DeliveryOutcome:
        options = DeliveryOptions("en", "ans-1", "C1", footer=lambda model: f"AI ({model}).", context=CONTEXT)
        async with asyncio.timeout(60):
            return await deliver(self._events(whole), self.outlet, self.ledger, options)

    async def _events(self, whole: str) -> AsyncGenerator[Event, None]:
        half = len(whole) // 2
        yield Text(whole[:half])
        await self.streamed.wait()
        yield Source(1, "Pay", "https://canada.ca/pay")
        yield Text(whole[half:])
        yield Done("stop", "m", Usage())

    async def answer_after_first_words(self) -> DeliveryOutcome:
        """Ends the answer once its first words are visible."""
        self.streamed.clear()
        running = asyncio.ensure_future(self.answer())
        await self.slack.until(lambda: self.slack.answers("C1"))
        self.streamed.set()
        return await running


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls follow each other at once, as the stand-in has no rate limits."""
    for name in ("APPEND_INTERVAL_S", "UPDATE_INTERVAL_S", "POST_INTERVAL_S", "FIRST_WORDS_S"):
        monkeypatch.setattr(outlet, name, 0.0)


@pytest.fixture
def question(slack: FakeSlack, platform: SlackPlatform) -> Question:
    return Question(slack, platform)


def check_whole(message: dict[str, object]) -> None:
    """The message has the text, its source and the AI label, and nobody is writing it any more."""
    assert "One two." in text_of(message)
    for part in ("canada.ca/pay", "AI (m)."):
        assert part in str(message["blocks"]) + str(message["text"])
    assert not message.get("streaming")


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_too_long", "msg_blocks_too_long", "invalid_arguments"])
async def test_a_stream_with_refused_content_ends_as_text(slack: FakeSlack, question: Question, error: str) -> None:
    """The message keeps its place: its blocks are refused, and text replaces them."""
    slack.permanent_errors["chat.stopStream"] = error
    slack.choose_error = lambda method, arguments: error if method == "chat.update" and arguments["blocks"] else None
    outcome = await question.answer_after_first_words()

    assert "delivered" == outcome.ending
    [message] = slack.answers("C1")
    assert [] == message["blocks"]
    assert "One two." in message["text"]
    assert "AI (m)." in message["text"]


@pytest.mark.parametrize("error", ["cant_update_message", "edit_window_closed", "a_code_of_tomorrow"])
async def test_a_message_that_cannot_be_edited_is_replaced(slack: FakeSlack, question: Question, error: str) -> None:
    """The whole answer is in a new message, and no stump stays."""
    slack.permanent_errors["chat.appendStream"] = slack.permanent_errors["chat.update"] = error
    outcome = await question.answer_after_first_words()

    assert "delivered" == outcome.ending
    [message] = slack.answers("C1")
    check_whole(message)


async def test_where_slack_takes_no_edits_the_whole_answer_is_a_new_message(
    slack: FakeSlack, question: Question
) -> None:
    """Nothing streams either, and Slack refuses each edit while the answer is written."""
    slack.permanent_errors["chat.startStream"] = slack.permanent_errors["chat.update"] = "cant_update_message"
    question.streamed.clear()
    running = asyncio.ensure_future(question.answer("One two. " * 4))
    await slack.until(lambda: slack.calls_to("chat.postMessage"))
    question.streamed.set()

    assert "delivered" == (await running).ending
    [message] = slack.answers("C1")
    check_whole(message)


@pytest.mark.parametrize(
    "error",
    [
        *("not_in_channel", "is_archived", "restricted_action", "channel_not_found", "missing_scope"),
        *("restricted_action_thread_locked", "team_access_not_granted"),
    ],
)
async def test_an_answer_that_its_place_refuses_goes_to_the_asker(
    slack: FakeSlack, question: Question, error: str
) -> None:
    """The direct message says why it is there."""
    slack.choose_error = lambda method, arguments: (
        error if method.startswith("chat.") and arguments["channel"] == "C1" else None
    )
    outcome = await question.answer()

    assert "delivered" == outcome.ending
    [message] = slack.answers(DIRECT_CHANNEL)
    check_whole(message)
    assert text("delivery-direct", "en") in str(message["blocks"])
    assert [] == slack.answers("C1")


async def test_a_channel_that_is_archived_under_way_leaves_no_answer_unfinished(
    slack: FakeSlack, question: Question
) -> None:
    """The words so far stay there, and the whole answer goes to the asker."""
    slack.choose_error = lambda method, arguments: (
        "is_archived" if method != "chat.startStream" and arguments.get("channel") == "C1" else None
    )
    outcome = await question.answer_after_first_words()

    assert "delivered" == outcome.ending
    [message] = slack.answers(DIRECT_CHANNEL)
    check_whole(message)


async def test_a_long_answer_as_text_takes_several_messages(slack: FakeSlack, question: Question) -> None:
    """Nothing is lost, and each message can be edited."""
    slack.permanent_errors["chat.startStream"] = "unknown_method"
    slack.choose_error = lambda method, arguments: "invalid_blocks" if arguments.get("blocks") else None
    outcome = await question.answer("word " * 2000 + "end")

    assert "delivered" == outcome.ending
    texts = [str(message["text"]) for message in slack.answers("C1")]
    assert 2000 == sum(each.count("word") for each in texts)
    assert all(len(each.encode()) <= 4000 for each in texts)
    assert "AI (m)." in texts[-1]


async def test_an_answer_that_is_refused_everywhere_fails_with_its_reason(slack: FakeSlack, question: Question) -> None:
    """The operator finds Slack's first reason in the database and in the log."""
    slack.choose_error = lambda method, _: "ekm_access_denied" if method.startswith("chat.") else None
    slack.permanent_errors["conversations.open"] = "user_not_found"
    outcome = await question.answer()

    assert "refused" == outcome.ending
    assert "ekm_access_denied" in (outcome.reason or "")


async def test_a_deleted_answer_is_not_posted_again(slack: FakeSlack, question: Question) -> None:
    """Somebody did not want it."""
    question.streamed.clear()
    running = asyncio.ensure_future(question.answer())
    [message] = await slack.until(lambda: slack.answers("C1"))
    del slack.messages["C1"][message["ts"]]
    question.streamed.set()

    assert "gone" == (await running).ending
    assert [] == slack.answers("C1") + slack.answers(DIRECT_CHANNEL)


@pytest.mark.parametrize("reason", ["account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"])
async def test_a_dead_token_loses_nothing(slack: FakeSlack, api: SlackApi, reason: str) -> None:
    """The error says what to do, and is no reason to give an answer up."""
    slack.trouble["chat.postMessage"].append(Trouble(error=reason))

    with pytest.raises(CredentialsRefused, match=r"SLACK_BOT_TOKEN|install"):
        await api.write("chat.postMessage", channel="C1")


async def test_a_status_of_401_is_a_dead_token(slack: FakeSlack, api: SlackApi) -> None:
    """Also without Slack's error code."""
    slack.trouble["chat.postMessage"].append(Trouble(401, raw=""))

    with pytest.raises(CredentialsRefused):
        await api.write("chat.postMessage", channel="C1")
