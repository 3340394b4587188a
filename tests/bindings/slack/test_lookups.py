"""What the intake asks of Slack besides: what others said, and files."""

from __future__ import annotations

import pytest
from aiohttp import web

from bindings.delivery.outlet import Refused, Throttled, Unreachable
from bindings.incoming import AttachedFile, IncomingMessage, Place
from bindings.slack import history as history_module
from bindings.slack.api import Api
from bindings.slack.history import HEARD_LIMIT
from bindings.slack.platform import SlackPlatform
from core.contract import Turn
from tests.bindings.slack.support_fake_slack import BOT, BOT_USER, FakeSlack, Trouble
from tests.bindings.slack.support_fakes import ME


@pytest.fixture
def platform(api: Api) -> SlackPlatform:
    return SlackPlatform(api, lambda: ME, lambda *_: None)


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
    assert [f"m{number}" for number in range(450 - HEARD_LIMIT, 450)] == [turn.text for turn in heard]


async def test_of_a_thread_without_end_nothing_is_heard(
    slack: FakeSlack, platform: SlackPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack tells it from its beginning: what is old would pass for what was said last."""
    monkeypatch.setattr(history_module, "PAGE_MESSAGES", 10)
    monkeypatch.setattr(history_module, "HEARD_PAGES", 3)
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

    assert "U1" == (await platform.people.get("U1")).name
    assert ("Ann", "fr") == ((await platform.people.get("U1")).name, (await platform.people.get("U1")).language)
    assert 2 == len(slack.made("users.info"))


def at(slack: FakeSlack, name: str, **more: object) -> AttachedFile:
    return AttachedFile(name, f"{slack.url}/files/{name}", "text/csv", **more)  # type: ignore[arg-type]


async def test_a_file_is_fetched_with_the_bots_token(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Also by its id alone, as files of other workspaces come."""
    slack.served["a.csv"] = web.Response(body=b"a,b\n")
    slack.files["F1"] = {"id": "F1", "url_private": f"{slack.url}/files/a.csv"}

    assert b"a,b\n" == await platform.fetch(at(slack, "a.csv"), 100)
    assert b"a,b\n" == await platform.fetch(AttachedFile("a.csv", "slack-file:F1", "text/csv"), 100)
    assert {("/files/a.csv", "Bearer xoxb-1-good")} == set(slack.fetched)


@pytest.mark.parametrize("told", [200, None])
async def test_a_file_that_is_too_large_is_refused(slack: FakeSlack, platform: SlackPlatform, told: int | None) -> None:
    """By what Slack says of it, or by what comes."""
    slack.served["a.csv"] = web.Response(body=b"x" * 200)

    with pytest.raises(Refused, match="allowed"):
        await platform.fetch(at(slack, "a.csv", size_bytes=told), 100)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a.csv",
        "http://files.slack.com/a.csv",
        "https://files.slack.com.evil.example/a.csv",
        "https://evilslack.com/a.csv",
        "https://ann:pw@files.slack.com/a.csv",
        "https://files.slack.com:8443/a.csv",
        "file:///etc/passwd",
        "http://127.0.0.1/a.csv",
        "//evil.example/a.csv",
        "",
        "http://[::1",
    ],
)
async def test_the_token_goes_to_slack_alone(platform: SlackPlatform, api: Api, url: str) -> None:
    """Nothing is asked of other hosts."""
    api.web.base_url = "https://slack.com/api/"

    with pytest.raises((Refused, Unreachable)):
        await platform.fetch(AttachedFile("a.csv", url, "text/csv"), 100)


async def test_a_redirect_elsewhere_is_not_followed(slack: FakeSlack, platform: SlackPlatform) -> None:
    """One to Slack itself is, but not for ever."""
    slack.served["a.csv"] = web.Response(status=302, headers={"Location": "https://evil.example/a.csv"})
    slack.served["b.csv"] = web.Response(status=302, headers={"Location": f"{slack.url}/files/c.csv"})
    slack.served["c.csv"] = web.Response(body=b"c")
    slack.served["d.csv"] = web.Response(status=302, headers={"Location": f"{slack.url}/files/d.csv"})

    with pytest.raises(Refused, match="hosts"):
        await platform.fetch(at(slack, "a.csv"), 100)
    assert b"c" == await platform.fetch(at(slack, "b.csv"), 100)
    with pytest.raises(Refused, match="circles"):
        await platform.fetch(at(slack, "d.csv"), 100)


async def test_a_sign_in_page_is_no_file(slack: FakeSlack, platform: SlackPlatform) -> None:
    """That is how Slack answers without the scope: what to click is said."""
    slack.served["a.csv"] = web.Response(body=b"<html>", content_type="text/html")

    with pytest.raises(Refused, match="files:read"):
        await platform.fetch(at(slack, "a.csv"), 100)


@pytest.mark.parametrize(("status", "kind"), [(429, Throttled), (500, Unreachable), (404, Refused)])
async def test_files_that_do_not_come(
    slack: FakeSlack, platform: SlackPlatform, status: int, kind: type[Exception]
) -> None:
    """As other calls."""
    slack.served["a.csv"] = web.Response(status=status)

    with pytest.raises(kind):
        await platform.fetch(at(slack, "a.csv"), 100)
