"""From a webhook call to the finished answer: the real intake and delivery, with FakeMicrosoft."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bindings.delivery.context import DeliveryContext, RetryPolicy
from bindings.delivery.outlet import PageLimits
from bindings.hosting.webhook_server import WebhookServer
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.selftest.microsoft_connector import ConnectorCall, Failure
from bindings.selftest.microsoft_server import FakeMicrosoft
from bindings.store import Store
from bindings.teams.adapter import build
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.contract import Done, Prompt, Source, Status, Text, Usage
from core.storage.database import Database
from tests.bindings.teams.conftest import TeamsBot
from tests.bindings.teams.support_fake_intake import FakeIntake
from tests.support.fake_engine import FakeEngine

QUICK = DeliveryContext(retry=RetryPolicy(first_s=0.01, limit_s=0.05), status_after_s=0.0)
WORDS = 'A statement of work says **what** is done [1].\n\n```json\n{"by": "Friday"}\n```\n\nThat is all.'
ANSWER = (
    Status("queued", position=1),
    Text(WORDS[:30]),
    Text(WORDS[30:]),
    Source(1, "The guide", "https://example.gc.ca/guide"),
    Done("stop", "fake-model", Usage(7, 30)),
)


@asynccontextmanager
async def run_bot(
    microsoft: FakeMicrosoft, folder: Path, engine: FakeEngine, **environ: str
) -> AsyncIterator[TeamsBot]:
    """Runs a bot as bindings.hosting.process does."""
    loaded = settings.load({"CSPS_LLM_DATA": str(folder), "BOT_USER_LIMIT": "1000", **microsoft.environ, **environ})
    personalities = Personalities(loaded.config / "personalities")
    personalities.load()
    metrics, database = BotMetrics(), Database(loaded.database_url)
    await database.upgrade()
    store = Store(database)
    adapter = build(loaded, metrics)
    intake = Intake(engine, adapter.platform, store, personalities, loaded, metrics, QUICK)
    await adapter.connect(intake)
    tasks = [asyncio.create_task(adapter.run()), asyncio.create_task(intake.run())]
    server = WebhookServer("teams", loaded.teams, adapter.routes(), metrics, engine)
    try:
        async with server.serving() as url, aiohttp.ClientSession() as http:
            server.open()
            yield TeamsBot(url, microsoft, FakeIntake(), adapter, http, metrics)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await adapter.close()
        await database.close()


@pytest.fixture(autouse=True)
def no_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the intervals that Teams asks for, so that tests do not wait."""
    monkeypatch.setattr("bindings.teams.outlet.STREAM_LIMITS", PageLimits(10_000, 0.0))
    monkeypatch.setattr("bindings.teams.outlet.EDIT_LIMITS", PageLimits(10_000, 0.0))


@pytest.mark.parametrize("name", ["personal", "group", "channel"])
async def test_a_question_is_answered_in_one_message(microsoft: FakeMicrosoft, tmp_path: Path, name: str) -> None:
    """The call is acknowledged; one complete message in the same conversation has label, citation and feedback."""
    more = asyncio.Event()
    engine = FakeEngine((*ANSWER[:2], more, *ANSWER[2:]))
    async with run_bot(microsoft, tmp_path, engine) as bot:
        assert 202 == (await bot.send(bot.activity(name))).status
        await microsoft.wait_for_text("A statement of work")
        more.set()
        message = await microsoft.wait_for_text("Model: fake-model")

    assert message["text"].startswith(WORDS)
    assert "- [1] The guide: https://example.gc.ca/guide" in message["text"]
    assert 1 == len(microsoft.messages)
    label = message["entities"][0]
    assert (["AIGeneratedContent"], 1) == (label["additionalType"], label["citation"][0]["position"])
    assert {"type": "default"} == message["channelData"]["feedbackLoop"]
    streamed = [call.stream["streamType"] for call in microsoft.calls if call.stream]
    assert ("final" == streamed[-1]) if name == "personal" else ([] == streamed)
    expected = bot.activity(name)["conversation"]["id"]
    assert {expected} == {call.conversation for call in microsoft.calls}


def count_finished(microsoft: FakeMicrosoft) -> int:
    """The number of messages with a footer."""
    return sum("Model: fake-model" in each["text"] for each in microsoft.messages.values())


