"""Which messages are for the bot: edits, listed bots and channels, and messages to other people."""

from __future__ import annotations

from typing import Any

import pytest

from bindings.incoming import IncomingMessage
from bindings.intake.admission import AccessLists
from bindings.selftest.slack_server import BOT, BOT_USER, FakeSlack
from bindings.slack.mapping import MENTIONS_ONLY, ListenRules, is_for_others, parse_message
from tests.bindings.slack.support_fakes import ME, FakeIntake, payload
from tests.bindings.slack.support_payloads import mrkdwn, rich_text, section
from tests.bindings.slack.support_running_adapter import deliver, run_adapter

MENTION = f"<@{BOT_USER}>"
LISTED = ListenRules(bots=frozenset({"B0CI", "A0002"}))


def change(name: str, **event: Any) -> dict[str, Any]:
    body = payload(name)
    return {**body, "event": {**body["event"], **event}}


# ---------------------------------------------------------------- edits


def build_edit(before: str, after: str, **more: Any) -> dict[str, Any]:
    body = payload("message_changed")
    body["event"]["previous_message"] |= {"text": before}
    body["event"]["message"] |= {"text": after, **more}
    return body


def test_an_edit_that_adds_the_mention_is_a_question() -> None:
    """It is the same event as the message, so both together get one answer."""
    incoming = parse_message(build_edit("what is a pension?", f"{MENTION} what is a pension?"), ME)
    mention = parse_message(payload("app_mention"), ME)

    assert incoming == mention


@pytest.mark.parametrize(
    ("before", "after"),
    [(f"{MENTION} one", f"{MENTION} two"), (f"{MENTION} one", "one"), ("one", "two"), ("one", "<@U0BOTX> one")],
)
def test_other_edits_are_no_questions(before: str, after: str) -> None:
    """The question was answered when it was asked."""
    assert parse_message(build_edit(before, after), ME) is None


def test_an_edit_without_the_former_message_is_no_question() -> None:
    """It may have mentioned the bot before."""
    body = build_edit("", f"{MENTION} one")
    del body["event"]["previous_message"]

    assert parse_message(body, ME) is None


@pytest.mark.parametrize("more", [{"user": BOT_USER}, {"bot_id": "B0CI"}, {"subtype": "channel_topic"}])
def test_only_peoples_edits_are_questions(more: dict[str, Any]) -> None:
    """The bot edits its own messages all the time."""
    assert parse_message(build_edit("one", f"{MENTION} one", **more), ME) is None


# ---------------------------------------------------------------- bots


@pytest.mark.parametrize("name", ["message_bot", "message_other_app"])
def test_listed_bots_may_ask(name: str) -> None:
    """By the id of the bot or of its app, and only if they mention the bot."""
    incoming = parse_message(payload(name), ME, LISTED)

    assert incoming is not None
    assert "bots" in incoming.groups
    assert AccessLists((), (), LISTED.bots).admit(incoming)
    assert parse_message(payload(name), ME, MENTIONS_ONLY) is None
    assert parse_message(change(name, text="build failed"), ME, LISTED) is None
    assert parse_message(change(name, channel="D0001", text="build failed", channel_type="im"), ME, LISTED) is None


def test_a_mention_in_the_blocks_of_a_bot_counts() -> None:
    """The text of an app's message is for notifications."""
    blocks = [{"type": "section", "text": mrkdwn(f"{MENTION} why did build 5 fail?")}]
    incoming = parse_message(change("message_bot", text="Build failed", blocks=blocks), ME, LISTED)

    assert incoming is not None
    assert "why did build 5 fail?" == incoming.text


@pytest.mark.parametrize("event", [{"bot_id": BOT}, {"user": BOT_USER}])
def test_the_bot_never_asks_itself(event: dict[str, str]) -> None:
    """Not even if it is listed."""
    rules = ListenRules(bots=frozenset({BOT, BOT_USER, "B0CI", "A0002"}))

    assert parse_message(change("message_other_app", **event), ME, rules) is None


