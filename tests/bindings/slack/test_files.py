"""Downloads of attached files."""

from __future__ import annotations

import pytest
from aiohttp import web

from bindings.delivery.outlet import Refused, Throttled, Unreachable
from bindings.incoming import AttachedFile
from bindings.selftest.slack_server import FakeSlack
from bindings.slack.adapter import SlackPlatform
from bindings.slack.api import SlackApi


def slack_file(slack: FakeSlack, name: str, **more: object) -> AttachedFile:
    return AttachedFile(name, f"{slack.url}/files/{name}", "text/csv", **more)  # type: ignore[arg-type]


async def test_a_file_is_fetched_with_the_bots_token(slack: FakeSlack, platform: SlackPlatform) -> None:
    """A file of another workspace is fetched by its id."""
    slack.downloads["a.csv"] = web.Response(body=b"a,b\n")
    slack.files["F1"] = {"id": "F1", "url_private": f"{slack.url}/files/a.csv"}

    assert b"a,b\n" == await platform.fetch(slack_file(slack, "a.csv"), 100)
    assert b"a,b\n" == await platform.fetch(AttachedFile("a.csv", "slack-file:F1", "text/csv"), 100)
    assert {("/files/a.csv", "Bearer xoxb-1-good")} == set(slack.file_requests)


@pytest.mark.parametrize("declared", [200, None])
async def test_a_file_that_is_too_large_is_refused(
    slack: FakeSlack, platform: SlackPlatform, declared: int | None
) -> None:
    """The declared size is enough; otherwise reading stops at the limit."""
    slack.downloads["a.csv"] = web.Response(body=b"x" * 200)

    with pytest.raises(Refused, match="more than 100 bytes"):
        await platform.fetch(slack_file(slack, "a.csv", size_bytes=declared), 100)


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
async def test_the_token_goes_to_slack_only(platform: SlackPlatform, api: SlackApi, url: str) -> None:
    """No request is made to other hosts."""
    api.web.base_url = "https://slack.com/api/"

    with pytest.raises((Refused, Unreachable)):
        await platform.fetch(AttachedFile("a.csv", url, "text/csv"), 100)


async def test_a_redirect_to_another_host_is_not_followed(slack: FakeSlack, platform: SlackPlatform) -> None:
    """A redirect to Slack is followed, at most three times."""
    slack.downloads["a.csv"] = web.Response(status=302, headers={"Location": "https://evil.example/a.csv"})
    slack.downloads["b.csv"] = web.Response(status=302, headers={"Location": f"{slack.url}/files/c.csv"})
    slack.downloads["c.csv"] = web.Response(body=b"c")
    slack.downloads["d.csv"] = web.Response(status=302, headers={"Location": f"{slack.url}/files/d.csv"})

    with pytest.raises(Refused, match="hosts"):
        await platform.fetch(slack_file(slack, "a.csv"), 100)
    assert b"c" == await platform.fetch(slack_file(slack, "b.csv"), 100)
    with pytest.raises(Refused, match="redirected"):
        await platform.fetch(slack_file(slack, "d.csv"), 100)


async def test_a_sign_in_page_is_not_a_file(slack: FakeSlack, platform: SlackPlatform) -> None:
    """Slack sends it if the scope is missing. The error names the scope."""
    slack.downloads["a.csv"] = web.Response(body=b"<html>", content_type="text/html")

    with pytest.raises(Refused, match="files:read"):
        await platform.fetch(slack_file(slack, "a.csv"), 100)


@pytest.mark.parametrize(("status", "kind"), [(429, Throttled), (500, Unreachable), (404, Refused)])
async def test_errors_of_downloads_are_translated(
    slack: FakeSlack, platform: SlackPlatform, status: int, kind: type[Exception]
) -> None:
    """The errors are those of other calls."""
    slack.downloads["a.csv"] = web.Response(status=status)

    with pytest.raises(kind):
        await platform.fetch(slack_file(slack, "a.csv"), 100)
