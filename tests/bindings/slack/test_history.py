"""What the intake asks of Slack besides: what others said, and files."""

from __future__ import annotations

import pytest

from bindings.delivery.outlet import Refused
from bindings.incoming import IncomingMessage, Place
from bindings.slack import history as history_module
from bindings.slack.adapter import SlackPlatform
from bindings.slack.history import THREAD_MESSAGES_LIMIT
from core.contract import Turn
from tests.bindings.slack.support_fake_slack import BOT, BOT_USER, FakeSlack, Trouble


def asked_in(channel: str, thread: str | None, message: str) -> IncomingMessage:
    kind = "personal" if channel.startswith("D") else "channel"
    return IncomingMessage("e", Place("slack", "T0001", channel, thread, kind), message, "U0ANN", "?")  # type: ignore[arg-type]


async def test_what_others_said_since_the_bot_spoke_is_heard(slack: FakeSlack, platform: SlackPlatform) -> None:
    """By name, oldest first, before the question; other bots too. What is older the conversation itself remembers."""
    slack.users["U0BOB"] = {"id": "U0BOB", "name": "bob", "profile": {"display_name": "Bob Roy"}}
    root = slack.said("C1", "the root", user="U0BOB")
    slack.said("C1", f"<@{BOT_USER}> before", thread=root)
    slack.said("C1", "An answer.", thread=root, user=BOT_USER, bot_id=BOT)
    slack.said("C1", "I think &lt;10&gt;", thread=root, user="U0BOB")
    slack.said("C1", "joined", thread=root, user="U0BOB", subtype="channel_join")
    slack.said("C1", "build failed", thread=root, user="", bot_id="B0CI", username="ci")
    slack.said("C1", "elsewhere", user="U0BOB")
    question = slack.said("C1", f"<@{BOT_USER}> who is right?", thread=root)
    slack.said("C1", "later", thread=root, user="U0BOB")

    heard = await platform.thread_messages(asked_in("C1", root, question))
    assert (Turn("user", "I think <10>", "Bob Roy"), Turn("user", "build failed", "ci")) == heard


async def test_without_an_answer_yet_the_whole_thread_is_heard(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Its root too; the newest of many, over several pages."""
    root = slack.said("C1", "the root")
    for number in range(450):
        slack.said("C1", f"m{number}", thread=root)
    question = slack.said("C1", "?", thread=root)

    heard = await platform.thread_messages(asked_in("C1", root, question))
    assert [f"m{number}" for number in range(450 - THREAD_MESSAGES_LIMIT, 450)] == [turn.text for turn in heard]


async def test_of_a_thread_without_end_nothing_is_heard(
    slack: FakeSlack, platform: SlackPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack tells it from its beginning: what is old would pass for what was said last."""
    monkeypatch.setattr(history_module, "PAGE_MESSAGES", 10)
    monkeypatch.setattr(history_module, "THREAD_PAGES", 3)
    root = slack.said("C1", "the root")
    for number in range(28):
        slack.said("C1", f"m{number}", thread=root)
    whole = slack.said("C1", "?", thread=root)
    assert "m27" == (await platform.thread_messages(asked_in("C1", root, whole)))[-1].text
    for number in range(28, 40):
        slack.said("C1", f"m{number}", thread=root)
    question = slack.said("C1", "?", thread=root)

    with pytest.raises(Refused, match="more messages"):
        await platform.thread_messages(asked_in("C1", root, question))


@pytest.mark.parametrize(("channel", "threaded"), [("C1", False), ("D1", True), ("D1", False)])
async def test_where_nobody_else_is_nothing_is_heard(
    slack: FakeSlack, platform: SlackPlatform, channel: str, threaded: bool
) -> None:
    """A mention that opens a thread, and direct conversations: no call is made."""
    root = slack.said(channel, "?")

    assert () == await platform.thread_messages(asked_in(channel, root if threaded or channel == "C1" else None, root))
    assert [] == slack.calls


async def test_people_without_the_scope_have_ids(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Asked once, not for each of them."""
    slack.refusing["users.info"] = "missing_scope"
    root = slack.said("C1", "one", user="U1")
    slack.said("C1", "two", thread=root, user="U2")
    question = slack.said("C1", "?", thread=root)

    assert ["U1", "U2"] == [turn.speaker for turn in await platform.thread_messages(asked_in("C1", root, question))]
    assert 1 == len(slack.made("users.info"))


async def test_a_person_is_asked_for_once(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Name and language are kept; trouble is not."""
    slack.users["U1"] = {"id": "U1", "name": "ann", "real_name": "Ann", "locale": "fr-CA"}
    slack.trouble["users.info"].append(Trouble(500))

    assert "U1" == (await platform.users.get("U1")).name
    assert ("Ann", "fr") == ((await platform.users.get("U1")).name, (await platform.users.get("U1")).language)
    assert 2 == len(slack.made("users.info"))
