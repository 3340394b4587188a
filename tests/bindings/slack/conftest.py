"""Fixtures: a stand-in for a Slack workspace, and the parts that talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bindings.metrics import BotMetrics
from bindings.selftest.slack_server import FakeSlack
from bindings.slack.adapter import SlackAdapter, SlackPlatform
from bindings.slack.api import SlackApi
from tests.bindings.slack.support_chat import Chat
from tests.bindings.slack.support_fakes import ME, FakeIntake, settings
from tests.bindings.slack.support_running_adapter import run_adapter


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack().serving() as workspace:
        yield workspace


@pytest.fixture
def metrics() -> BotMetrics:
    return BotMetrics()


@pytest.fixture
async def api(slack: FakeSlack, metrics: BotMetrics) -> AsyncIterator[SlackApi]:
    made = SlackApi(settings(slack, sockets=True), metrics, deadline_s=5.0)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def intake() -> FakeIntake:
    return FakeIntake()


@pytest.fixture
def platform(api: SlackApi) -> SlackPlatform:
    return SlackPlatform(api, lambda: ME, lambda *_: None)


@pytest.fixture
def chat(slack: FakeSlack, api: SlackApi) -> Chat:
    return Chat(slack, api)


@pytest.fixture
async def adapter(slack: FakeSlack, intake: FakeIntake) -> AsyncIterator[SlackAdapter]:
    async with run_adapter(slack, intake) as made:
        yield made
