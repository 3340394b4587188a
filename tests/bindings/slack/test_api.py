"""Calls to Slack, and the translation of its errors."""

from __future__ import annotations

import asyncio

import pytest

from bindings.delivery.context import DeliveryContext, RetryingCaller
from bindings.delivery.outlet import DeliveryError, Gone, Refused, Throttled, Unreachable
from bindings.metrics import BotMetrics
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import FakeSlack
from bindings.slack.api import SlackApi
from bindings.slack.refusals import SlackErrorResponse
from core.errors import LeaseLost


@pytest.mark.parametrize(
    ("trouble", "kind", "outcome"),
    [
        (Trouble(429, "ratelimited", retry_after_s="7"), Throttled, "throttled"),
        (Trouble(429, raw="slow down", retry_after_s="7"), Throttled, "throttled"),
        (Trouble(200, "ratelimited", retry_after_s="7"), Throttled, "throttled"),
        (Trouble(500, "internal_error"), Unreachable, "unreachable"),
        (Trouble(503, raw="<html>"), Unreachable, "unreachable"),
        (Trouble(200, raw="<html>"), Unreachable, "unreachable"),
        (Trouble(200, raw=""), Unreachable, "unreachable"),
        (Trouble(200, "fatal_error"), Unreachable, "unreachable"),
        (Trouble(cut=True), Unreachable, "unreachable"),
        (Trouble(502, "unknown_method"), Unreachable, "unreachable"),
        (Trouble(200, "update_failed"), Unreachable, "unreachable"),
        (Trouble(200, "channel_not_found"), Refused, "refused"),
        (Trouble(200, "is_archived"), Refused, "refused"),
        (Trouble(200, "a_code_of_tomorrow"), Refused, "refused"),
        (Trouble(501, "unknown_method"), Refused, "refused"),
        (Trouble(501, raw="<html>"), Refused, "refused"),
        (Trouble(413, raw="<html>"), Refused, "refused"),
        (Trouble(403, raw=""), Refused, "refused"),
        (Trouble(200, "not_in_channel"), Refused, "refused"),
        (Trouble(200, "invalid_blocks"), Refused, "refused"),
    ],
)
async def test_each_error_is_translated(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics, trouble: Trouble, kind: type[DeliveryError], outcome: str
) -> None:
    """It becomes one of four delivery errors and is counted. The call is made once."""
    slack.trouble["chat.postMessage"].append(trouble)

    with pytest.raises(kind) as caught:
        await api.write("chat.postMessage", channel="C1", text="secret words")
    assert 1 == len(slack.calls_to("chat.postMessage"))
    assert 1 == metrics.calls.labels(outcome)._value.get()
    assert "secret words" not in caught.value.message
    if kind is Throttled:
        assert 7 == caught.value.retry_after_s


@pytest.mark.parametrize(
    ("method", "reason", "kind"),
    [
        ("chat.update", "message_not_found", Gone),
        ("chat.update", "channel_not_found", Refused),
        ("chat.appendStream", "message_not_found", Gone),
        ("chat.startStream", "user_not_found", Refused),
        ("chat.startStream", "message_not_found", Refused),
        ("chat.postMessage", "thread_not_found", Refused),
        ("chat.delete", "message_not_found", Gone),
        ("chat.delete", "channel_not_found", Refused),
        ("chat.delete", "cant_delete_message", Refused),
        ("conversations.replies", "thread_not_found", Refused),
    ],
)
async def test_one_code_means_different_things(
    slack: FakeSlack, api: SlackApi, method: str, reason: str, kind: type[DeliveryError]
) -> None:
    """Only what a method acts on can be gone: an answer that was not posted must stand somewhere else."""
    slack.trouble[method].append(Trouble(error=reason))

    with pytest.raises(kind) as caught:
        await api.write(method, channel="C1")
    assert isinstance(caught.value, SlackErrorResponse)
    assert (method, reason) == (caught.value.method, caught.value.reason)


@pytest.mark.parametrize("header", ["soon", "nan", "inf", "-1", "99999", None])
async def test_an_invalid_retry_after_is_bounded(slack: FakeSlack, api: SlackApi, header: str | None) -> None:
    """Pauses of days or NaN seconds are impossible."""
    slack.trouble["chat.update"].append(Trouble(429, retry_after_s=header))

    with pytest.raises(Throttled) as caught:
        await api.write("chat.update")
    assert caught.value.retry_after_s is not None
    assert 0 <= caught.value.retry_after_s <= 600


async def test_a_call_of_a_delivery_ends_between_two_requests_when_the_lease_is_lost(
    slack: FakeSlack, api: SlackApi
) -> None:
    """A process that was paused between them must not send the second one, because another process may have."""
    lost = False

    def check_lease() -> None:
        if lost:
            raise LeaseLost("another process may do it now")

    async def take_over() -> None:
        nonlocal lost
        await api.write("assistant.threads.setStatus", channel_id="C1", thread_ts="1.0", status="")
        lost = True
        await api.write("chat.update", channel="C1", ts="1.0")

    with pytest.raises(LeaseLost):
        await RetryingCaller(DeliveryContext(check_lease=check_lease)).call(take_over)

    assert ["assistant.threads.setStatus"] == [method for method, _ in slack.calls]


async def test_a_missing_scope_says_where_to_click(slack: FakeSlack, api: SlackApi) -> None:
    """The error names the scope and the page."""
    slack.trouble["files.info"].append(Trouble(error="missing_scope", needed="files:read"))

    with pytest.raises(Refused, match=r"files:read.*api\.slack\.com/apps → OAuth & Permissions") as caught:
        await api.read("files.info", file="F1")
    assert isinstance(caught.value, SlackErrorResponse)
    assert "missing_scope" == caught.value.reason


async def test_all_calls_share_one_pool(slack: FakeSlack, api: SlackApi) -> None:
    """The SDK alone would open a connection for each call."""
    session = api.session
    await asyncio.gather(*(api.write("auth.test") for _ in range(5)))

    assert session is api.session is api.web.session
    assert 5 == len(slack.calls_to("auth.test"))


async def test_a_refused_connection_is_unreachable(slack: FakeSlack, api: SlackApi) -> None:
    """A closed port raises Unreachable."""
    api.web.base_url = "http://127.0.0.1:1/"

    with pytest.raises(Unreachable):
        await api.write("auth.test")
