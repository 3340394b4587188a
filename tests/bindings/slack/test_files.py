"""Downloads of attached files."""

from __future__ import annotations

import pytest
from aiohttp import web

from bindings.delivery.outlet import Refused, Throttled, Unreachable
from bindings.incoming import AttachedFile
from bindings.slack.adapter import SlackPlatform
from bindings.slack.api import SlackApi
from tests.bindings.slack.support_fake_slack import FakeSlack


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

    with pytest.raises(Refused, match="limit"):
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
async def test_the_token_goes_to_slack_alone(platform: SlackPlatform, api: SlackApi, url: str) -> None:
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
    with pytest.raises(Refused, match="redirected"):
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
