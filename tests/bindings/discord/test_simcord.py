"""discord.py's own client in simcord, a simulated Discord with members, permissions and intents."""

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
from tests.bindings.discord.support_fake_intake import IntakeSpy

FINISHED = Page("A feed is a list. @everyone", "en", final=True, closing=Closing("a-1_B", "Written by AI."))


@asynccontextmanager
async def simulated(
    intake: IntakeSpy, tmp_path: Path, **environ: str
) -> AsyncIterator[tuple[DiscordAdapter, simcord.Env]]:
    own = {"CSPS_LLM_DATA": str(tmp_path), "DISCORD_BOT_TOKEN": "x", **environ}
    adapter = DiscordAdapter(settings.load(own), BotMetrics())
    async with simcord.run(adapter.client) as env, asyncio.TaskGroup() as tasks:
        await adapter.start(as_intake(intake))
        workers = tasks.create_task(run_workers(adapter))
        yield adapter, env
        workers.cancel()


async def run_workers(adapter: DiscordAdapter) -> None:
    async with asyncio.TaskGroup() as tasks:
        adapter.start_workers(tasks)


async def post_answer(adapter: DiscordAdapter, intake: IntakeSpy) -> str:
    """Answers the last message. Returns the id of the post."""
    outlet = adapter.platform.outlet(intake.messages[-1])
    ref = await outlet.post(Page("A feed", "en"), "a-1_B-1")
    await outlet.edit(ref, FINISHED)
    return ref


async def test_a_mention_and_a_reply_reach_the_intake(intake: IntakeSpy, tmp_path: Path) -> None:
    """The answer replies to the question and pings nobody."""
    async with simulated(intake, tmp_path) as (adapter, env):
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        alice = guild.add_member(env.create_user("alice"))
        assert adapter.client.user is not None
        question = await alice.send(channel, f"{adapter.client.user.mention} what is a feed?")
        await intake.until(lambda: intake.messages)
        ref = await post_answer(adapter, intake)
        post = channel.last_message
        assert post is not None
        assert str(post.id) == ref
        assert post.reference is not None
        assert post.reference.message_id == question.id
        assert not post.mention_everyone
        assert [] == post.mentions

        await alice.send(channel, "and in one sentence?", reply_to=post)
        await alice.send(channel, "not for the bot")
        await intake.until(lambda: len(intake.messages) == 2)

    assert ["what is a feed?", "and in one sentence?"] == [each.text for each in intake.messages]
    assert "A feed is a list." in intake.messages[1].quoted[0].text


async def test_a_direct_message_is_answered_without_a_mention(intake: IntakeSpy, tmp_path: Path) -> None:
    """The answer is in the direct message."""
    async with simulated(intake, tmp_path) as (adapter, env):
        alice = env.create_guild().add_member(env.create_user("alice"))
        await alice.send_dm("what is a feed?")
        await intake.until(lambda: intake.messages)
        assert intake.messages[0].place.kind == "personal"
        assert await post_answer(adapter, intake)


async def test_a_thread_is_a_conversation_of_its_channel(intake: IntakeSpy, tmp_path: Path) -> None:
    """Its place has the ids of both."""
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
        await intake.until(lambda: intake.messages)

    place = intake.messages[0].place
    assert (str(channel.id), str(thread.id)) == (place.channel, place.thread)


async def test_a_slash_command_and_a_button_work(intake: IntakeSpy, tmp_path: Path) -> None:
    """The answer replaces the deferred reply, and a press below it is handled."""
    async with simulated(intake, tmp_path) as (adapter, env):
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        alice = guild.add_member(env.create_user("alice"))
        assert {"ask", "personality", "toil", "forget", "facts"} == set(alice.available_commands(channel))
        await alice.slash(channel, "ask", prompt="what is a feed?")
        await intake.until(lambda: intake.messages)
        await post_answer(adapter, intake)
        post = channel.last_message
        assert post is not None
        assert post.content.startswith("A feed is a list.")
        await alice.click(post, custom_id="good:a-1_B:")
        await intake.until(lambda: intake.feedback)

    assert ("a-1_B", f"discord:{guild.id}:{alice.id}", "good") == intake.feedback[0]


async def test_a_missing_permission_is_named(intake: IntakeSpy, tmp_path: Path) -> None:
    """The operator can then give it."""
    async with simulated(intake, tmp_path) as (adapter, env):
        guild = env.create_guild()
        assert adapter.client.user is not None
        closed = discord.PermissionOverwrite(send_messages=False)
        channel = guild.create_text_channel("announcements", overwrites={adapter.client.user: closed})
        alice = guild.add_member(env.create_user("alice"))
        await alice.send(channel, f"{adapter.client.user.mention} what is a feed?")
        await intake.until(lambda: intake.messages)
        with pytest.raises(Exception, match="Send Messages") as refused:
            await post_answer(adapter, intake)

    assert isinstance(refused.value.__cause__, discord.Forbidden)
