"""Internal questions to a model, and models that cannot answer them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from core.configuration.settings import load
from core.contract import Json, Task, ToilResult
from core.toil.decisions import RECHECK_S, SLOW_RECHECK_S, Decisions
from tests.core.support_chatting import chat_on, whisper
from tests.support.fake_model import FakeModel

SCHEMA: dict[str, Json] = {"type": "object", "properties": {"sources": {"type": "array"}}, "required": ["sources"]}


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    return load({"CSPS_LLM_DATA": str(tmp_path / "var")})


async def test_a_model_decides_in_one_attempt(settings: Any) -> None:
    """The value conforms to the schema."""
    model = FakeModel(['{"sources": []}'])
    model.starter = False
    async with model.serving(settings.model_socket), chat_on(settings) as chat:
        assert {"sources": []} == await chat.decide(whisper(), "Which sources?", SCHEMA)

    assert 1 == len(model.requests)


async def test_a_model_whose_engine_ignores_the_schema_is_asked_once(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked again an hour later, because the engine may have been replaced."""
    model = FakeModel(["I would read the weather."], ["Weather!"])
    model.starter = False
    now_s = [0.0]
    async with model.serving(settings.model_socket), chat_on(settings) as chat:
        monkeypatch.setattr(chat._decisions, "_now_s", lambda: now_s[0])
        for _ in range(3):
            assert None is await chat.decide(whisper(), "Which sources?", SCHEMA)
        assert 1 == len(model.requests)
        now_s[0] = RECHECK_S
        await chat.decide(whisper(), "Which sources?", SCHEMA)

    assert 2 == len(model.requests)


async def test_a_slow_model_is_not_waited_for_at_every_question() -> None:
    """After the deadline it is not asked for some minutes, then again."""
    now_s, asked = [0.0], [0]
    client = Mock(info=AsyncMock(return_value=Mock(starter=False)))

    async def never_answers(_: Task) -> ToilResult:
        asked[0] += 1
        await asyncio.Event().wait()
        raise AssertionError("nothing sets the event")

    decisions = Decisions(client, never_answers, lambda: now_s[0], deadline_s=0)
    for _ in range(3):
        assert None is await decisions.decide(whisper(), "Which sources?", SCHEMA)
    assert [1] == asked
    now_s[0] = SLOW_RECHECK_S
    await decisions.decide(whisper(), "Which sources?", SCHEMA)

    assert [2] == asked


async def test_the_starter_is_not_asked(settings: Any) -> None:
    """It is too weak to decide."""
    model = FakeModel()
    async with model.serving(settings.model_socket), chat_on(settings) as chat:
        assert None is await chat.decide(whisper(), "Which sources?", SCHEMA)

    assert [] == model.requests