async def test_repeated_events_and_connector_failures_cause_no_duplicates(
    microsoft: FakeMicrosoft, tmp_path: Path
) -> None:
    """Ten events, each sent four times, with two failures in each conversation: ten answers."""
    calls: Counter[str] = Counter()

    def fail_twice(call: ConnectorCall) -> Failure | None:
        calls[call.conversation] += 1
        return {1: Failure(429, retry_after="0"), 3: Failure(502)}.get(calls[call.conversation])

    microsoft.refuses = fail_twice
    async with run_bot(microsoft, tmp_path, FakeEngine(ANSWER)) as bot:
        activities = [bot.activity("channel", id=f"17{number}") for number in range(10)]
        for number, activity in enumerate(activities):
            activity["conversation"]["id"] = f"19:c@thread.tacv2;messageid=17{number}"
        sent = await asyncio.gather(*(bot.send(each) for each in activities for _ in range(4)))
        await microsoft.until(lambda: count_finished(microsoft) == 10)

    assert {202} == {each.status for each in sent}
    assert 10 == len(microsoft.messages)
    assert 10 == len({call.conversation for call in microsoft.calls})


async def test_feedback_is_counted_after_a_restart(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Teams sends only the message's id; the answer is found by it."""
    more = asyncio.Event()
    engine = FakeEngine((*ANSWER[:2], more, *ANSWER[2:]))
    async with run_bot(microsoft, tmp_path, engine) as bot:
        await bot.send(bot.activity("personal"))
        await microsoft.wait_for_text("A statement of work")
        more.set()
        await microsoft.wait_for_text("Model: fake-model")
    async with run_bot(microsoft, tmp_path, engine) as bot:
        (ref,) = microsoft.messages
        response = await bot.send(bot.activity("feedback_like", replyToId=ref))
        feedback = bot.metrics.registry.get_sample_value("csps_bot_feedback_total", {"value": "good"})

    assert (200, 1.0) == (response.status, feedback)


async def test_the_button_regenerates_the_answer(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """The button sends a command as the person's message; the same message changes."""
    answers = iter([[Text("First."), Done("stop", "m", Usage())], [Text("Second."), Done("stop", "m", Usage())]])

    def reply(_prompt: Prompt) -> Any:
        return next(answers)

    async with run_bot(microsoft, tmp_path, FakeEngine(reply)) as bot:
        await bot.send(bot.activity("personal"))
        first = await microsoft.wait_for_text("First.\n\n")
        command = first["suggestedActions"]["actions"][0]["value"]
        await bot.send(bot.activity("personal", id="2", text=command, attachments=[]))
        await microsoft.wait_for_text("Second.\n\n")

    assert 1 == len(microsoft.messages)


async def test_stopping_the_stream_stops_the_answer(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """The generation is cancelled; the text so far stays, with a note."""
    more = asyncio.Event()
    engine = FakeEngine((Text("One "), more, Text("two "), asyncio.Event(), Text("never")))
    async with run_bot(microsoft, tmp_path, engine) as bot:
        await bot.send(bot.activity("personal"))
        await microsoft.wait_for_text("One")
        (name,) = microsoft.messages
        microsoft.stopped.add(name)
        more.set()
        await engine.cancelled.wait()
        message = await microsoft.wait_for_text("Stopped")

    assert message["text"].startswith("One two\n\nℹ Stopped")


async def test_deleting_the_question_deletes_its_answer(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """The generation is cancelled, and the partial answer is deleted."""
    engine = FakeEngine((Text("One "), asyncio.Event()))
    async with run_bot(microsoft, tmp_path, engine) as bot:
        await bot.send(bot.activity("channel_reply"))
        await microsoft.wait_for_text("One")
        await bot.send(bot.activity("message_delete"))
        await engine.cancelled.wait()
        await microsoft.until(lambda: not microsoft.messages)


async def test_removing_the_app_deletes_the_chat(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Other conversations stay."""
    engine = FakeEngine(ANSWER)
    async with run_bot(microsoft, tmp_path, engine) as bot:
        await bot.send(bot.activity("personal"))
        await microsoft.wait_for_text("Model: fake-model")
        await bot.send(bot.activity("group"))
        await microsoft.until(lambda: count_finished(microsoft) == 2)
        _chat, group = engine.sessions
        await bot.send(bot.activity("removed"))

    assert [group] == list(engine.sessions)
