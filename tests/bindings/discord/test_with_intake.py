"""A message in Discord gets its answer there: the real adapter, intake and delivery, with an engine in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bindings.delivery.context import DeliveryContext, RetryPolicy
from bindings.discord.adapter import DiscordAdapter
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.selftest.discord_faults import ApiFault, rate_limited
from bindings.selftest.discord_payloads import CHANNEL, RawPayload
from bindings.selftest.discord_server import FakeDiscord
from bindings.store import Store
from core.configuration.personalities import Personalities
from core.contract import Done, Prompt, Source, Text, Usage
from core.storage.database import Database
from tests.bindings.discord.conftest import load_settings
from tests.support.fake_engine import FakeEngine, ReplyStep

FAST_RETRIES = DeliveryContext(retry=RetryPolicy(first_s=0.01, limit_s=0.05), status_after_s=0.0)
DONE = Done("stop", "fake-model", Usage(7, 3, 0))


@asynccontextmanager
async def bot(fake: FakeDiscord, engine: FakeEngine, tmp_path: Path, **environ: str) -> AsyncIterator[DiscordAdapter]:
    """A bot process, simulated in this one. Leaving the block kills it."""
    threads = ThreadPoolExecutor()
    asyncio.get_running_loop().set_default_executor(threads)
    settings = load_settings(fake, tmp_path, BOT_USER_LIMIT="10000", **environ)
    personalities = Personalities(settings.config / "personalities")
    personalities.load()
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    database, metrics = Database(settings.database_url), BotMetrics()
    await database.upgrade()
    store = Store(database)
    adapter = DiscordAdapter(settings, metrics)
    intake = Intake(engine, adapter.platform, store, personalities, settings, metrics, FAST_RETRIES)
    await adapter.connect(intake)
    up = ("READY", "RESUMED")
    connected = asyncio.ensure_future(adapter.client.wait_for("socket_event_type", check=lambda kind: kind in up))
    running = {asyncio.create_task(adapter.run()), asyncio.create_task(intake.run())}
    await connected
    try:
        yield adapter
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await adapter.close()
        await database.close()
        threads.shutdown()  # a killed process writes no more, but a cancelled write goes on in its thread


def is_finished(message: RawPayload) -> bool:
    return any("regenerate" in each["custom_id"] for row in message["components"] for each in row["components"])


async def test_a_mention_is_answered_in_one_message(fake: FakeDiscord, tmp_path: Path) -> None:
    """It replies to the mention. In the end it has the sources and the footer."""
    more = asyncio.Event()
    source = Source(1, "Feeds", "https://example.ca/feeds")
    engine = FakeEngine([source, Text("A feed "), more, Text("is a list. [1] @everyone"), DONE])
    async with bot(fake, engine, tmp_path):
        question = await fake.send("message_mention")
        await fake.until(lambda: fake.posts())
        (message,) = fake.posts()
        assert message["content"].startswith("A feed")
        assert not is_finished(message)
        more.set()
        await fake.until(lambda: is_finished(message))

    assert [message] == fake.posts()
    assert message["message_reference"]["message_id"] == question["id"]
    assert message["content"].startswith("A feed is a list. [1] @\u200beveryone\n")
    assert "-# 1. Feeds <https://example.ca/feeds>" in message["content"]
    assert "fake-model" in message["content"].split("\n")[-1]
    assert "Hey what is a feed? :blob:" == engine.prompts[0].text


async def test_a_long_answer_is_several_messages(fake: FakeDiscord, tmp_path: Path) -> None:
    """None has more than 2,000 characters, and no text is lost."""
    lines = [f"Line {number} of a long answer about **feeds**." for number in range(150)]
    code = "\n".join(f"print({number})" for number in range(200))
    engine = FakeEngine([*[Text(f"{line}\n\n") for line in lines], Text(f"```python\n{code}\n```\nEnd."), DONE])
    async with bot(fake, engine, tmp_path):
        await fake.send("message_mention")
        await fake.until(lambda: any(is_finished(each) for each in fake.posts()), within_s=60)

    posts = sorted(fake.posts(), key=lambda each: int(each["id"]))
    text = "\n".join(each["content"] for each in posts)
    assert len(posts) > 4
    assert all(line in text for line in lines)
    assert all(f"print({number})" in text for number in range(200))
    assert all(each["content"].count("```") % 2 == 0 for each in posts)
    assert [is_finished(each) for each in posts] == [False] * (len(posts) - 1) + [True]


async def test_a_slash_command_is_answered_in_its_reply(fake: FakeDiscord, tmp_path: Path) -> None:
    """The person's language is used if the question has no clear language."""
    async with bot(fake, FakeEngine(), tmp_path):
        interaction = await fake.interact("interaction_ask_dm")
        await fake.until(lambda: is_finished(fake.reply_to(interaction) or {"components": []}))

    reply = fake.reply_to(interaction)
    assert reply["content"].startswith("Hello world.")
    assert "Rédigé par une IA" in reply["content"]
    assert [reply] == fake.posts()


async def test_the_stop_button_ends_the_answer(fake: FakeDiscord, tmp_path: Path) -> None:
    """The text so far stays."""
    engine = FakeEngine([Text("A feed "), asyncio.Event()])
    async with bot(fake, engine, tmp_path):
        await fake.send("message_mention")
        await fake.until(lambda: fake.posts())
        (message,) = fake.posts()
        await fake.interact("interaction_button_stop", message={**message, "referenced_message": None})
        await fake.until(lambda: is_finished(message))

    assert engine.cancelled.is_set()
    assert message["content"].startswith("A feed\n*")


