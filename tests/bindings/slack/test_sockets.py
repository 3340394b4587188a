"""Socket Mode: deliveries, acknowledgements, and connections that end in all the ways that they do."""

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
from bindings.slack.api import SlackApi
from bindings.slack.sockets import CONCURRENCY, SocketClient, SocketTimings
from core.errors import ConfigError
from core.runtime.backoff import Backoff
from tests.bindings.slack.support_fake_slack import FakeSlack, Trouble
from tests.bindings.slack.support_fakes import payload

QUICK = SocketTimings(ping_s=10.0, hello_s=10.0, farewell_s=5.0, backoff=Backoff(0.01, 0.05))
IMPATIENT = replace(QUICK, ping_s=0.2, hello_s=0.3)
EVENT = payload("app_mention")


class Taker:
    """What is delivered, and what is answered."""

    def __init__(self) -> None:
        self.taken: list[Mapping[str, Any]] = []
        self.response = BoltResponse(status=200)
        self.gate: asyncio.Event | None = None
        self.running = 0
        self.changed = asyncio.Event()

    async def __call__(self, body: Mapping[str, Any]) -> BoltResponse:
        self.running += 1
        self.changed.set()
        if self.gate:
            await self.gate.wait()
        self.taken.append(body)
        return self.response


@asynccontextmanager
async def running(
    api: SlackApi, taker: Taker, metrics: BotMetrics, timings: SocketTimings = QUICK
) -> AsyncIterator[SocketClient]:
    sockets = SocketClient(api, taker, metrics.connected, timings)
    task = asyncio.create_task(sockets.run())
    try:
        yield sockets
    finally:
        task.cancel()
        await asyncio.wait({task})


async def connected(slack: FakeSlack, number: int = 1) -> None:
    """That many connections were greeted."""
    async with asyncio.timeout(15):
        while len(slack.sockets) < number:
            slack.connected.clear()
            await slack.connected.wait()


async def test_a_delivery_is_acknowledged_once_it_is_taken(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics
) -> None:
    """On the connection that brought it, without a payload where there is nothing to say."""
    taker = Taker()
    taker.gate = asyncio.Event()
    async with running(api, taker, metrics):
        await connected(slack)
        envelope = await slack.push(EVENT)
        await taker.changed.wait()
        assert 1 == metrics.connected._value.get()
        assert not slack.acks[envelope].done()
        taker.gate.set()

        assert {"envelope_id": envelope} == await slack.acknowledged(envelope)
    assert [EVENT] == taker.taken


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (BoltResponse(status=200, body={"text": "only you"}), {"text": "only you"}),
        (BoltResponse(status=200, body="only you"), {"text": "only you"}),
    ],
)
async def test_an_acknowledgement_may_say_something(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics, response: BoltResponse, said: dict[str, str]
) -> None:
    """As to a slash command."""
    taker = Taker()
    taker.response = response
    async with running(api, taker, metrics):
        await connected(slack)
        acknowledgement = await slack.acknowledged(await slack.push(EVENT, "slash_commands"))

    assert said == acknowledgement["payload"]


