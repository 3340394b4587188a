"""Answers that only one person sees."""

from __future__ import annotations

import pytest

from bindings.delivery.outlet import DIRECT, DeliveryError, Outlet, Page, Refused, Throttled, Unreachable, Upload
from bindings.incoming import BotCommand, IncomingMessage, Place
from bindings.selftest.slack_server import PERSON, RESPONSES_LIMIT, FakeSlack
from bindings.slack.adapter import SlackPlatform
from bindings.slack.api import SlackApi

FINAL = Page("Hello", "en", final=True)


def build_outlet(platform: SlackPlatform, url: str) -> Outlet:
    place = Place("slack", "T0001", "C1", None, "channel", {"user": PERSON, "response_url": url}, threaded=True)
    return platform.outlet(IncomingMessage("e", place, "13.1", PERSON, "", command=BotCommand("forget")))


@pytest.fixture
def outlet(slack: FakeSlack, platform: SlackPlatform) -> Outlet:
    return build_outlet(platform, f"{slack.url}/response/1")


async def refusal(outlet: Outlet, page: Page = FINAL) -> DeliveryError:
    """Posts a page. Returns the error."""
    with pytest.raises(Refused) as caught:
        await outlet.post(page, "n-1")
    return caught.value


async def test_only_the_final_page_is_sent(slack: FakeSlack, outlet: Outlet) -> None:
    """Slack allows five calls."""
    ref = await outlet.post(Page("", "en", status="A moment."), "n-1")
    await outlet.edit(ref, Page("Whisper", "en"))
    await outlet.edit(ref, Page("**Whisper** <!here>", "en", final=True))

    [message] = slack.ephemeral_messages
    assert "ephemeral" == message["response_type"]
    assert "**Whisper** ‹!here>" == message["blocks"][0]["text"]
    assert await outlet.find("n-1") is None
    assert not await outlet.upload(Upload("a", "text/plain", b""), "n-1")


@pytest.mark.parametrize(("status", "kind"), [(404, Refused), (501, Refused), (429, Throttled), (503, Unreachable)])
async def test_errors_of_the_response_url_are_translated(
    slack: FakeSlack, outlet: Outlet, status: int, kind: type[DeliveryError]
) -> None:
    """It is valid for 30 minutes: after that another way reaches the author."""
    slack.response_status = status

    with pytest.raises(kind):
        await outlet.post(FINAL, "n-1")


@pytest.mark.parametrize("error", ["expired_url", "used_url"])
async def test_without_the_response_url_an_ephemeral_message_is_posted(
    slack: FakeSlack, outlet: Outlet, error: str
) -> None:
    """It reaches the author in the channel, and nobody else."""
    slack.response_error = error
    plainer = outlet.plainer(await refusal(outlet))
    assert plainer is not None
    await plainer.post(FINAL, "n-1")

    [message] = slack.ephemeral_messages
    assert ("C1", PERSON, False) == (message["channel"], message["user"], message["unfurl_links"])
    assert [] == slack.answers("C1")


async def test_a_used_up_response_url_is_refused(slack: FakeSlack, outlet: Outlet) -> None:
    """A long answer may need more messages than it takes."""
    for number in range(RESPONSES_LIMIT):
        await outlet.post(FINAL, f"n-{number}")
    error = await refusal(outlet)

    assert "used_url" in error.message


async def test_an_author_who_left_the_channel_gets_a_direct_message(slack: FakeSlack, outlet: Outlet) -> None:
    """An answer for one person is never posted in the channel."""
    slack.response_error = "expired_url"
    slack.absent.add("C1")
    posted = outlet.plainer(await refusal(outlet))
    assert posted is not None
    direct = posted.plainer(await refusal(posted))
    assert direct is not None
    assert DIRECT == direct.form
    await direct.post(FINAL, "n-1")

    assert 1 == len(slack.answers(f"D{PERSON}"))
    assert [] == slack.answers("C1") + slack.ephemeral_messages


async def test_refused_blocks_become_text(slack: FakeSlack, outlet: Outlet) -> None:
    """The same way is tried again, with the whole answer as text."""
    slack.response_error = "invalid_blocks"
    plainer = outlet.plainer(await refusal(outlet))
    assert plainer is not None
    slack.response_error = ""
    await plainer.post(FINAL, "n-1")

    [message] = slack.ephemeral_messages
    assert ("Hello", False) == (message["text"], "blocks" in message)


@pytest.mark.parametrize("form", ["", "posted", DIRECT])
def test_the_next_process_continues_in_the_same_form(outlet: Outlet, form: str) -> None:
    """The database keeps the form, not the outlet."""
    assert form == outlet.in_form(form).form


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "http://hooks.slack.com/x", "https://slack.com.evil.example/"]
)
async def test_only_slacks_hosts_are_called(platform: SlackPlatform, api: SlackApi, url: str) -> None:
    """A stored URL with another host is refused."""
    api.web.base_url = "https://slack.com/api/"

    await refusal(build_outlet(platform, url))
