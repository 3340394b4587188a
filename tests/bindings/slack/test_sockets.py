"""Socket Mode: deliveries, acknowledgements and lost connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from slack_bolt.response import BoltResponse
from structlog.testing import capture_logs

from bindings.metrics import BotMetrics
from bindings.selftest.changes import Changes
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import FakeSlack
from bindings.slack.api import SlackApi
from bindings.slack.sockets import CONCURRENCY, SocketClient, SocketTimings
from core.errors import ConfigError
from core.runtime.backoff import Backoff
from tests.bindings.slack.support_fakes import payload

QUICK = SocketTimings(ping_s=10.0, hello_s=10.0, farewell_s=5.0, backoff=Backoff(0.01, 0.05))
IMPATIENT = replace(QUICK, ping_s=0.2, hello_s=0.3)
EVENT = payload("app_mention")


class DeliveryRecorder(Changes):
    """Records deliveries, and answers each with `response`, once `gate` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.deliveries: list[Mapping[str, Any]] = []
        self.response = BoltResponse(status=200)
        self.gate: asyncio.Event | None = None
        self.running = 0

    async def __call__(self, body: Mapping[str, Any]) -> BoltResponse:
        self.running += 1
        self.notify()
        if self.gate:
            await self.gate.wait()
        self.deliveries.append(body)
        self.notify()
        return self.response


@asynccontextmanager
async def run_client(
    api: SlackApi, recorder: DeliveryRecorder, metrics: BotMetrics, timings: SocketTimings = QUICK
) -> AsyncIterator[SocketClient]:
    sockets = SocketClient(api, recorder, metrics.connected, timings)
    task = asyncio.create_task(sockets.run())
    try:
        yield sockets
    finally:
        task.cancel()
        await asyncio.wait({task})


async def wait_connected(slack: FakeSlack, number: int = 1) -> None:
    """Waits until `number` connections have received a "hello"."""
    async with asyncio.timeout(15):
        while len(slack.sockets) < number:
            slack.connected.clear()
            await slack.connected.wait()


async def test_a_delivery_is_acknowledged_once_it_is_taken(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics
) -> None:
    """The acknowledgement uses the same connection, and has no payload if there is no reply."""
    recorder = DeliveryRecorder()
    recorder.gate = asyncio.Event()
    async with run_client(api, recorder, metrics):
        await wait_connected(slack)
        envelope = await slack.push(EVENT)
        await recorder.until(lambda: recorder.running)
        assert 1 == metrics.connected._value.get()
        assert not slack.acks[envelope].done()
        recorder.gate.set()

        assert {"envelope_id": envelope} == await slack.acknowledgement(envelope)
    assert [EVENT] == recorder.deliveries


@pytest.mark.parametrize(
    ("response", "reply"),
    [
        (BoltResponse(status=200, body={"text": "only you"}), {"text": "only you"}),
        (BoltResponse(status=200, body="only you"), {"text": "only you"}),
    ],
)
async def test_an_acknowledgement_may_carry_a_reply(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics, response: BoltResponse, reply: dict[str, str]
) -> None:
    """A slash command needs it."""
    recorder = DeliveryRecorder()
    recorder.response = response
    async with run_client(api, recorder, metrics):
        await wait_connected(slack)
        acknowledgement = await slack.acknowledgement(await slack.push(EVENT, "slash_commands"))

    assert reply == acknowledgement["payload"]


async def test_a_delivery_that_was_not_taken_is_not_acknowledged(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics
) -> None:
    """Slack delivers it again. A malformed one is acknowledged, because a repeat cannot help."""
    recorder = DeliveryRecorder()
    async with run_client(api, recorder, metrics):
        await wait_connected(slack)
        recorder.response = BoltResponse(status=503)
        refused = await slack.push(EVENT)
        await recorder.until(lambda: recorder.deliveries)
        recorder.response = BoltResponse(status=400)
        await slack.acknowledgement(await slack.push(EVENT))

        assert not slack.acks[refused].done()


