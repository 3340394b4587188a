"""discord.py's own client in a simulated Discord that knows members, permissions and intents (simcord)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import discord
import pytest
import simcord

from bindings.delivery.outlet import Closing, Page
from bindings.discord.adapter import DiscordAdapter
from bindings.metrics import BotMetrics
from core.configuration import settings
from tests.bindings.discord.conftest import as_intake
from tests.bindings.discord.support_fake_intake import FakeIntake

WHOLE = Page("A feed is a list. @everyone", "en", final=True, closing=Closing("a-1_B", "Written by AI."))


@asynccontextmanager
async def simulated(
    intake: FakeIntake, tmp_path: Path, **environ: str
) -> AsyncIterator[tuple[DiscordAdapter, simcord.Env]]:
    own = {"CSPS_LLM_DATA": str(tmp_path), "DISCORD_BOT_TOKEN": "x", **environ}
    adapter = DiscordAdapter(settings.load(own), BotMetrics())
    async with simcord.run(adapter.client) as env, asyncio.TaskGroup() as tasks:
        await adapter.begin(as_intake(intake))
        working = tasks.create_task(work(adapter))
        yield adapter, env
        working.cancel()


async def work(adapter: DiscordAdapter) -> None:
    async with asyncio.TaskGroup() as tasks:
        adapter.work(tasks)


async def answer(adapter: DiscordAdapter, intake: FakeIntake) -> str:
    """To the last message that was taken; the id of the answer's message."""
    outlet = adapter.platform.outlet(intake.taken[-1])
    ref = await outlet.post(Page("A feed", "en"), "a-1_B-1")
    await outlet.edit(ref, WHOLE)
    return ref


async def test_a_mention_and_a_reply(intake: FakeIntake, tmp_path: Path) -> None:
    """Both are taken; the answer replies to the question and pings nobody."""
    async with simulated(intake, tmp_path) as (adapter, env):
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        alice = guild.add_member(env.create_user("alice"))
        assert adapter.client.user is not None
        question = await alice.send(channel, f"{adapter.client.user.mention} what is a feed?")
        await intake.until(lambda: intake.taken)
        ref = await answer(adapter, intake)
        shown = channel.last_message
        assert shown is not None
        assert str(shown.id) == ref
        assert shown.reference is not None
        assert shown.reference.message_id == question.id
        assert not shown.mention_everyone
        assert [] == shown.mentions

        await alice.send(channel, "and in one sentence?", reply_to=shown)
        await alice.send(channel, "not for the bot")
        await intake.until(lambda: len(intake.taken) == 2)

    assert ["what is a feed?", "and in one sentence?"] == [each.text for each in intake.taken]
    assert "A feed is a list." in intake.taken[1].quoted[0].text


async def test_a_direct_message(intake: FakeIntake, tmp_path: Path) -> None:
    """Needs no mention, and is answered there."""
    async with simulated(intake, tmp_path) as (adapter, env):
        alice = env.create_guild().add_member(env.create_user("alice"))
        await alice.send_dm("what is a feed?")
        await intake.until(lambda: intake.taken)
        assert intake.taken[0].place.kind == "personal"
        assert await answer(adapter, intake)


async def test_a_thread(intake: FakeIntake, tmp_path: Path) -> None:
    """A conversation of its own, in its channel."""
    async with simulated(intake, tmp_path) as (adapter, env):
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        alice = guild.add_member(env.create_user("alice"))
        assert adapter.client.user is not None
        parent = adapter.client.get_channel(channel.id)
        assert isinstance(parent, discord.TextChannel)
        await parent.create_thread(name="feeds", type=discord.ChannelType.public_thread)
        (thread,) = channel.threads
        await alice.send(thread, f"{adapter.client.user.mention} hello")
        await intake.until(lambda: intake.taken)

    place = intake.taken[0].place
    assert (str(channel.id), str(thread.id)) == (place.channel, place.thread)


async def test_a_slash_command_and_a_button(intake: FakeIntake, tmp_path: Path) -> None:
    """The command is deferred and its reply becomes the answer, under which a press is heard."""
    async with simulated(intake, tmp_path) as (adapter, env):
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        alice = guild.add_member(env.create_user("alice"))
        assert {"ask", "personality", "toil", "forget"} == set(alice.available_commands(channel))
        await alice.slash(channel, "ask", prompt="what is a feed?")
        await intake.until(lambda: intake.taken)
        await answer(adapter, intake)
        shown = channel.last_message
        assert shown is not None
        assert shown.content.startswith("A feed is a list.")
        await alice.click(shown, custom_id="good:a-1_B:")
        await intake.until(lambda: intake.judged)

    assert ("a-1_B", f"discord:{guild.id}:{alice.id}", "good") == intake.judged[0]


async def test_a_missing_permission_is_named(intake: FakeIntake, tmp_path: Path) -> None:
    """For the operator to click."""
    async with simulated(intake, tmp_path) as (adapter, env):
        guild = env.create_guild()
        assert adapter.client.user is not None
        closed = discord.PermissionOverwrite(send_messages=False)
        channel = guild.create_text_channel("announcements", overwrites={adapter.client.user: closed})
        alice = guild.add_member(env.create_user("alice"))
        await alice.send(channel, f"{adapter.client.user.mention} what is a feed?")
        await intake.until(lambda: intake.taken)
        with pytest.raises(Exception, match="Send Messages") as refused:
            await answer(adapter, intake)

    assert isinstance(refused.value.__cause__, discord.Forbidden)