async def test_regenerate_replaces_the_answer(fake: FakeDiscord, tmp_path: Path) -> None:
    """The message stays the same."""
    replies: Iterator[list[ReplyStep]] = iter([[Text("First."), DONE], [Text("Second."), DONE]])
    async with bot(fake, FakeEngine(lambda _: next(replies)), tmp_path):
        await fake.send("message_mention")
        await fake.until(lambda: any(is_finished(each) for each in fake.posts()))
        (message,) = fake.posts()
        button = message["components"][0]["components"][2]
        data = {"custom_id": button["custom_id"], "component_type": 2}
        await fake.interact("interaction_button_regenerate", message=message, data=data)
        await fake.until(lambda: message["content"].startswith("Second."))

    assert [message] == fake.posts()


async def test_the_answer_is_deleted_with_its_question(fake: FakeDiscord, tmp_path: Path) -> None:
    """There is no notice."""
    engine = FakeEngine([Text("A feed "), asyncio.Event()])
    async with bot(fake, engine, tmp_path):
        question = await fake.send("message_mention")
        await fake.until(lambda: fake.posts())
        deleted = {key: question[key] for key in ("id", "channel_id", "guild_id")}
        await fake.emit("MESSAGE_DELETE", deleted)
        await fake.until(lambda: not fake.posts())

    assert engine.cancelled.is_set()


async def test_an_interrupted_answer_is_finished_after_the_restart(fake: FakeDiscord, tmp_path: Path) -> None:
    """The message stays the same."""
    async with bot(fake, FakeEngine([Text("A feed "), asyncio.Event()]), tmp_path):
        await fake.send("message_mention")
        await fake.until(lambda: fake.posts())
    (message,) = fake.posts()
    assert not is_finished(message)
    async with bot(fake, FakeEngine([Text("A feed is a list."), DONE]), tmp_path):
        await fake.until(lambda: is_finished(message))

    assert [message] == fake.posts()
    assert message["content"].startswith("A feed is a list.")


@pytest.mark.parametrize(
    ("part", "status", "code"),
    [("PATCH", 400, 200000), ("PATCH", 400, 240000), ("POST", 403, 50013), ("POST", 403, 50001)],
)
async def test_an_answer_that_the_channel_refuses_reaches_the_asker(
    fake: FakeDiscord, tmp_path: Path, part: str, status: int, code: int
) -> None:
    """Neither a stump nor a stop button stays in the channel. A direct answer is posted once it is complete."""
    refused = ApiFault(f"{part} /api/v10/channels/{CHANNEL}/messages", status, {"code": code, "message": "no"}, 99)
    more = asyncio.Event()
    async with bot(fake, FakeEngine([Text("A feed "), more, Text("is a list."), DONE]), tmp_path):
        fake.faults = [refused]
        await fake.send("message_mention")
        if part == "PATCH":
            await fake.until(lambda: fake.posts())
        more.set()
        await fake.until(lambda: any("fake-model" in each["content"] for each in fake.posts()))
        await fake.until(lambda: CHANNEL not in {each["channel_id"] for each in fake.posts()})

    why, answer = fake.posts()
    assert f"<#{CHANNEL}>" in why["content"]
    assert answer["content"].startswith("A feed is a list.")


async def test_a_dead_token_loses_no_answer(fake: FakeDiscord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer waits until Discord accepts the token again."""
    monkeypatch.setattr("bindings.delivery.context.CREDENTIALS_PAUSE_S", 0.01)
    dead = ApiFault("POST /api/v10/channels", 401, {"code": 0, "message": "401: Unauthorized"}, 3)
    async with bot(fake, FakeEngine(), tmp_path):
        fake.faults = [dead]
        await fake.send("message_mention")
        await fake.until(lambda: any(is_finished(each) for each in fake.posts()))

    assert 0 == dead.times
    assert 1 == len(fake.posts())


async def test_each_event_has_exactly_one_answer(fake: FakeDiscord, tmp_path: Path) -> None:
    """Each comes four times, a fifth of the calls fail, and two processes are killed."""
    chance = random.Random(4)

    def replies(prompt: Prompt) -> Iterator[ReplyStep]:
        yield Text(f"About {prompt.text}.")
        yield DONE

    def failing() -> list[ApiFault]:
        kinds = [
            lambda: rate_limited("/messages", 0.02),
            lambda: ApiFault("/messages", 502),
            lambda: ApiFault("/messages", 500, takes_effect=True),
        ]
        return [chance.choice(kinds)() if chance.random() < 0.2 else ApiFault("nothing", 500) for _ in range(4)]

    async def until_more_calls(count: int) -> None:
        total = len(fake.calls) + count
        await fake.until(lambda: len(fake.calls) >= total, within_s=90)

    async def disturb() -> None:
        while True:
            fake.faults = [each for each in failing() if each.part != "nothing"]
            await until_more_calls(5)

    ids = [str(10**18 + number) for number in range(60)]
    events = chance.sample(ids * 4, len(ids) * 4)
    disturbing = asyncio.create_task(disturb())
    for part in range(3):
        async with bot(fake, FakeEngine(replies), tmp_path):
            for number in events[part * 80 : (part + 1) * 80]:
                await fake.send("message_mention", id=number, content=f"<@{fake.me}> {number}")
            if part == 2:
                await fake.until(lambda: sum(map(is_finished, fake.posts())) == len(ids), within_s=90)
    disturbing.cancel()

    assert sorted(ids) == sorted(each["message_reference"]["message_id"] for each in fake.posts())
    assert all(f"About {each['message_reference']['message_id']}." in each["content"] for each in fake.posts())
    assert {CHANNEL} == {each["channel_id"] for each in fake.posts()}
