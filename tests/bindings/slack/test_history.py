"""Other people's messages in a thread, and their names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bindings.delivery.outlet import Refused
from bindings.incoming import AttachedFile, IncomingMessage, Place, ThreadMessages
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import BOT, BOT_USER, FakeSlack
from bindings.slack import history as history_module
from bindings.slack.adapter import SlackPlatform
from bindings.slack.surroundings import THREAD_MESSAGES_LIMIT
from core.contract import Turn


def build_question(channel: str, thread: str | None, message: str) -> IncomingMessage:
    kind = "personal" if channel.startswith("D") else "channel"
    return IncomingMessage("e", Place("slack", "T0001", channel, thread, kind), message, "U0ANN", "?")  # type: ignore[arg-type]


async def test_thread_messages_since_the_last_answer_are_read(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Oldest first, with names, before the question, including other bots'. The conversation has the older ones."""
    slack.users["U0BOB"] = {"id": "U0BOB", "name": "bob", "profile": {"display_name": "Bob Roy"}}
    root = slack.add_message("C1", "the root", user="U0BOB")
    slack.add_message("C1", f"<@{BOT_USER}> before", thread=root)
    slack.add_message("C1", "An answer.", thread=root, user=BOT_USER, bot_id=BOT)
    slack.add_message("C1", "I think &lt;10&gt;", thread=root, user="U0BOB")
    slack.add_message("C1", "joined", thread=root, user="U0BOB", subtype="channel_join")
    slack.add_message("C1", "build failed", thread=root, user="", bot_id="B0CI", username="ci")
    slack.add_message("C1", "elsewhere", user="U0BOB")
    question = slack.add_message("C1", f"<@{BOT_USER}> who is right?", thread=root)
    slack.add_message("C1", "later", thread=root, user="U0BOB")

    turns = (await platform.thread_messages(build_question("C1", root, question))).turns
    assert (Turn("user", "I think <10>", "Bob Roy"), Turn("user", "build failed", "ci")) == turns


