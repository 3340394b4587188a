"""Events go from the gateway to the intake: discord.py's client against a Discord on loopback."""

from __future__ import annotations

import asyncio
import threading

import pytest

from bindings.discord import connections as connections_module
from bindings.discord import gateway as gateway_module
from bindings.incoming import ThreadMessages
from bindings.selftest.discord_faults import ApiFault, rate_limited
from bindings.selftest.discord_payloads import CHANNEL, DM, THREAD
from bindings.selftest.discord_server import FakeDiscord
from core.errors import ConfigError
from core.runtime.backoff import Backoff
from tests.bindings.discord.conftest import BuildBot, RunBot, as_intake
from tests.bindings.discord.support_fake_intake import IntakeSpy


async def test_only_needed_intents_are_requested(fake: FakeDiscord, run_bot: RunBot) -> None:
    """These are guilds, guild messages and direct messages, and message content only if it is set."""
    async with run_bot():
        await fake.until(lambda: len(fake.identify_frames) == 1)
    async with run_bot(DISCORD_MESSAGE_CONTENT="true"):
        await fake.until(lambda: len(fake.identify_frames) == 2)

    plain, content = (each["intents"] for each in fake.identify_frames)
    assert plain == 1 << 0 | 1 << 9 | 1 << 12
    assert content == plain | 1 << 15


async def test_a_failed_first_connection_is_retried(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """discord.py alone would end the process."""
    fake.refuse_gateways = 2
    async with run_bot():
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)

    assert 0 == fake.refuse_gateways


async def test_a_lost_connection_is_resumed_and_misses_nothing(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """The bot uses the configured address, whatever URL Discord names. Events sent meanwhile are handled."""
    async with run_bot() as adapter:
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)
        await fake.disconnect()
        await fake.send("message_mention")
        await intake.until(lambda: len(intake.messages) == 2)
        assert 1 == adapter.metrics.registry.get_sample_value("csps_bot_connected")

    assert (1, 1) == (len(fake.identify_frames), len(fake.resume_frames))


@pytest.mark.parametrize(
    "garbage",
    [
        "{not json",
        '{"op": 0, "t": "MESSAGE_CREATE", "s": 99, "d": {}}',
        '{"op": 0, "t": "GUILD_CREATE", "s": 3, "d": {}}',
        "[]",
    ],
)
async def test_a_malformed_event_does_not_end_the_bot(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, garbage: str
) -> None:
    """discord.py's client ends at the first one."""
    async with run_bot():
        await fake.send_raw(garbage)
        if garbage in ("{not json", "[]"):
            await fake.until(lambda: len(fake.identify_frames) == 2)
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)
    for thread in threading.enumerate():
        if thread.name.startswith("keep-alive-handler"):  # discord.py's heartbeat, which ends with its connection
            await asyncio.to_thread(thread.join, 15)
            assert not thread.is_alive()


