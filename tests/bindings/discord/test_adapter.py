"""From the gateway to the intake: discord.py's client against a Discord on loopback."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from bindings.discord import adapter as adapter_module
from bindings.discord import client as client_module
from bindings.discord.adapter import DiscordAdapter
from core.errors import ConfigError
from core.runtime.backoff import Backoff
from tests.bindings.discord.conftest import Adapting, as_intake
from tests.bindings.discord.support_fake_discord import FakeDiscord
from tests.bindings.discord.support_fake_intake import FakeIntake
from tests.bindings.discord.support_faults import Fault, rate_limited
from tests.bindings.discord.support_payloads import CHANNEL, DM, THREAD


async def test_the_least_intents_are_asked_for(discord_server: FakeDiscord, adapting: Adapting) -> None:
    """Guilds, guild messages, direct messages; message content only if it is set."""
    async with adapting():
        await discord_server.until(lambda: len(discord_server.identified) == 1)
    async with adapting(DISCORD_MESSAGE_CONTENT="true"):
        await discord_server.until(lambda: len(discord_server.identified) == 2)

    plain, content = (each["intents"] for each in discord_server.identified)
    assert plain == 1 << 0 | 1 << 9 | 1 << 12
    assert content == plain | 1 << 15


async def test_a_first_connection_that_fails_is_tried_again(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """discord.py by itself ends the process."""
    discord_server.refuse_gateways = 2
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_dm")
        await intake.until(lambda: intake.taken)

    assert 0 == discord_server.refuse_gateways


async def test_a_lost_connection_is_resumed_and_misses_nothing(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """By the configured address, whatever Discord says to resume at; and what was said meanwhile is taken."""
    async with adapting() as adapter:
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_dm")
        await intake.until(lambda: intake.taken)
        await discord_server.disconnect()
        await discord_server.say("message_mention")
        await intake.until(lambda: len(intake.taken) == 2)
        assert 1 == adapter.metrics.registry.get_sample_value("csps_bot_connected")

    assert (1, 1) == (len(discord_server.identified), len(discord_server.resumed))


@pytest.mark.parametrize(
    "garbage",
    [
        "{not json",
        '{"op": 0, "t": "MESSAGE_CREATE", "s": 99, "d": {}}',
        '{"op": 0, "t": "GUILD_CREATE", "s": 3, "d": {}}',
        "[]",
    ],
)
async def test_an_event_that_is_not_understood_ends_nothing(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting, garbage: str
) -> None:
    """discord.py's client ends at the first one."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.send_raw(garbage)
        if garbage in ("{not json", "[]"):
            await discord_server.until(lambda: len(discord_server.identified) == 2)
        await discord_server.say("message_dm")
        await intake.until(lambda: intake.taken)
    async with asyncio.timeout(15):
        while any(each.name.startswith("keep-alive-handler") for each in threading.enumerate()):
            await asyncio.sleep(0.01)  # a connection that was given up has nobody who keeps it alive


