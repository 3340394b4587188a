"""One try of one call, and what its failure means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest
from discord.http import Route

from bindings.delivery.outlet import DeliveryError, Gone, Refused, Throttled, Unreachable
from bindings.discord import http as http_module
from bindings.discord.calls import Calls
from bindings.discord.http import Limits, OneTry
from bindings.metrics import BotMetrics
from tests.bindings.discord.support_fake_discord import TOKEN, FakeDiscord
from tests.bindings.discord.support_faults import Fault, rate_limited
from tests.bindings.discord.support_payloads import CHANNEL

IDS = {"channel_id": CHANNEL}
TYPING = "/channels/{channel_id}/typing"
CODE = {"message": "no"}


@pytest.fixture
async def http(discord_server: FakeDiscord, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OneTry]:
    monkeypatch.setattr(Route, "BASE", discord_server.base)
    http = OneTry(None)
    http.token = TOKEN
    yield http
    await http.close()


@pytest.fixture
def calls(http: OneTry) -> Calls:
    return Calls(lambda: http, BotMetrics())


@pytest.mark.parametrize(
    ("fault", "expected", "words"),
    [
        (rate_limited("typing", 7.5), Throttled, "limits"),
        (Fault("typing", 429, "error code: 1015", headers={"Retry-After": "9"}), Throttled, "limits"),
        (Fault("typing", 500), Unreachable, "500"),
        (Fault("typing", 502), Unreachable, "502"),
        (Fault("typing", 503, "<html>"), Unreachable, "503"),
        (Fault("typing", 200, "{broken"), Unreachable, "not JSON"),
        (Fault("typing", 0), Unreachable, "reached"),
        (Fault("typing", 404, {**CODE, "code": 10003}), Gone, "10003"),
        (Fault("typing", 403, {**CODE, "code": 50013}), Refused, '"Send Messages"'),
        (Fault("typing", 403, {**CODE, "code": 50001}), Refused, '"View Channel"'),
        (Fault("typing", 403, {**CODE, "code": 50007}), Gone, "50007"),
        (Fault("typing", 400, {**CODE, "code": 50083}), Gone, "50083"),
        (Fault("typing", 400, {**CODE, "code": 160002}), Refused, '"Read Message History"'),
        (Fault("typing", 400, {**CODE, "code": 50035}), Refused, "50035"),
        (Fault("typing", 400, {**CODE, "code": 30046}), Throttled, "30046"),
        (Fault("typing", 401, {**CODE, "code": 0}), Refused, "DISCORD_BOT_TOKEN"),
    ],
)
async def test_a_failure_is_what_it_means(
    discord_server: FakeDiscord, calls: Calls, fault: Fault, expected: type[DeliveryError], words: str
) -> None:
    """After one try: who asked decides whether there is another."""
    discord_server.faults = [fault]
    with pytest.raises(expected, match=words):
        await calls.ask("post", "POST", TYPING, IDS)

    assert 0 == fault.times
    assert [] == discord_server.typing


async def test_a_limit_says_when_to_come_back(discord_server: FakeDiscord, calls: Calls) -> None:
    """More exactly than its header; until then nothing is sent to that route, and other channels are free."""
    discord_server.faults = [rate_limited("typing", 7.25)]
    with pytest.raises(Throttled) as hit:
        await calls.ask("post", "POST", TYPING, IDS)
    assert hit.value.retry_after_s == 7.25
    with pytest.raises(Throttled) as again:
        await calls.ask("post", "POST", TYPING, IDS)
    assert 0 < (again.value.retry_after_s or 0) <= 7.25

    await calls.ask("post", "POST", TYPING, {"channel_id": "5"})
    assert ["5"] == discord_server.typing


async def test_a_limit_for_everything_closes_every_route(discord_server: FakeDiscord, calls: Calls) -> None:
    """discord.py, cancelled while it sleeps through one, would never send anything again."""
    discord_server.faults = [rate_limited("typing", 60, everywhere=True)]
    for channel in (CHANNEL, "5"):
        with pytest.raises(Throttled):
            await calls.ask("post", "POST", TYPING, {"channel_id": channel})


async def test_a_limit_for_everything_is_none_for_interactions(discord_server: FakeDiscord, calls: Calls) -> None:
    """They are under limits of their own, and whoever pressed waits three seconds at most."""
    discord_server.faults = [rate_limited("typing", 60, everywhere=True)]
    with pytest.raises(Throttled):
        await calls.ask("post", "POST", TYPING, IDS)
    gone = {"webhook_id": "1", "webhook_token": "t"}
    with pytest.raises(Gone):
        await calls.ask("answer", "POST", "/interactions/{webhook_id}/{webhook_token}/callback", gone)


async def test_a_limit_that_is_used_up_is_not_run_into(discord_server: FakeDiscord, calls: Calls) -> None:
    """The call that used it up is answered at once, and the next one is told to wait."""
    discord_server.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "30.5"}
    await calls.ask("post", "POST", TYPING, IDS)
    with pytest.raises(Throttled) as used_up:
        await calls.ask("post", "POST", TYPING, IDS)

    assert 29 < (used_up.value.retry_after_s or 0) <= 30.5
    assert [CHANNEL] == discord_server.typing


def test_a_limit_ends() -> None:
    """And those that ended are forgotten, as there is one for each channel."""
    now = 100.0
    limits = Limits(lambda: now)
    route = Route("POST", TYPING, channel_id=1)
    limits.close(http_module.key_of(route), 5.0)
    with pytest.raises(discord.RateLimited):
        limits.check(route)
    now = 105.1
    limits.check(route)
    for channel in range(3000):
        limits.close(str(channel), -1.0)
    assert len(limits._cooldowns) <= http_module.LIMITS_IN_VIEW


async def test_a_call_without_an_answer_has_a_deadline(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it may or may not have been done."""
    silent = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    monkeypatch.setattr(http_module, "CALL_S", 0.05)
    monkeypatch.setattr(Route, "BASE", f"http://127.0.0.1:{port}")
    async with silent:
        with pytest.raises(Unreachable):
            await calls.ask("post", "POST", TYPING, IDS)


async def test_calls_are_counted(discord_server: FakeDiscord, http: OneTry) -> None:
    """By how they ended; deliveries count their own."""
    metrics = BotMetrics()
    calls = Calls(lambda: http, metrics)
    await calls.ask("post", "POST", TYPING, IDS)
    discord_server.faults = [Fault("typing", 404, {**CODE, "code": 10003})]
    with pytest.raises(Gone):
        await calls.ask("post", "POST", TYPING, IDS)
    await Calls(lambda: http).ask("post", "POST", TYPING, IDS)

    assert 1 == metrics.registry.get_sample_value("csps_bot_calls_total", {"outcome": "ok"})
    assert 1 == metrics.registry.get_sample_value("csps_bot_calls_total", {"outcome": "gone"})


async def test_a_mistake_of_ours_is_not_called_discords(http: OneTry) -> None:
    """A path that is not as documented."""
    with pytest.raises(KeyError):
        await Calls(lambda: http).ask("post", "POST", "/channels/{channel}", IDS)


async def test_an_answer_without_an_id_is_none(discord_server: FakeDiscord, calls: Calls) -> None:
    """Some proxies answer 200 to everything."""
    discord_server.faults = [Fault("typing", 200, {"welcome": "to this network"})]
    with pytest.raises(Unreachable, match="something else"):
        await calls.message("post", "POST", TYPING, IDS)
