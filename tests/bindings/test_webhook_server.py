"""bindings.hosting.webhook_server: readiness of a bot."""

from __future__ import annotations

import aiohttp

from bindings.delivery.context import PlatformHealth
from bindings.delivery.outlet import CredentialsRefused
from bindings.hosting.webhook_server import WebhookServer
from bindings.metrics import BotMetrics
from core.configuration.settings import load
from tests.support.fake_engine import FakeEngine


async def test_a_bot_with_a_refused_token_is_not_ready() -> None:
    """The answer says what the operator has to do. The bot is ready again after the first accepted call."""
    health = PlatformHealth()
    server = WebhookServer("slack", load({"SLACK_PORT": "0"}).slack, [], BotMetrics(), FakeEngine(), health)
    answers = []
    async with server.serving() as url, aiohttp.ClientSession() as http:
        for change in (
            lambda: None,
            lambda: health.record_failure(CredentialsRefused("reinstall")),
            health.record_success,
        ):
            change()
            async with http.get(f"{url}readyz") as response:
                answers.append((response.status, await response.json()))

    ready = {"status": "ready", "models": ["fake-model"], "next_models": []}
    refused = {"status": "unready", "code": "credentials_refused", "detail": "reinstall"}
    assert [(200, ready), (503, refused), (200, ready)] == answers