async def test_an_invalid_session_is_replaced(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """Discord sends opcode 9."""
    async with run_bot():
        await fake.send_raw('{"op": 9, "d": false, "s": null, "t": null}')
        await fake.until(lambda: len(fake.identify_frames) == 2)


async def test_the_bot_waits_while_sessions_are_used_up(
    fake: FakeDiscord, run_bot: RunBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord revokes the token of a bot that identifies too often."""
    monkeypatch.setattr(gateway_module, "SESSIONS_WAIT_S", 0.0)
    fake.sessions_left = 0
    async with run_bot():
        pass

    assert 2 == len(fake.calls_to("/gateway/bot"))


def test_the_pause_doubles_after_short_connections(
    build_bot: BuildBot,
) -> None:
    """The bot reconnects at once after a healthy connection."""
    client = build_bot().client
    pauses = [client._pause_s(0.0) for _ in range(12)]
    assert [0.0] == pauses[:1]
    assert all(2**n / 2 <= pause <= 2**n for n, pause in enumerate(pauses[1:6]))
    assert 30 <= pauses[-1] <= 60
    assert client._pause_s(gateway_module.HEALTHY_S) == 0.0


@pytest.mark.parametrize(
    ("code", "hint"), [(4014, "Message Content"), (4004, "DISCORD_BOT_TOKEN"), (4011, "DISCORD_SHARDS")]
)
async def test_fatal_close_codes_end_the_run(
    fake: FakeDiscord, intake: IntakeSpy, build_bot: BuildBot, code: int, hint: str
) -> None:
    """One ConfigError says what to change."""
    fake.close_codes = [code]
    adapter = build_bot()
    await adapter.connect(as_intake(intake))
    with pytest.raises(ConfigError, match=hint):
        await adapter.run()
    await adapter.close()


async def test_a_refused_token_is_a_config_error(intake: IntakeSpy, build_bot: BuildBot) -> None:
    """The error comes at the start, and names the buttons to press."""
    adapter = build_bot(DISCORD_BOT_TOKEN="wrong")
    with pytest.raises(ConfigError, match="Reset Token"):
        await adapter.connect(as_intake(intake))
    await adapter.close()


async def test_a_missing_intent_is_a_config_error(fake: FakeDiscord, intake: IntakeSpy, build_bot: BuildBot) -> None:
    """The error comes before the gateway closes the connection."""
    fake.application_flags = 0
    adapter = build_bot(DISCORD_MESSAGE_CONTENT="true")
    with pytest.raises(ConfigError, match="Message Content Intent"):
        await adapter.connect(as_intake(intake))
    await adapter.close()


async def test_login_is_retried_while_discord_is_unreachable(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it gets a 5xx, a rate limit, and an answer that is not JSON."""
    monkeypatch.setattr(connections_module, "BACKOFF", Backoff(0.01, 0.01))
    fake.faults = [ApiFault("@me", 503), rate_limited("@me", 0.02), ApiFault("@me", 200, "<html>")]
    async with run_bot():
        pass

    assert all(fault.times == 0 for fault in fake.faults)


async def test_stop_taking_ends_only_the_gateway_connection(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """Running answers still need Discord's API."""
    async with run_bot() as adapter:
        await fake.send("message_mention")
        await intake.until(lambda: intake.messages)
        await adapter.stop_taking()
        assert 0 == adapter.metrics.registry.get_sample_value("csps_bot_connected")
        await fake.send("message_dm")
        assert ThreadMessages() == await adapter.platform.thread_messages(intake.messages[0])

    assert 1 == len(intake.messages)


async def test_a_full_queue_pauses_reading(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network waits, and no event is lost."""
    monkeypatch.setattr(connections_module, "QUEUE_LIMIT", 3)
    async with run_bot():
        sent = [fake.send("message_dm", id=str(10**18 + number)) for number in range(50)]
        await asyncio.gather(*sent)
        await intake.until(lambda: len(intake.messages) == 50)


async def test_messages_sent_during_a_restart_are_handled(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """The next process resumes the session, and still recognises its role and threads."""
    async with run_bot():
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)
    await fake.send("message_mention", channel_id=THREAD)
    await fake.send("message_role_mention")
    async with run_bot():
        await intake.until(lambda: len(intake.messages) == 3)

    assert (1, 1) == (len(fake.identify_frames), len(fake.resume_frames))
    assert [DM, CHANNEL, CHANNEL] == [each.place.channel for each in intake.messages]
    assert THREAD == intake.messages[1].place.thread


@pytest.mark.parametrize("failures", [1, gateway_module.RESUME_URL_ATTEMPTS + 2])
async def test_a_session_survives_failed_connections_after_a_restart(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    """A resume URL that stays unreachable is given up; the session is not."""
    monkeypatch.setattr(gateway_module, "BACKOFF", Backoff(0.01, 0.01))
    async with run_bot():
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)
    await fake.send("message_mention")
    fake.refuse_gateways = failures
    async with run_bot():
        await intake.until(lambda: len(intake.messages) == 2)

    assert (1, 1) == (len(fake.identify_frames), len(fake.resume_frames))


async def test_an_expired_session_is_replaced(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """Discord keeps a session for minutes only."""
    async with run_bot():
        pass
    fake.forget_sessions()
    async with run_bot():
        await fake.until(lambda: len(fake.identify_frames) == 2)
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)
