"""bindings.hosting.webhook_server: readiness of a bot, and refusals."""

from __future__ import annotations

import asyncio
import json

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


async def test_malformed_requests_get_an_answer_without_a_banner() -> None:
    """Anybody can reach a webhook: its refusals name no software, and all have the same form."""
    server = WebhookServer("slack", load({"SLACK_PORT": "0"}).slack, [], BotMetrics(), FakeEngine())
    async with server.serving() as url:
        port = int(url.rstrip("/").rpartition(":")[2])
        for request, status in (
            (b"\x16\x03\x01 TLS\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 404),
            (b"POST /slack/events HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 503),
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            assert head.split()[1] == str(status).encode()
            assert b"Server: csps-llm" in head
            assert b"aiohttp" not in head + body
            assert json.loads(body)["status"] == status
            assert (b"Retry-After" in head) is (status == 503)


async def test_a_delivery_that_breaks_off_is_400() -> None:
    """It is the sender's fault, and no defect of the bot."""
    server = WebhookServer("slack", load({"SLACK_PORT": "0"}).slack, [], BotMetrics(), FakeEngine())
    async with server.serving() as url:
        server.open()
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf")
        writer.write_eof()
        assert b" 400 " in await reader.readline()
        writer.close()
