"""The login of the adapter to Slack: refusals, scopes, retries, and no token in a log."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bindings.metrics import BotMetrics
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import APP_TOKEN, FakeSlack
from bindings.slack.adapter import SlackAdapter
from core.errors import ConfigError
from tests.bindings.slack.support_fakes import FakeIntake, settings
from tests.bindings.slack.support_running_adapter import QUICK, deliver, run_adapter


async def test_a_wrong_bot_token_is_a_config_error(slack: FakeSlack, intake: FakeIntake) -> None:
    """The error says where to click."""
    adapter = SlackAdapter(settings(slack, SLACK_BOT_TOKEN="xoxb-wrong"), BotMetrics())
    with pytest.raises(ConfigError, match=r"SLACK_BOT_TOKEN.*OAuth & Permissions"):
        await adapter.connect(intake)  # type: ignore[arg-type]
    await adapter.close()


async def test_login_is_retried_while_slack_is_down(slack: FakeSlack, intake: FakeIntake) -> None:
    """The log has one line about it."""
    slack.trouble["auth.test"].extend([Trouble(503), Trouble(cut=True), Trouble(429, retry_after_s="0")])
    adapter = SlackAdapter(settings(slack), BotMetrics(), QUICK)
    with capture_logs() as logs:
        await adapter.connect(intake)  # type: ignore[arg-type]
    await adapter.close()

    assert 4 == len(slack.calls_to("auth.test"))
    assert 1 == [entry["event"] for entry in logs].count("slack_login_failed")


async def test_a_proxy_that_refuses_the_login_is_tried_again(slack: FakeSlack, intake: FakeIntake) -> None:
    """Its page says nothing about the token."""
    slack.trouble["auth.test"].append(Trouble(403, raw="<html>"))
    adapter = SlackAdapter(settings(slack), BotMetrics(), QUICK)
    await adapter.connect(intake)  # type: ignore[arg-type]
    await adapter.close()

    assert 2 == len(slack.calls_to("auth.test"))


async def test_missing_scopes_are_logged(slack: FakeSlack, intake: FakeIntake) -> None:
    """The log names the scopes of the manifest that Slack did not grant."""
    with capture_logs() as logs:
        async with run_adapter(slack, intake):
            pass

    (entry,) = [entry for entry in logs if entry["event"] == "slack_scopes_missing"]
    missing = ["assistant:write", "channels:read", "commands", "files:read", "files:write", "im:write"]
    assert [*missing, "usergroups:read", "users:read"] == entry["scopes"]


async def test_only_http_mode_has_routes(slack: FakeSlack) -> None:
    """Socket Mode needs no public address."""
    assert () == SlackAdapter(settings(slack, sockets=True), BotMetrics()).routes()
    [route] = SlackAdapter(settings(slack), BotMetrics()).routes()
    assert "/slack/events" == route.path  # type: ignore[attr-defined]


async def test_no_log_contains_tokens(slack: FakeSlack, intake: FakeIntake) -> None:
    """A failure also logs no text of the question."""
    with capture_logs() as logs:
        async with run_adapter(slack, intake):
            slack.trouble["chat.postMessage"].append(Trouble(500))
            await deliver(slack, "slash_ask", "slash_commands")

    assert not any(secret in str(logs) for secret in (APP_TOKEN, "xoxb-1-good", "pension"))
