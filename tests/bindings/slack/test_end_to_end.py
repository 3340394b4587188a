"""Whole rounds: real intake and delivery behind the adapter, a scripted engine behind them, a strict Slack before."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bindings.delivery.context import DeliveryContext, RetryPolicy
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.slack.adapter import SlackAdapter
from bindings.store import Store
from core.configuration import settings as all_settings
from core.configuration.personalities import Personalities
from core.contract import Done, Prompt, Source, Text, Usage
from core.storage.database import Database
from tests.bindings.slack.support_fake_slack import (
    APP_TOKEN,
    BOT_TOKEN,
    SECRET,
    FakeSlack,
    Trouble,
    headers_for,
    small_print,
    text_of,
)
from tests.bindings.slack.support_fakes import payload
from tests.support.fakes import FakeEngine, ReplyStep

Deliver = Callable[[dict[str, Any]], Awaitable[int]]
ANSWER: tuple[ReplyStep, ...] = (
    Source(1, "Pensions", "https://canada.ca/pensions"),
    Text("A pension is **paid** <!here>\n\n```py\nx = 1\n"),
    Text("y = 2\n```\n\nSee [Canada](https://canada.ca)."),
    Done("stop", "fake-model", Usage(7, 3, 2)),
)
WHOLE = "A pension is **paid** ‹!here>\n\n```py\nx = 1\ny = 2\n```\n\nSee Canada (https://canada.ca)."
CONTEXT = DeliveryContext(retry=RetryPolicy(first_s=0.01, limit_s=0.05))


@dataclass
class Round:
    slack: FakeSlack
    intake: Intake
    deliver: Deliver
    metrics: BotMetrics

    async def finished(self, channel: str, count: int = 1) -> list[dict[str, Any]]:
        """The answers there, once so many of them stand with their buttons."""

        def done() -> list[dict[str, Any]]:
            found = [each for each in self.slack.answers(channel) if buttons(each)]
            return found if len(found) >= count else []

        found: list[dict[str, Any]] = await self.slack.until(done, 60)
        return found


def buttons(message: dict[str, Any]) -> bool:
    return any(each["type"] == "context_actions" for each in message["blocks"])


@asynccontextmanager
async def working(slack: FakeSlack, engine: FakeEngine, folder: Path, mode: str) -> AsyncIterator[Round]:
    """A process, as `bindings.hosting.process` puts it together, with means that lose no time."""
    secret = {"SLACK_APP_TOKEN": APP_TOKEN} if mode == "socket" else {"SLACK_SIGNING_SECRET": SECRET}
    environ = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_API_BASE_URL": slack.api_url, "CSPS_LLM_DATA": str(folder)}
    loaded = all_settings.load({**environ, **secret, "BOT_USER_LIMIT": "10000"})
    metrics = BotMetrics()
    adapter = SlackAdapter(loaded.slack, metrics)
    database = Database(loaded.database_url)
    await database.upgrade()
    store = Store(database)
    personalities = Personalities(loaded.config / "personalities")
    personalities.load()
    intake = Intake(engine, adapter.platform, store, personalities, loaded, metrics, CONTEXT)
    await adapter.connect(intake)
    running = [asyncio.create_task(adapter.run()), asyncio.create_task(intake.run())]
    try:
        async with delivering(slack, adapter, mode) as deliver:
            yield Round(slack, intake, deliver, metrics)
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await adapter.close()
        await database.close()


@asynccontextmanager
async def delivering(slack: FakeSlack, adapter: SlackAdapter, mode: str) -> AsyncIterator[Deliver]:
    if mode == "socket":
        await slack.connected.wait()

        async def push(body: dict[str, Any]) -> int:
            await slack.acknowledged(await slack.push(body))
            return 200

        yield push
        return
    app = web.Application()
    app.add_routes(adapter.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    async with aiohttp.ClientSession() as session:

        async def post(body: dict[str, Any]) -> int:
            raw = json.dumps(body).encode()
            async with session.post(url, data=raw, headers=headers_for(raw)) as response:
                return response.status

        try:
            yield post
        finally:
            await runner.cleanup()


def mention(slack: FakeSlack, name: str = "app_mention", channel: str = "C0001", **event: Any) -> dict[str, Any]:
    """A payload about a message that is there."""
    body = payload(name)
    ts = slack.said(channel, body["event"]["text"], thread=event.get("thread_ts"))
    body["event"] = {**body["event"], "channel": channel, "ts": ts, "event_ts": ts, **event}
    return body


@pytest.mark.parametrize("mode", ["http", "socket"])
async def test_one_mention(slack: FakeSlack, tmp_path: Path, mode: str) -> None:
    """Acknowledged at once, streamed into its thread, and whole: text, sources, footer and buttons, pinging nobody."""
    engine = FakeEngine(ANSWER)
    async with working(slack, engine, tmp_path, mode) as round_:
        body = mention(slack)
        began = time.monotonic()
        assert 200 == await round_.deliver(body)
        acknowledged_s = time.monotonic() - began
        [answer] = await round_.finished("C0001")

    assert WHOLE == text_of(answer).strip()
    assert body["event"]["ts"] == answer["thread_ts"]
    assert any("fake-model" in line for line in small_print(answer))
    assert "canada.ca/pensions" in str(answer["blocks"])
    assert not answer.get("streaming")
    assert ["what is a pension?"] == [prompt.text for prompt in engine.prompts]
    assert acknowledged_s < 5  # the figure itself is the benchmark's


@pytest.mark.parametrize("mode", ["http", "socket"])
async def test_a_direct_message(slack: FakeSlack, tmp_path: Path, mode: str) -> None:
    """Answered in the conversation, without a thread."""
    async with working(slack, FakeEngine(ANSWER), tmp_path, mode) as round_:
        assert 200 == await round_.deliver(mention(slack, "message_im", "D0001"))
        [answer] = await round_.finished("D0001")

    assert WHOLE == text_of(answer).strip()
    assert "thread_ts" not in answer


async def test_a_thread_goes_on(slack: FakeSlack, tmp_path: Path) -> None:
    """What others said between two questions is heard, and a follow-up needs no mention."""
    engine = FakeEngine(ANSWER)
    async with working(slack, engine, tmp_path, "socket") as round_:
        first = mention(slack)
        root = first["event"]["ts"]
        await round_.deliver(first)
        await round_.finished("C0001")
        slack.said("C0001", "I doubt it", thread=root, user="U0BOB")
        await round_.deliver(mention(slack, "message_thread_reply", thread_ts=root))
        answers = await round_.finished("C0001", 2)

    assert [root, root] == [answer["thread_ts"] for answer in answers]
    assert [("U0BOB", "I doubt it")] == [(turn.speaker, turn.text) for turn in engine.prompts[1].thread_messages]
    assert {"slack:T0001:C0001:" + root} == {prompt.conversation for prompt in engine.prompts}


async def test_slacks_stop_ends_the_answer_with_a_note(slack: FakeSlack, tmp_path: Path) -> None:
    """What was written stands; the model is free again."""
    wait = asyncio.Event()
    engine = FakeEngine((Text("The beginning. "), wait, Text("Never said."), Done("stop", "m", Usage())))
    async with working(slack, engine, tmp_path, "socket") as round_:
        await round_.deliver(mention(slack))
        [answer] = await slack.until(lambda: [m for m in slack.answers("C0001") if "beginning" in text_of(m)])
        slack.expire("C0001", answer["ts"], by_user=True)
        stop = payload("agent_session_stopped")
        stop["event"] |= {"thread_ts": answer["thread_ts"], "streaming_message_ts": [answer["ts"]]}
        await round_.deliver(stop)
        [answer] = await round_.finished("C0001")
        await asyncio.wait_for(engine.cancelled.wait(), 10)

    assert "The beginning." == text_of(answer).strip()
    assert "Stopped, as requested." == small_print(answer)[0]


async def test_a_deleted_question_ends_its_answer(slack: FakeSlack, tmp_path: Path) -> None:
    """Quietly: what had been posted goes with it."""
    engine = FakeEngine((Text("The beginning. "), asyncio.Event()))
    async with working(slack, engine, tmp_path, "http") as round_:
        body = mention(slack)
        await round_.deliver(body)
        await slack.until(lambda: slack.answers("C0001"))
        gone = payload("message_tombstone")
        gone["event"]["message"] |= {"ts": body["event"]["ts"], "thread_ts": body["event"]["ts"]}
        await round_.deliver(gone)
        await slack.until(lambda: not slack.answers("C0001"))
        await asyncio.wait_for(engine.cancelled.wait(), 10)


async def test_again_writes_the_answer_anew_in_its_place(slack: FakeSlack, tmp_path: Path) -> None:
    """By the button, in the same message."""
    said = itertools.count(1)

    def replies(prompt: Prompt) -> tuple[ReplyStep, ...]:
        return (Text(f"Answer {next(said)}."), Done("stop", "m", Usage()))

    async with working(slack, FakeEngine(replies), tmp_path, "socket") as round_:
        await round_.deliver(mention(slack))
        [answer] = await round_.finished("C0001")
        button = next(each for each in answer["blocks"] if each["type"] == "actions")["elements"][0]
        press = payload("block_actions_again")
        press["container"] |= {"message_ts": answer["ts"], "thread_ts": answer["thread_ts"]}
        press["actions"][0]["value"] = button["value"]
        await slack.acknowledged(await slack.push(press, "interactive"))
        await slack.until(lambda: any("Answer 2." in text_of(each) for each in slack.answers("C0001")))
        answers = await round_.finished("C0001")

    assert ["Answer 2."] == [text_of(each) for each in answers]


async def test_every_event_has_one_answer_whatever_slack_does(slack: FakeSlack, tmp_path: Path) -> None:
    """Delivered four times each; a fifth of all calls fails, done or not: one whole answer in each thread."""
    numbers = itertools.count(1)

    def trouble(method: str) -> Trouble | None:
        number = next(numbers)
        if method.startswith("conversations") or number % 5:
            return None
        kinds = (
            Trouble(429, retry_after_s="0"),
            Trouble(500),
            Trouble(502, raw="<html>", done=True),
            Trouble(500, done=True),
        )
        return kinds[number // 5 % 4]

    slack.trouble_of = trouble
    async with working(slack, FakeEngine(ANSWER), tmp_path, "socket") as round_:
        bodies = [mention(slack, channel=f"C1{number:03}") for number in range(40)]
        await asyncio.gather(*(round_.deliver(body) for body in bodies for _ in range(4)))
        for body in bodies:
            await round_.finished(body["event"]["channel"])

    for body in bodies:
        [answer] = slack.answers(body["event"]["channel"])
        assert WHOLE == text_of(answer).strip()
        assert not answer.get("streaming")