async def test_without_an_answer_the_whole_thread_is_read(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Of several pages: the root, which says what the thread is about, and the newest messages."""
    root = slack.add_message("C1", "the root")
    for number in range(450):
        slack.add_message("C1", f"m{number}", thread=root)
    question = slack.add_message("C1", "?", thread=root)

    turns = (await platform.thread_messages(build_question("C1", root, question))).turns
    newest = [f"m{number}" for number in range(451 - THREAD_MESSAGES_LIMIT, 450)]
    assert ["the root", *newest] == [turn.text for turn in turns]


async def test_a_very_long_thread_is_not_read(
    slack: FakeSlack, platform: SlackPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack returns the oldest messages first, which would pass for the newest."""
    monkeypatch.setattr(history_module, "PAGE_MESSAGES", 10)
    monkeypatch.setattr(history_module, "THREAD_PAGES", 3)
    root = slack.add_message("C1", "the root")
    for number in range(28):
        slack.add_message("C1", f"m{number}", thread=root)
    whole = slack.add_message("C1", "?", thread=root)
    assert "m27" == (await platform.thread_messages(build_question("C1", root, whole))).turns[-1].text
    for number in range(28, 40):
        slack.add_message("C1", f"m{number}", thread=root)
    question = slack.add_message("C1", "?", thread=root)

    with pytest.raises(Refused, match="more messages"):
        await platform.thread_messages(build_question("C1", root, question))


@pytest.mark.parametrize("threaded", [True, False])
async def test_in_a_direct_conversation_no_call_is_made(
    slack: FakeSlack, platform: SlackPlatform, threaded: bool
) -> None:
    """All messages there are to the bot, so they are turns already."""
    root = slack.add_message("D1", "?")

    assert ThreadMessages() == await platform.thread_messages(build_question("D1", root if threaded else None, root))
    assert [] == slack.calls


async def test_without_the_scope_names_are_ids(slack: FakeSlack, platform: SlackPlatform) -> None:
    """The first refused call is the last."""
    slack.permanent_errors["users.info"] = "missing_scope"
    root = slack.add_message("C1", "one", user="U1")
    slack.add_message("C1", "two", thread=root, user="U2")
    question = slack.add_message("C1", "?", thread=root)

    assert ["U1", "U2"] == [
        turn.speaker for turn in (await platform.thread_messages(build_question("C1", root, question))).turns
    ]
    assert 1 == len(slack.calls_to("users.info"))


async def test_names_are_looked_up_once(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Names and language are cached; failures are not."""
    slack.users["U1"] = {"id": "U1", "name": "ann", "real_name": "Ann", "locale": "fr-CA"}
    slack.trouble["users.info"].append(Trouble(500))

    assert "U1" == (await platform.users.get("U1")).name
    assert ("Ann", "fr") == ((await platform.users.get("U1")).name, (await platform.users.get("U1")).language)
    assert 2 == len(slack.calls_to("users.info"))


# ---------------------------------------------------------------- before a mention in a channel


async def hear(slack: FakeSlack, platform: SlackPlatform, question: str) -> list[str]:
    """The texts that a mention at the top of C1 hears."""
    return [turn.text for turn in (await platform.thread_messages(build_question("C1", question, question))).turns]


async def test_a_mention_in_a_channel_hears_what_was_said_before_it(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Also the alert of an app without a text. Replies in threads belong to their threads."""
    slack.add_message("C1", "is <@U0BOB|bob> in?")
    alert = {"title": "Disk full", "text": "91 % on db-1", "fallback": "Disk"}
    root = slack.add_message("C1", "", user="", bot_id="B0CI", username="ci", attachments=[alert])
    slack.add_message("C1", "a reply", thread=root)
    slack.add_message("C1", "joined", subtype="channel_join")
    question = slack.add_message("C1", f"<@{BOT_USER}> what about this?")
    slack.add_message("C1", "later")

    turns = (await platform.thread_messages(build_question("C1", question, question))).turns
    assert (
        Turn("user", "is @bob in?", "U0ANN"),
        Turn("user", "[embedded content: Disk full]\nDisk full\n91 % on db-1", "ci"),
    ) == turns


async def test_the_bots_previous_answer_ends_what_a_mention_hears(slack: FakeSlack, platform: SlackPlatform) -> None:
    """The answer is in the thread of the previous question, so that message names the bot as a replier."""
    slack.add_message("C1", "long ago")
    slack.add_message("C1", f"<@{BOT_USER}> one?", reply_users=["U0BOB", BOT_USER])
    slack.add_message("C1", "two")
    question = slack.add_message("C1", f"<@{BOT_USER}> three?")

    assert ["two"] == await hear(slack, platform, question)


async def test_a_pause_ends_what_a_mention_hears(slack: FakeSlack, platform: SlackPlatform) -> None:
    """But people come back to the last message hours later."""
    for ts, text in (("1759000000.000100", "morning"), ("1759010000.000100", "alert"), ("1759010060.000100", "hm")):
        slack.messages["C1"][ts] = {"type": "message", "user": "U0BOB", "text": text, "ts": ts}
    question = slack.add_message("C1", f"<@{BOT_USER}> what about this?")

    assert ["alert", "hm"] == await hear(slack, platform, question)


async def test_a_mention_hears_a_limited_number_of_messages(slack: FakeSlack, platform: SlackPlatform) -> None:
    """The newest ones, of one call."""
    for number in range(THREAD_MESSAGES_LIMIT + 9):
        slack.add_message("C1", f"m{number}")
    question = slack.add_message("C1", f"<@{BOT_USER}> ?")

    assert [f"m{number}" for number in range(9, THREAD_MESSAGES_LIMIT + 9)] == await hear(slack, platform, question)
    assert 1 == len(slack.calls_to("conversations.history"))


async def test_files_of_earlier_messages_are_read(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Those of the root, of forwarded messages, and of other workspaces, each once."""
    url = "https://files.slack.com/a.csv"
    report = {"id": "F1", "name": "a.csv", "mimetype": "text/csv", "size": 9, "url_private": url}
    slack.files["F2"] = {
        "id": "F2",
        "name": "b.pdf",
        "mimetype": "application/pdf",
        "url_private": "https://files.slack.com/b",
    }
    forward = {"is_share": True, "author_name": "Bob", "text": "see", "files": [report]}
    root = slack.add_message("C1", "", files=[report], attachments=[forward], subtype="file_share")
    slack.add_message("C1", "", thread=root, files=[{"id": "F2", "file_access": "check_file_info"}])
    question = slack.add_message("C1", f"<@{BOT_USER}> sum up", thread=root)

    heard = await platform.thread_messages(build_question("C1", root, question))
    assert (
        AttachedFile("a.csv", url, "text/csv", 9),
        AttachedFile("b.pdf", "https://files.slack.com/b", "application/pdf"),
    ) == heard.files
    assert ["[forwarded message from Bob]\nsee", "[b.pdf]"] == [turn.text for turn in heard.turns]


async def test_what_cannot_be_read_in_a_thread_is_named_to_the_model(slack: FakeSlack, platform: SlackPlatform) -> None:
    """In the language of the question."""
    root = slack.add_message("C1", "voici", files=[{"id": "F1", "name": "plan.png", "mimetype": "image/png"}])
    question = slack.add_message("C1", "?", thread=root)
    incoming = replace(build_question("C1", root, question), text="Pouvez-vous me dire ce que montre cette image?")

    [turn] = (await platform.thread_messages(incoming)).turns
    assert turn.text.startswith("voici\n\n[Non lu\u00a0: une image (plan.png).")


async def test_a_very_long_message_is_cut_visibly(slack: FakeSlack, platform: SlackPlatform) -> None:
    """The end shows that something is missing."""
    root = slack.add_message("C1", "x" * 20_000)
    question = slack.add_message("C1", "?", thread=root)

    [turn] = (await platform.thread_messages(build_question("C1", root, question))).turns
    assert turn.text.endswith("x […]")
    assert len(turn.text) < 9000
