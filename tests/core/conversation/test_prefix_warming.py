"""Prefixes that are computed before people ask."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from core import bootstrap
from core.configuration.settings import Settings
from core.engine import ChatEngine
from core.errors import (
    ModelRefused,
)
from tests.core.support_chatting import ask, serving, text_of
from tests.support.fake_model import Die, Fail, FakeModel, Finish, Step


async def test_bootstrap_warms_each_personality_and_again_after_a_death(own_settings: Settings) -> None:
    """Each gets one tiny request at the start and one after the model's restart."""
    warmed: asyncio.Queue[str] = asyncio.Queue()
    dying = [True]

    def answer(body: dict[str, Any]) -> Sequence[Step]:
        if body["max_tokens"] != 1:
            return ("Hi", Die()) if dying and dying.pop() else (" you",)
        warmed.put_nowait(body["messages"][0]["content"])
        return ("x", Finish("length"))

    async with FakeModel(answer=answer).serving(own_settings.model_socket), bootstrap.run_engine(own_settings) as chat:
        names = chat.personalities()
        first = {await warmed.get() for _ in names}
        assert text_of(await ask(chat, "Hi")) == "Hi you"
        second = {await warmed.get() for _ in names}

    assert len(first) == len(names)
    assert first == second


async def test_a_personality_that_goes_while_others_are_warmed_stops_nothing(
    chat: ChatEngine, own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator may remove a file at any moment; this must not end the background tasks."""
    names = chat.personalities()
    monkeypatch.setattr(chat._personalities, "names", lambda: ("gone", *names))
    async with serving(own_settings) as model:
        await chat.warmer.warm()

    assert len(model.requests) == len(names)


async def test_warming_retries_while_another_program_answers(
    chat: ChatEngine, own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program at the model's address does not end the background tasks."""
    monkeypatch.setattr("core.conversation.prefix_warming.PAUSE_S", 0.01)
    failures = iter([ModelRefused("no such path")] * 2)
    wait_ready = chat._client.wait_ready

    async def refusing(limit_s: float) -> None:
        if failure := next(failures, None):
            raise failure
        await wait_ready(limit_s)

    monkeypatch.setattr(chat._client, "wait_ready", refusing)
    async with serving(own_settings) as model:
        warming = asyncio.create_task(chat.warmer.run())
        async with asyncio.timeout(10):
            await model.chat_started.wait()
        warming.cancel()


async def test_a_personality_that_cannot_be_warmed_stops_nothing(chat: ChatEngine, own_settings: Settings) -> None:
    """The other personalities are still warmed."""
    async with serving(own_settings, (Fail(500),)) as model:
        await chat.warmer.warm()

    assert len(model.requests) == len(chat.personalities())