async def test_concurrent_deliveries_are_limited(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """A slow one delays no other; beyond the limit, Slack waits."""
    recorder = DeliveryRecorder()
    recorder.gate = asyncio.Event()
    async with run_client(api, recorder, metrics):
        await wait_connected(slack)
        envelopes = [await slack.push(EVENT) for _ in range(CONCURRENCY + 8)]
        await recorder.until(lambda: recorder.running >= CONCURRENCY)
        assert CONCURRENCY == recorder.running
        recorder.gate.set()
        for envelope in envelopes:
            await slack.acknowledgement(envelope)

    assert CONCURRENCY + 8 == len(recorder.deliveries)


async def test_a_broken_connection_is_reopened(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """The new connection has a new URL, because each is valid for one attempt."""
    recorder = DeliveryRecorder()
    async with run_client(api, recorder, metrics):
        await wait_connected(slack)
        await slack.sockets[-1].close()
        await wait_connected(slack, 2)

        await slack.acknowledgement(await slack.push(EVENT))
    assert 2 <= len(slack.calls_to("apps.connections.open"))


async def test_a_connection_without_pongs_is_replaced(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """It looks open, but nothing answers pings."""
    slack.ignores_pings = True
    recorder = DeliveryRecorder()
    async with run_client(api, recorder, metrics, IMPATIENT):
        await wait_connected(slack)
        slack.ignores_pings = False
        await wait_connected(slack, 2)

        await slack.acknowledgement(await slack.push(EVENT))


async def test_a_connection_without_hello_is_replaced(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """No delivery follows without Slack's "hello"."""
    slack.sends_hello = False
    async with run_client(api, DeliveryRecorder(), metrics, IMPATIENT):
        await slack.until(lambda: len(slack.calls_to("apps.connections.open")) == 2)
        slack.sends_hello = True
        await asyncio.wait_for(slack.connected.wait(), 15)


async def test_the_next_connection_opens_before_slack_closes_the_old_one(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics
) -> None:
    """Slack announces the end. Until then both deliver, and nothing is lost."""
    recorder = DeliveryRecorder()
    async with run_client(api, recorder, metrics):
        await wait_connected(slack)
        old = slack.sockets[0]
        await old.send_json(payload("socket_disconnect"))
        await wait_connected(slack, 2)
        slack.acks["late"] = asyncio.get_running_loop().create_future()
        await old.send_json({**payload("socket_envelope"), "envelope_id": "late"})

        assert {"envelope_id": "late"} == await slack.acknowledgement("late")
        await slack.acknowledgement(await slack.push(EVENT))
        await old.close()
        assert 1 == metrics.connected._value.get()
    assert 2 == len(slack.calls_to("apps.connections.open"))


async def test_an_outage_is_logged_once(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """The log does not repeat it for each attempt."""
    slack.trouble["apps.connections.open"].extend([Trouble(500)] * 6 + [Trouble(429, retry_after_s="0")])
    with capture_logs() as logs:
        async with run_client(api, DeliveryRecorder(), metrics):
            await wait_connected(slack)

    lost = [entry for entry in logs if entry["event"] == "slack_socket_lost"]
    assert 1 == len(lost)
    assert 8 == len(slack.calls_to("apps.connections.open"))


@pytest.mark.parametrize("error", ["invalid_auth", "missing_scope", "not_allowed_token_type"])
async def test_a_wrong_app_token_is_a_config_error(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics, error: str
) -> None:
    """A retry cannot help: the error says where to click."""
    slack.permanent_errors["apps.connections.open"] = error

    with pytest.raises(ConfigError, match=r"SLACK_APP_TOKEN.*connections:write"):
        await SocketClient(api, DeliveryRecorder(), metrics.connected, QUICK).run()


@pytest.mark.parametrize(
    "garbage", ["", "{", "[]", "1", '{"type": 1}', '{"envelope_id": "e", "payload": "x"}', "{" * 5000]
)
async def test_malformed_messages_do_not_end_the_connection(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics, garbage: str
) -> None:
    """Later deliveries arrive on it."""
    recorder = DeliveryRecorder()
    async with run_client(api, recorder, metrics):
        await wait_connected(slack)
        await slack.sockets[-1].send_str(garbage)
        await slack.acknowledgement(await slack.push(EVENT))

    assert 1 == len(slack.sockets)


async def test_a_stopping_client_takes_nothing_new(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """It acknowledges running deliveries, and leaves new ones to the next process."""
    recorder = DeliveryRecorder()
    recorder.gate = asyncio.Event()
    async with run_client(api, recorder, metrics) as sockets:
        await wait_connected(slack)
        before = await slack.push(EVENT)
        await recorder.until(lambda: recorder.running)
        sockets.stop_taking()
        after = await slack.push(EVENT)
        recorder.gate.set()
        await slack.acknowledgement(before)

        assert not slack.acks[after].done()
    assert 1 == len(recorder.deliveries)
