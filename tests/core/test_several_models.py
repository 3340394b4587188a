"""Models that come and go: which one answers, what people see of it, and which prompts fit it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.configuration.settings import Settings
from core.contract import Done, ModelProgress, Status
from core.engine import ChatEngine
from core.model.library.catalogue import RemoteModel
from core.model.library.engine_entry import EngineEntry
from tests.core.support_chatting import ask, chat_on, serving, shown
from tests.support.fake_model import Comment, FakeModel

STARTER = {"id": "starter", "title": "SmolLM2", "starter": True, "state": "loaded", "max_model_len": 2048}
LARGE = {"id": "large", "title": "Large 8B", "state": "loaded", "max_model_len": 8192}
OWN = {"id": "own", "title": "Own 3B", "state": "loaded", "max_model_len": 600}
HALF = {"done_bytes": 5, "total_bytes": 10, "bytes_per_s": 1.0, "expected_s": 5.0}


@dataclass
class Scene:
    chat: ChatEngine
    model: FakeModel


@pytest.fixture
async def scene(own_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """Whisper has the default model, Chuchotte one of its own. The list of models is never cached."""
    monkeypatch.setattr("core.model.client.engine_connection.LOCAL_LIST_TTL_S", 0.0)
    async with serving(own_settings) as model, chat_on(own_settings) as chat:
        shipped = {name: chat._personalities.get(name) for name in chat.personalities()}
        own = shipped["chuchotte"].model_copy(update={"model": "own"})
        monkeypatch.setattr(chat._personalities, "_by_name", shipped | {"chuchotte": own})
        yield Scene(chat, model)


def answered_by(events: Any) -> str:
    return str(next(event.model for event in events if isinstance(event, Done)))


async def test_the_starter_answers_while_the_default_model_is_downloaded(scene: Scene) -> None:
    """The description names both. After the take-over it names the new one alone, without a restart."""
    scene.model.listed = [LARGE | {"state": "downloading", "download": HALF}, STARTER]
    before = await scene.chat.describe("whisper")
    scene.model.listed = [LARGE, STARTER]
    after = await scene.chat.describe("whisper")

    assert (before.model, before.starter, before.context_window) == ("SmolLM2", True, 2048)
    assert before.next_model == ModelProgress("Large 8B", "downloading", 5, 10, 5.0)
    assert (after.model, after.starter, after.context_window, after.next_model) == ("Large 8B", False, 8192, None)


async def test_an_answer_names_the_model_that_wrote_it(scene: Scene) -> None:
    """An answer that began before the take-over ends with the earlier model's name, the next one with the new name."""
    scene.model.listed = [LARGE | {"state": "downloading"}, STARTER]
    name = await scene.chat.open("whisper")
    scene.model.answers_as = "starter"
    first = await ask(scene.chat, "Hi", name)
    scene.model.listed, scene.model.answers_as = [LARGE, STARTER], "large"
    second = await ask(scene.chat, "And?", name)

    assert (answered_by(first), answered_by(second)) == ("SmolLM2", "Large 8B")
    assert "Hi" in shown(scene.model.requests[1])  # the conversation goes on


async def test_personalities_have_models_of_their_own(scene: Scene) -> None:
    """One that cannot be had is named with the reason, and the default model answers for it."""
    scene.model.listed = [LARGE, OWN]
    both = [(await scene.chat.describe(name)).model for name in ("whisper", "chuchotte")]
    scene.model.listed = [LARGE, OWN | {"state": "failed", "download": {"problem": "gated"}}]
    failed = await scene.chat.describe("chuchotte")

    assert both == ["Large 8B", "Own 3B"]
    assert (failed.model, failed.next_model) == ("Large 8B", ModelProgress("Own 3B", "failed", problem="gated"))


async def test_a_prompt_fits_the_model_that_answers(scene: Scene) -> None:
    """When a model with a smaller window takes over, the oldest exchanges go, and the person learns it."""
    scene.model.listed = [LARGE]
    name = await scene.chat.open("whisper")
    for number in range(8):
        await ask(scene.chat, f"question{number} " + "word " * 100, name)
    scene.model.listed = [LARGE | {"max_model_len": 900}]
    events = await ask(scene.chat, "And now?", name)

    *_, all_there, cut = scene.model.requests
    assert "question0" in shown(all_there)
    assert "question0" not in shown(cut)
    assert "question7" in shown(cut)
    assert [event.state for event in events if isinstance(event, Status)] == ["trimmed"]


async def test_a_model_that_is_loaded_on_demand_has_a_status(scene: Scene) -> None:
    """A first status comes before the engine is asked, the expected time with its comments."""
    scene.model.listed = [OWN | {"state": "available"}]
    scene.model.answers = [(Comment("loading wait_s=12.0"), Comment("loading"), "Hi")]
    events = await ask(scene.chat, "Hi")

    assert [event for event in events if isinstance(event, Status)] == [
        Status("loading"),
        Status("loading", wait_s=12.0),
        Status("loading"),
    ]


async def test_only_models_in_memory_are_warmed(scene: Scene) -> None:
    """A request to another one would load it. Each personality is warmed once for each model that comes into memory."""
    others = len(scene.chat.personalities()) - 1
    scene.model.listed = [STARTER, OWN | {"state": "available"}]
    await scene.chat.warmer.warm()
    assert [None] * others == [request.get("model") for request in scene.model.requests]

    with capture_logs() as logs:
        await scene.chat.warmer.warm()
        scene.model.listed = [STARTER, OWN]
        await scene.chat.warmer.warm()
    assert [each["personality"] for each in logs] == ["chuchotte"]
    assert scene.model.requests[-1]["model"] == "own"

    scene.model.listed = [LARGE, STARTER | {"state": "available"}, OWN]
    await scene.chat.warmer.warm()
    assert len(scene.model.requests) == 2 * others + 1


async def test_models_behind_urls_are_not_warmed(scene: Scene) -> None:
    """Nobody is told every few seconds that such an engine is away."""
    away = RemoteModel(title="Far", engines=(EngineEntry(url="http://127.0.0.1:9/v1"),))
    scene.chat._client.pools.replace({"own": away})
    with capture_logs() as logs:
        await scene.chat.warmer.warm()

    assert {each["event"] for each in logs} == {"personality_warmed"}
    assert "chuchotte" not in {each["personality"] for each in logs}


async def test_prefixes_are_asked_for_when_no_answer_is_running(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's first answer waits for the prefixes of personalities that nobody asked for."""
    idle, reached = scene.chat.warmer._is_idle, asyncio.Event()
    wait = idle.wait

    async def observed() -> bool:
        reached.set()
        return await wait()

    monkeypatch.setattr(idle, "wait", observed)
    async with scene.chat.warmer.yielding():
        warming = asyncio.create_task(scene.chat.warmer.warm())
        await reached.wait()
        during = len(scene.model.requests)
    await warming

    assert (during, len(scene.model.requests)) == (0, len(scene.chat.personalities()))


async def test_prefixes_do_not_wait_for_ever(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy service always has a running answer."""
    monkeypatch.setattr("core.conversation.prefix_warming.YIELD_LIMIT_S", 0.0)
    async with scene.chat.warmer.yielding():
        await scene.chat.warmer.warm()

    assert len(scene.model.requests) == len(scene.chat.personalities())
