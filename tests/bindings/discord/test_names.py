"""Names and titles that payloads lack come from the SDK's cache, else from Discord's API."""

from __future__ import annotations

from typing import Any

import pytest

from bindings.discord import platform as platform_module
from bindings.discord.markup import MentionNames
from bindings.discord.mention_names import is_visible
from bindings.selftest.discord_faults import ApiFault
from bindings.selftest.discord_payloads import CHANNEL, GUILD, ME, THREAD, payload
from bindings.selftest.discord_server import FakeDiscord
from tests.bindings.discord.conftest import RunBot
from tests.bindings.discord.support_fake_intake import IntakeSpy

HIDDEN = {"permission_overwrites": [{"id": GUILD, "type": 0, "allow": "0", "deny": "1024"}]}


def channel(number: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "type": 0, "guild_id": GUILD, "name": f"room-{number}", "permission_overwrites": [], **more}


async def test_mentions_are_named(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """In messages and in slash commands."""
    fake.users["7"] = {"id": "7", "username": "bob", "global_name": "Bob"}
    fake.channels = {"9": channel("9"), "10": channel("10", **HIDDEN), "11": channel("11", guild_id="3")}
    words = f"<@7> <@&{GUILD}> <#{CHANNEL}> <#9> <#10> <#11> <@404>"
    async with run_bot():
        await fake.send("message_mention", content=f"<@{ME['id']}> {words}")
        prompt = [{"name": "prompt", "type": 3, "value": words}]
        await fake.interact("interaction_ask", data={"type": 1, "name": "ask", "options": prompt})
        await intake.until(lambda: len(intake.messages) == 2)

    assert ["@Bob @everyone #general #room-9 #10 #11 @404"] * 2 == [each.text for each in intake.messages]


async def test_names_are_found_after_a_resumed_session(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's cache is empty then. A failed call leaves the id."""
    monkeypatch.setattr("bindings.discord.resume_position.SAVE_INTERVAL_S", 0.0)
    fake.channels[CHANNEL] = channel(CHANNEL)
    async with run_bot():
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)
    async with run_bot():
        await fake.send("message_mention", content=f"<@{ME['id']}> <@&{GUILD}> <#{CHANNEL}>")
        await intake.until(lambda: len(intake.messages) == 2)
        fake.faults = [ApiFault("/channels/12", 403, times=9)]
        await fake.send("message_mention", id="1600000000000000000", content=f"<@{ME['id']}> <#12>")
        await intake.until(lambda: len(intake.messages) == 3)

    assert 1 == len(fake.identify_frames)
    assert [f"@everyone #room-{CHANNEL}", "#12"] == [each.text for each in intake.messages[1:]]


@pytest.mark.parametrize(
    ("shown", "more"),
    [
        (True, {}),
        (False, HIDDEN),
        (False, {"guild_id": "3"}),
        (False, {"type": 12}),
        (True, {"permission_overwrites": 5}),
    ],
)
def test_a_channel_that_not_everybody_sees_stays_unnamed(shown: bool, more: dict[str, Any]) -> None:
    """Anybody can write the id of a channel that they cannot see."""
    assert shown == is_visible(channel("9", **more), GUILD)


async def test_an_unknown_name_is_an_id(run_bot: RunBot) -> None:
    """Without a mention, nothing is asked of Discord."""
    async with run_bot() as adapter:
        assert MentionNames() == await adapter._names.fetch(GUILD, [payload("message_dm")])


async def test_a_thread_is_read_from_its_title_and_start(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the start is further back than the latest messages."""
    monkeypatch.setattr(platform_module, "THREAD_LIMIT", 2)
    start = {**payload("message_dm"), "id": THREAD, "content": "The printer burns"}
    fake.messages[THREAD] = {**start, "channel_id": CHANNEL}
    for number in (1, 2, 3):
        message = {**payload("message_dm"), "id": f"120000000000000010{number}", "content": f"m{number}"}
        fake.messages[message["id"]] = {**message, "channel_id": THREAD}
    async with run_bot() as adapter:
        await fake.send("message_mention", channel_id=THREAD)
        await intake.until(lambda: intake.messages)
        thread = await adapter.platform.thread_messages(intake.messages[0])
        assert ["Thread: feeds", "The printer burns", "m2", "m3"] == [turn.text for turn in thread.turns]
        fake.messages[THREAD]["channel_id"] = THREAD
        assert thread == await adapter.platform.thread_messages(intake.messages[0])
        del fake.messages[THREAD]
        thread = await adapter.platform.thread_messages(intake.messages[0])

    assert ["Thread: feeds", "m2", "m3"] == [turn.text for turn in thread.turns]


async def test_a_thread_that_the_bot_answered_is_read_from_there(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """Title and start are turns of the conversation already."""
    fake.add_post(THREAD, {"content": "our answer"}, id="1200000000000000100")
    async with run_bot() as adapter:
        await fake.send("message_mention", channel_id=THREAD)
        await intake.until(lambda: intake.messages)

        assert () == (await adapter.platform.thread_messages(intake.messages[0])).turns


async def test_a_post_in_a_forum_is_named_with_its_tags(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """Discord sends both as ids of the forum's own list."""
    forum = {"id": "50", "type": 15, "available_tags": [{"id": "1", "name": "urgent"}, {"id": "2", "name": "it"}]}
    fake.channels = {
        "50": forum,
        "60": {"id": "60", "type": 11, "parent_id": "50", "name": "Help", "applied_tags": ["2"]},
    }
    async with run_bot() as adapter:
        await fake.send("message_mention", channel_id="60")
        await intake.until(lambda: intake.messages)
        thread = await adapter.platform.thread_messages(intake.messages[0])
        await fake.send("message_mention", id="60", channel_id="60")
        await intake.until(lambda: len(intake.messages) == 2)

    assert ["Post: Help\nTags: it"] == [turn.text for turn in thread.turns]
    assert "Help\n\nHey what is a feed? :blob:" == intake.messages[1].text
