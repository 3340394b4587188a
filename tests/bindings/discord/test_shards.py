"""A bot in many servers has several connections, each with its own events and its own place to resume."""

from __future__ import annotations

import pytest

from bindings.discord.shards import IdentifyPacer, ShardHealth, ShardId, shard_of
from bindings.metrics import BotMetrics
from bindings.selftest.discord_payloads import DM, GUILD
from bindings.selftest.discord_server import FakeDiscord
from core.configuration import settings
from core.errors import ConfigError
from tests.bindings.discord.conftest import RunBot
from tests.bindings.discord.support_fake_intake import IntakeSpy


def shards_of(frames: list[dict[str, object]]) -> list[object]:
    return sorted(frame["shard"] for frame in frames)  # type: ignore[type-var]


@pytest.mark.parametrize(("setting", "recommended"), [("2", 5), ("auto", 2)])
async def test_each_shard_hands_over_its_events(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, setting: str, recommended: int
) -> None:
    """Discord recommends a number. The events of all shards reach one intake."""
    fake.recommended_shards = recommended
    async with run_bot(DISCORD_SHARDS=setting) as adapter:
        await fake.until(lambda: len(fake.identify_frames) == 2)
        await fake.send("message_dm")
        await fake.emit("MESSAGE_CREATE", fake.record("message_mention"), shard=1)
        await intake.until(lambda: len(intake.messages) == 2)
        await fake.until(lambda: adapter.metrics.registry.get_sample_value("csps_bot_connected") == 1)
        assert adapter.connections.shards[shard_of(GUILD, 2)].client is adapter.connections.client_of(GUILD)

    assert [[0, 2], [1, 2]] == shards_of(fake.identify_frames)
    assert {DM, intake.messages[1].place.channel} == {each.place.channel for each in intake.messages}


async def test_one_recommended_shard_is_one_plain_connection(fake: FakeDiscord, run_bot: RunBot) -> None:
    async with run_bot(DISCORD_SHARDS="auto"):
        await fake.until(lambda: fake.identify_frames)

    assert fake.identify_frames[0].get("shard") in (None, [0, 1])


async def test_each_shard_resumes_its_own_session(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """The events that were sent meanwhile are handled."""
    async with run_bot(DISCORD_SHARDS="2"):
        await fake.until(lambda: len(fake.identify_frames) == 2)
        await fake.send("message_dm")
        await fake.emit("MESSAGE_CREATE", fake.record("message_mention"), shard=1)
        await intake.until(lambda: len(intake.messages) == 2)
    await fake.send("message_dm", id="1600000000000000001")
    await fake.emit("MESSAGE_CREATE", fake.record("message_mention", id="1600000000000000002"), shard=1)
    async with run_bot(DISCORD_SHARDS="2"):
        await intake.until(lambda: len(intake.messages) == 4)

    assert (2, 2) == (len(fake.identify_frames), len(fake.resume_frames))


async def test_another_number_of_shards_begins_new_sessions(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """A session belongs to its shard of that number."""
    async with run_bot(DISCORD_SHARDS="2"):
        await fake.until(lambda: len(fake.identify_frames) == 2)
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)
    async with run_bot(DISCORD_SHARDS="3"):
        await fake.until(lambda: len(fake.identify_frames) == 5)

    assert [] == fake.resume_frames


def test_the_platform_is_reachable_while_all_shards_are() -> None:
    metrics = BotMetrics()
    health = ShardHealth(metrics, 2)

    def connected() -> float | None:
        return metrics.registry.get_sample_value("csps_bot_connected")

    health.report(0, connected=True)
    assert 0 == connected()
    health.report(1, connected=True)
    assert 1 == connected()
    health.report(0, connected=False)
    assert 0 == connected()


def test_direct_messages_come_to_the_first_shard() -> None:
    """A server's shard follows from its id: https://discord.com/developers/docs/events/gateway#sharding"""
    assert (0, 1, 0) == (shard_of("", 2), shard_of(str(1 << 22), 2), shard_of(str(2 << 22), 2))
    assert ("", "-1-of-2") == (ShardId().suffix, ShardId(1, 2).suffix)


async def test_new_sessions_are_spaced() -> None:
    """The first begins at once."""
    pacer = IdentifyPacer()
    pacer.interval_s = 0.0
    await pacer.wait()
    await pacer.wait()


@pytest.mark.parametrize("value", ["0", "many", "-1", "٣", ""])
def test_other_numbers_are_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="DISCORD_SHARDS"):
        settings.load({"DISCORD_SHARDS": value})