async def test_an_invalid_session_is_begun_anew(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Discord's opcode 9."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.send_raw('{"op": 9, "d": false, "s": null, "t": null}')
        await discord_server.until(lambda: len(discord_server.identified) == 2)


async def test_used_up_sessions_are_waited_for(
    discord_server: FakeDiscord, adapting: Adapting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot that identifies too often has its token taken back."""
    monkeypatch.setattr(client_module, "SESSIONS_WAIT_S", 0.0)
    discord_server.sessions_left = 0
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)

    assert 2 == len(discord_server.asked("/gateway/bot"))


def test_connections_that_keep_breaking_are_begun_ever_more_slowly(built: Callable[..., DiscordAdapter]) -> None:
    """And one that lived is followed by another at once."""
    client = built().client
    pauses = [client._pause_s(0.0) for _ in range(12)]
    assert [0.0] == pauses[:1]
    assert all(2**n / 2 <= pause <= 2**n for n, pause in enumerate(pauses[1:6]))
    assert 30 <= pauses[-1] <= 60
    assert client._pause_s(client_module.HEALTHY_S) == 0.0


@pytest.mark.parametrize(("code", "words"), [(4014, "Message Content"), (4004, "DISCORD_BOT_TOKEN"), (4011, "shards")])
async def test_what_only_the_operator_can_mend_ends_the_run(
    discord_server: FakeDiscord, intake: FakeIntake, built: Callable[..., DiscordAdapter], code: int, words: str
) -> None:
    """As one ConfigError that says what to click."""
    discord_server.close_codes = [code]
    adapter = built()
    await adapter.connect(as_intake(intake))
    with pytest.raises(ConfigError, match=words):
        await adapter.run()
    await adapter.close()


async def test_a_bad_token_is_said(intake: FakeIntake, built: Callable[..., DiscordAdapter]) -> None:
    """At the start, with what to click."""
    adapter = built(DISCORD_BOT_TOKEN="wrong")
    with pytest.raises(ConfigError, match="Reset Token"):
        await adapter.connect(as_intake(intake))
    await adapter.close()


async def test_a_missing_intent_is_said(
    discord_server: FakeDiscord, intake: FakeIntake, built: Callable[..., DiscordAdapter]
) -> None:
    """Before the gateway would close the connection for it."""
    discord_server.application_flags = 0
    adapter = built(DISCORD_MESSAGE_CONTENT="true")
    with pytest.raises(ConfigError, match="Message Content Intent"):
        await adapter.connect(as_intake(intake))
    await adapter.close()


async def test_logging_in_goes_on_while_discord_is_away(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5xx, a limit, an answer that is no JSON."""
    monkeypatch.setattr(adapter_module, "BACKOFF", Backoff(0.01, 0.01))
    discord_server.faults = [Fault("@me", 503), rate_limited("@me", 0.02), Fault("@me", 200, "<html>")]
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)

    assert all(fault.times == 0 for fault in discord_server.faults)


async def test_stop_taking_ends_the_connection_and_nothing_else(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Answers under way still need Discord."""
    async with adapting() as adapter:
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_mention")
        await intake.until(lambda: intake.taken)
        await adapter.stop_taking()
        assert 0 == adapter.metrics.registry.get_sample_value("csps_bot_connected")
        await discord_server.say("message_dm")
        assert () == await adapter.platform.thread_messages(intake.taken[0])

    assert 1 == len(intake.taken)


async def test_many_events_at_once_are_read_as_fast_as_they_are_taken(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network waits, and nothing is lost."""
    monkeypatch.setattr(adapter_module, "WAITING_EVENTS", 3)
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        sent = [discord_server.say("message_dm", id=str(10**18 + number)) for number in range(50)]
        await asyncio.gather(*sent)
        await intake.until(lambda: len(intake.taken) == 50)


async def test_what_is_said_while_the_bot_restarts_is_taken(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """The next process resumes the session; who calls the role or writes in a thread is understood all the same."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_dm")
        await intake.until(lambda: intake.taken)
    await discord_server.say("message_mention", channel_id=THREAD)
    await discord_server.say("message_role_mention")
    async with adapting():
        await intake.until(lambda: len(intake.taken) == 3)

    assert (1, 1) == (len(discord_server.identified), len(discord_server.resumed))
    assert [DM, CHANNEL, CHANNEL] == [each.place.channel for each in intake.taken]
    assert THREAD == intake.taken[1].place.thread


@pytest.mark.parametrize("failures", [1, client_module.ADDRESS_TRIES + 2])
async def test_a_connection_that_fails_after_a_restart_does_not_end_the_session(
    discord_server: FakeDiscord,
    intake: FakeIntake,
    adapting: Adapting,
    monkeypatch: pytest.MonkeyPatch,
    failures: int,
) -> None:
    """What was said meanwhile would be lost. An address that stays away is given up, and the session is not."""
    monkeypatch.setattr(client_module, "BACKOFF", Backoff(0.01, 0.01))
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_dm")
        await intake.until(lambda: intake.taken)
    await discord_server.say("message_mention")
    discord_server.refuse_gateways = failures
    async with adapting():
        await intake.until(lambda: len(intake.taken) == 2)

    assert (1, 1) == (len(discord_server.identified), len(discord_server.resumed))


async def test_a_session_that_is_over_is_begun_anew(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Discord keeps it for minutes only."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
    discord_server.forget_sessions()
    async with adapting():
        await discord_server.until(lambda: len(discord_server.identified) == 2)
        await discord_server.say("message_dm")
        await intake.until(lambda: intake.taken)