def test_slackbot_never_asks() -> None:
    """It has no id that could be listed."""
    event = {"user": "USLACKBOT", "subtype": "slackbot_response"}

    assert parse_message(change("app_mention", **event), ME, ListenRules(bots=frozenset({"USLACKBOT"}))) is None


# ---------------------------------------------------------------- other people


@pytest.mark.parametrize(
    ("text", "for_others"),
    [
        ("<@U0BOB> can you take this over?", True),
        ("<@U0BOB|bob>: yours", True),
        ("<!subteam^S0HR|@hr> please look", True),
        ("<!here> lunch?", True),
        (f"<@U0BOB> and {MENTION}, who is right?", False),
        ("and in French?", False),
        ("see <#C0GEN|general> and <https://a.ca|@here>", False),
    ],
)
def test_messages_to_other_people_are_not_for_the_bot(text: str, for_others: bool) -> None:
    """Unless they mention the bot, too."""
    assert for_others == is_for_others(change("message_thread_reply", text=text)["event"], ME)


def test_a_mention_in_rich_text_alone_counts() -> None:
    """Slack's text of a message may lack it."""
    blocks = rich_text(section({"type": "user", "user_id": "U0BOB"}))

    assert is_for_others(change("message_thread_reply", blocks=blocks)["event"], ME)


def test_mentions_in_a_forwarded_message_do_not_count() -> None:
    """They addressed other people, elsewhere."""
    attachments = [{"is_share": True, "text": "<@U0BOB> look"}]

    assert not is_for_others(change("message_thread_reply", attachments=attachments)["event"], ME)


async def test_in_the_bots_thread_a_message_to_another_is_not_answered(slack: FakeSlack, intake: FakeIntake) -> None:
    """The thread's other messages are."""
    intake.conversations.add("slack:T0001:C0001:1760000000.000100")
    event = payload("message_thread_reply")["event"]
    async with run_adapter(slack, intake):
        await deliver(slack, "message_thread_reply", event={**event, "text": "<@U0BOB> can you take this over?"})
        await deliver(slack, "message_thread_reply", event={**event, "ts": "1760000009.000100"})

    assert ["and in French?"] == [incoming.text for incoming in intake.messages]


# ---------------------------------------------------------------- channels and names


def test_in_listed_channels_a_new_thread_needs_no_mention() -> None:
    """The intake decides about the message. Elsewhere it ends here."""
    incoming = parse_message(payload("message_channel"), ME, ListenRules(channels=frozenset({"C0001"})))

    assert isinstance(incoming, IncomingMessage)
    assert incoming.is_thread_root
    assert parse_message(payload("message_channel"), ME, ListenRules(channels=frozenset({"C0002"}))) is None


async def test_a_question_has_the_names_of_those_it_mentions(slack: FakeSlack, intake: FakeIntake) -> None:
    """The model cannot know who U0BOB is."""
    slack.users["U0BOB"] = {"id": "U0BOB", "name": "bob", "real_name": "Bob Roy"}
    event = payload("app_mention")["event"]
    async with run_adapter(slack, intake):
        await deliver(slack, "app_mention", event={**event, "text": f"{MENTION} what did <@U0BOB> mean?", "blocks": []})

    assert ["what did @Bob Roy mean?"] == [incoming.text for incoming in intake.messages]


async def test_a_question_is_taken_without_names_that_slack_refuses(slack: FakeSlack, intake: FakeIntake) -> None:
    """The id stays in the text."""
    slack.permanent_errors["users.info"] = "missing_scope"
    event = payload("app_mention")["event"]
    async with run_adapter(slack, intake):
        await deliver(slack, "app_mention", event={**event, "text": f"{MENTION} who is <@U0BOB>?", "blocks": []})

    assert ["who is @U0BOB?"] == [incoming.text for incoming in intake.messages]
