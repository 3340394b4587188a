"""Calls of Discord's API are attempted once, and their errors are translated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest
from discord.http import Route

from bindings.delivery.outlet import CredentialsRefused, DeliveryError, Gone, Refused, Throttled, Unreachable
from bindings.discord import api as api_module
from bindings.discord.api import DiscordApi, RouteCooldowns, SingleAttemptClient
from bindings.metrics import BotMetrics
from bindings.selftest.discord_faults import ApiFault, rate_limited
from bindings.selftest.discord_payloads import CHANNEL
from bindings.selftest.discord_server import TOKEN, FakeDiscord

IDS = {"channel_id": CHANNEL}
TYPING = "/channels/{channel_id}/typing"
CODE = {"message": "no"}


@pytest.fixture
async def http(fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SingleAttemptClient]:
    monkeypatch.setattr(Route, "BASE", fake.base)
    http = SingleAttemptClient(None)
    http.token = TOKEN
    yield http
    await http.close()


@pytest.fixture
def api(http: SingleAttemptClient) -> DiscordApi:
    return DiscordApi(lambda: http, BotMetrics())


@pytest.mark.parametrize(
    ("fault", "expected", "pattern"),
    [
        (rate_limited("typing", 7.5), Throttled, "limits"),
        (ApiFault("typing", 429, "error code: 1015", headers={"Retry-After": "9"}), Throttled, "limits"),
        (ApiFault("typing", 500), Unreachable, "500"),
        (ApiFault("typing", 502), Unreachable, "502"),
        (ApiFault("typing", 503, "<html>"), Unreachable, "503"),
        (ApiFault("typing", 200, "{broken"), Unreachable, "not JSON"),
        (ApiFault("typing", 0), Unreachable, "reached"),
        (ApiFault("typing", 404, {**CODE, "code": 10003}), Gone, "10003"),
        (ApiFault("typing", 403, {**CODE, "code": 50013}), Refused, '"Send Messages"'),
        (ApiFault("typing", 403, {**CODE, "code": 50001}), Refused, '"View Channel"'),
        (ApiFault("typing", 403, {**CODE, "code": 50007}), Refused, "50007"),
        (ApiFault("typing", 403, {**CODE, "code": 40003}), Throttled, "40003"),
        (ApiFault("typing", 400, {**CODE, "code": 130000}), Throttled, "130000"),
        (ApiFault("typing", 400, {**CODE, "code": 50083}), Gone, "50083"),
        (ApiFault("typing", 400, {**CODE, "code": 160002}), Refused, '"Read Message History"'),
        (ApiFault("typing", 400, {**CODE, "code": 50035}), Refused, "50035"),
        (ApiFault("typing", 400, {**CODE, "code": 30046}), Refused, "30046"),
        (ApiFault("typing", 401, {**CODE, "code": 0}), CredentialsRefused, "DISCORD_BOT_TOKEN"),
        (ApiFault("typing", 401, {**CODE, "code": 50027}), Gone, "50027"),
        (ApiFault("typing", 403, "<html>blocked</html>"), Unreachable, "403"),
        (ApiFault("typing", 501, {**CODE, "code": 0}), Refused, "501"),
    ],
)
async def test_an_error_is_translated(
    fake: FakeDiscord, api: DiscordApi, fault: ApiFault, expected: type[DeliveryError], pattern: str
) -> None:
    """The call is attempted once: the caller decides about a retry."""
    fake.faults = [fault]
    with pytest.raises(expected, match=pattern):
        await api.call("post", "POST", TYPING, IDS)

    assert 0 == fault.times
    assert [] == fake.typing


async def test_a_rate_limit_blocks_its_route(fake: FakeDiscord, api: DiscordApi) -> None:
    """The body states the time. Other channels are free."""
    fake.faults = [rate_limited("typing", 7.25)]
    with pytest.raises(Throttled) as rejected:
        await api.call("post", "POST", TYPING, IDS)
    assert rejected.value.retry_after_s == 7.25
    with pytest.raises(Throttled) as again:
        await api.call("post", "POST", TYPING, IDS)
    assert 0 < (again.value.retry_after_s or 0) <= 7.25

    await api.call("post", "POST", TYPING, {"channel_id": "5"})
    assert ["5"] == fake.typing


async def test_a_global_limit_blocks_every_route(fake: FakeDiscord, api: DiscordApi) -> None:
    """discord.py, cancelled while it sleeps through one, never sends again."""
    fake.faults = [rate_limited("typing", 60, everywhere=True)]
    for channel in (CHANNEL, "5"):
        with pytest.raises(Throttled):
            await api.call("post", "POST", TYPING, {"channel_id": channel})


async def test_a_global_limit_does_not_block_interactions(fake: FakeDiscord, api: DiscordApi) -> None:
    """They have limits of their own and a deadline of three seconds."""
    fake.faults = [rate_limited("typing", 60, everywhere=True)]
    with pytest.raises(Throttled):
        await api.call("post", "POST", TYPING, IDS)
    gone = {"webhook_id": "1", "webhook_token": "t"}
    with pytest.raises(Gone):
        await api.call("answer", "POST", "/interactions/{webhook_id}/{webhook_token}/callback", gone)


async def test_a_used_up_limit_blocks_the_next_call(fake: FakeDiscord, api: DiscordApi) -> None:
    """The call that used it up is answered at once."""
    fake.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "30.5"}
    await api.call("post", "POST", TYPING, IDS)
    with pytest.raises(Throttled) as throttled:
        await api.call("post", "POST", TYPING, IDS)

    assert 29 < (throttled.value.retry_after_s or 0) <= 30.5
    assert [CHANNEL] == fake.typing


def test_a_cooldown_ends() -> None:
    """Ended ones are dropped, because each channel has its own."""
    now = 100.0
    cooldowns = RouteCooldowns(lambda: now)
    route = Route("POST", TYPING, channel_id=1)
    cooldowns.cooldowns.start(api_module.route_key(route), 5.0)
    with pytest.raises(discord.RateLimited):
        cooldowns.check(route)
    now = 105.1
    cooldowns.check(route)
    for channel in range(3000):
        cooldowns.cooldowns.start(str(channel), -1.0)
    assert len(cooldowns.cooldowns) <= api_module.COOLDOWNS_LIMIT


async def test_a_call_has_a_deadline(api: DiscordApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """After it, the call may or may not have taken effect."""
    silent = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    monkeypatch.setattr(api_module, "CALL_S", 0.05)
    monkeypatch.setattr(Route, "BASE", f"http://127.0.0.1:{port}")
    async with silent:
        with pytest.raises(Unreachable):
            await api.call("post", "POST", TYPING, IDS)


async def test_calls_are_counted_by_outcome(fake: FakeDiscord, http: SingleAttemptClient) -> None:
    """Without metrics, calls are not counted: deliveries count their own."""
    metrics = BotMetrics()
    api = DiscordApi(lambda: http, metrics)
    await api.call("post", "POST", TYPING, IDS)
    fake.faults = [ApiFault("typing", 404, {**CODE, "code": 10003})]
    with pytest.raises(Gone):
        await api.call("post", "POST", TYPING, IDS)
    await DiscordApi(lambda: http).call("post", "POST", TYPING, IDS)

    assert 1 == metrics.registry.get_sample_value("csps_bot_calls_total", {"outcome": "ok"})
    assert 1 == metrics.registry.get_sample_value("csps_bot_calls_total", {"outcome": "gone"})


async def test_our_own_mistake_is_not_translated(http: SingleAttemptClient) -> None:
    """The path has an unknown key."""
    with pytest.raises(KeyError):
        await DiscordApi(lambda: http).call("post", "POST", "/channels/{channel}", IDS)


async def test_an_answer_without_an_id_is_an_error(fake: FakeDiscord, api: DiscordApi) -> None:
    """Some proxies answer 200 to everything."""
    fake.faults = [ApiFault("typing", 200, {"welcome": "to this network"})]
    with pytest.raises(Unreachable, match="something else"):
        await api.call_for_message("post", "POST", TYPING, IDS)
