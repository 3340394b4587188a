"""Answers that only one person sees."""

from __future__ import annotations

import pytest

from bindings.delivery.outlet import Gone, Page, Refused, Throttled, Unreachable, Upload
from bindings.selftest.slack_server import FakeSlack
from bindings.slack.api import SlackApi
from bindings.slack.outlet import EphemeralOutlet


@pytest.fixture
def outlet(slack: FakeSlack, api: SlackApi) -> EphemeralOutlet:
    return EphemeralOutlet(api, f"{slack.url}/response/1")


async def test_only_the_final_page_is_sent(slack: FakeSlack, outlet: EphemeralOutlet) -> None:
    """Slack allows five calls."""
    ref = await outlet.post(Page("", "en", status="A moment."), "n-1")
    await outlet.edit(ref, Page("Whisper", "en"))
    await outlet.edit(ref, Page("**Whisper** <!here>", "en", final=True))

    [message] = slack.ephemeral_messages
    assert "ephemeral" == message["response_type"]
    assert "**Whisper** ‹!here>" == message["blocks"][0]["text"]
    assert await outlet.find("n-1") is None
    assert not await outlet.upload(Upload("a", "text/plain", b""), "n-1")


@pytest.mark.parametrize(("status", "kind"), [(404, Gone), (429, Throttled), (503, Unreachable)])
async def test_errors_of_the_response_url_are_translated(
    slack: FakeSlack, outlet: EphemeralOutlet, status: int, kind: type[Exception]
) -> None:
    """It is valid for 30 minutes: later nobody can get the answer."""
    slack.response_status = status

    with pytest.raises(kind):
        await outlet.post(Page("Hello", "en", final=True), "n-1")


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "http://hooks.slack.com/x", "https://slack.com.evil.example/"]
)
async def test_only_slacks_hosts_are_called(api: SlackApi, url: str) -> None:
    """A stored URL with another host is refused."""
    api.web.base_url = "https://slack.com/api/"

    with pytest.raises(Refused):
        await EphemeralOutlet(api, url).post(Page("Hello", "en", final=True), "n-1")
