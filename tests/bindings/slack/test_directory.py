"""Names and files for the ids in messages."""

from __future__ import annotations

import pytest

from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import FakeSlack
from bindings.slack.adapter import SlackPlatform
from bindings.slack.references import NO_REFERENCES, MarkupReferences


@pytest.fixture(autouse=True)
def workspace(slack: FakeSlack) -> None:
    slack.users["U0BOB"] = {"id": "U0BOB", "name": "bob", "profile": {"display_name": "Bob Roy"}}
    slack.channels["C0GEN"] = {"id": "C0GEN", "name": "general", "is_private": False}
    slack.channels["C0HID"] = {"id": "C0HID", "name": "layoffs", "is_private": True}
    slack.user_groups["S0HR"] = {"id": "S0HR", "handle": "hr-team", "name": "HR", "users": ["U0BOB"]}
    slack.files["F0EXT"] = {"id": "F0EXT", "name": "plan.csv"}


async def test_ids_have_names(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Each id is looked up once, and user groups together. The name of a private channel is not told."""
    ids = ("U0BOB", "C0GEN", "C0HID", "S0HR", "S0X", "F0EXT", "C0X", "D0X")
    expected = MarkupReferences(
        {"U0BOB": "Bob Roy", "C0GEN": "general", "S0HR": "hr-team"}, {"F0EXT": slack.files["F0EXT"]}
    )

    assert expected == await platform.directory.resolve(ids, 10)
    assert expected.names == (await platform.directory.resolve(ids, 10)).names
    methods = [method for method, _ in slack.calls]
    assert {"users.info": 1, "conversations.info": 3, "usergroups.list": 1, "files.info": 2} == {
        method: methods.count(method) for method in set(methods)
    }


@pytest.mark.parametrize("trouble", [Trouble(500), Trouble(error="missing_scope"), Trouble(429, retry_after_s="1")])
async def test_a_refused_name_is_left_out(slack: FakeSlack, platform: SlackPlatform, trouble: Trouble) -> None:
    """No answer fails because of it."""
    for method in ("users.info", "conversations.info", "usergroups.list", "files.info"):
        slack.trouble[method].append(trouble)

    references = await platform.directory.resolve(("C0GEN", "S0HR"), 10)
    assert {} == references.names


async def test_names_that_take_too_long_are_left_out(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Slack waits three seconds for the acknowledgement of an event."""
    assert NO_REFERENCES == await platform.directory.resolve(("U0BOB",), 0)


async def test_a_file_that_slack_withholds_is_hidden(slack: FakeSlack, platform: SlackPlatform) -> None:
    """The message names it as unread."""
    references = await platform.directory.resolve(("F0X",), 10)

    assert {"F0X": {"mode": "hidden_by_limit"}} == references.files