async def test_what_was_not_taken_is_not_acknowledged(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """So that it is delivered again; what makes no sense is, for it never will."""
    taker = Taker()
    async with running(api, taker, metrics):
        await connected(slack)
        taker.response = BoltResponse(status=503)
        refused = await slack.push(EVENT)
        while not taker.taken:
            await asyncio.sleep(0)
        taker.response = BoltResponse(status=400)
        await slack.acknowledged(await slack.push(EVENT))

        assert not slack.acks[refused].done()


async def test_several_are_taken_at_once_and_not_without_limit(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics
) -> None:
    """One that takes long holds up nobody; beyond a number, Slack waits."""
    taker = Taker()
    taker.gate = asyncio.Event()
    async with running(api, taker, metrics):
        await connected(slack)
        envelopes = [await slack.push(EVENT) for _ in range(CONCURRENCY + 8)]
        async with asyncio.timeout(15):
            while taker.running < CONCURRENCY:
                taker.changed.clear()
                await taker.changed.wait()
        assert CONCURRENCY == taker.running
        taker.gate.set()
        for envelope in envelopes:
            await slack.acknowledged(envelope)

    assert CONCURRENCY + 8 == len(taker.taken)


async def test_a_connection_that_breaks_is_opened_anew(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """With an address of its own: each is good for one attempt."""
    taker = Taker()
    async with running(api, taker, metrics):
        await connected(slack)
        await slack.sockets[-1].close()
        await connected(slack, 2)

        await slack.acknowledged(await slack.push(EVENT))
    assert 2 <= len(slack.made("apps.connections.open"))


async def test_a_deaf_connection_is_noticed(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """It looks open, but nobody answers pings."""
    slack.deaf = True
    taker = Taker()
    async with running(api, taker, metrics, IMPATIENT):
        await connected(slack)
        slack.deaf = False
        await connected(slack, 2)

        await slack.acknowledged(await slack.push(EVENT))


async def test_a_connection_without_a_greeting_is_left(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """Slack says hello, or nothing will come."""
    slack.greets = False
    async with running(api, Taker(), metrics, IMPATIENT):
        async with asyncio.timeout(15):
            while len(slack.made("apps.connections.open")) < 2:
                slack.changed.clear()
                await slack.changed.wait()
        slack.greets = True
        await asyncio.wait_for(slack.connected.wait(), 15)


async def test_the_next_connection_is_opened_before_slack_closes_one(
    slack: FakeSlack, api: SlackApi, metrics: BotMetrics
) -> None:
    """Slack says so in advance; until then both deliver, and nothing is lost between."""
    taker = Taker()
    async with running(api, taker, metrics):
        await connected(slack)
        old = slack.sockets[0]
        await old.send_json(payload("socket_disconnect"))
        await connected(slack, 2)
        slack.acks["late"] = asyncio.get_running_loop().create_future()
        await old.send_json({**payload("socket_envelope"), "envelope_id": "late"})

        assert {"envelope_id": "late"} == await slack.acknowledged("late")
        await slack.acknowledged(await slack.push(EVENT))
        await old.close()
        assert 1 == metrics.connected._value.get()
    assert 2 == len(slack.made("apps.connections.open"))


async def test_while_slack_is_away_one_line_is_logged(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """And one when it is back; not one for each attempt."""
    slack.trouble["apps.connections.open"].extend([Trouble(500)] * 6 + [Trouble(429, retry_after_s="0")])
    with capture_logs() as logs:
        async with running(api, Taker(), metrics):
            await connected(slack)

    lost = [entry for entry in logs if entry["event"] == "slack_socket_lost"]
    assert 1 == len(lost)
    assert 8 == len(slack.made("apps.connections.open"))


@pytest.mark.parametrize("error", ["invalid_auth", "missing_scope", "not_allowed_token_type"])
async def test_a_wrong_app_token_ends_it(slack: FakeSlack, api: SlackApi, metrics: BotMetrics, error: str) -> None:
    """Trying again cannot help: what to click is said."""
    slack.refusing["apps.connections.open"] = error

    with pytest.raises(ConfigError, match=r"SLACK_APP_TOKEN.*connections:write"):
        await SocketClient(api, Taker(), metrics.connected, QUICK).run()


@pytest.mark.parametrize(
    "garbage", ["", "{", "[]", "1", '{"type": 1}', '{"envelope_id": "e", "payload": "x"}', "{" * 5000]
)
async def test_garbage_ends_nothing(slack: FakeSlack, api: SlackApi, metrics: BotMetrics, garbage: str) -> None:
    """The connection goes on."""
    taker = Taker()
    async with running(api, taker, metrics):
        await connected(slack)
        await slack.sockets[-1].send_str(garbage)
        await slack.acknowledged(await slack.push(EVENT))

    assert 1 == len(slack.sockets)


async def test_when_stopping_nothing_new_is_taken(slack: FakeSlack, api: SlackApi, metrics: BotMetrics) -> None:
    """What is under way is acknowledged; what comes is left to whoever is there next."""
    taker = Taker()
    taker.gate = asyncio.Event()
    async with running(api, taker, metrics) as sockets:
        await connected(slack)
        before = await slack.push(EVENT)
        await taker.changed.wait()
        sockets.stop_taking()
        after = await slack.push(EVENT)
        taker.gate.set()
        await slack.acknowledged(before)

        assert not slack.acks[after].done()
    assert 1 == len(taker.taken)
