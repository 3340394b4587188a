"""What engines can do: learned beside the answers, remembered, and used by the choice among engines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.errors import ModelUnavailable
from core.model.client import ModelClient
from core.model.client.capability_learner import CHECK_INTERVAL_S, CapabilityLearner
from core.model.client.capability_probe import BEGUN, FORCED_FORMAT
from core.model.client.capability_store import FILE, MAX_AGE_S, CapabilityStore
from core.model.library.engine_entry import EngineEntry
from core.openai.dialects import EngineCapabilities, continuation_fields, declared, schema_fields
from tests.core.model.client.support_engines import MODEL, answer, client_of, engines
from tests.core.support_asking import pieces
from tests.support.fake_model import Fail, FakeModel
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.vllm_stand_in import VllmStandIn

SCHEMA = {"type": "object"}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
FOUND = EngineCapabilities("unenforced", "none", "messages", embeddings=False, cancellation=None)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@asynccontextmanager
async def learning(client: ModelClient) -> AsyncIterator[None]:
    task = asyncio.create_task(client.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def learned(client: ModelClient, label: str) -> EngineCapabilities:
    """The capabilities, as soon as they are known."""
    connection = client.pools[MODEL].engines[label]
    async with asyncio.timeout(30):
        while connection.capabilities().schema is None:
            await asyncio.sleep(0.01)
    return connection.capabilities()


async def test_an_engine_is_tried_after_its_first_answer(tmp_path: Path) -> None:
    """The person's request comes first. An engine that nobody uses is not woken."""
    async with VllmStandIn().serving() as used, VllmStandIn().serving() as unused:
        client = client_of(tmp_path, [EngineEntry(url=used.url), EngineEntry(url=unused.url)])
        async with learning(client):
            await answer(client, prompt_cache_key="talk")
            first = used if used.requests else unused
            other = unused if first is used else used
            found = await learned(client, EngineEntry(url=first.url).label)
        await client.close()

    assert first.requests[0]["messages"][0]["content"] == "Hi there"
    assert found.enforces_schemas
    assert other.requests == []


async def test_a_restart_tries_nothing_again(tmp_path: Path) -> None:
    """The file remembers it. What is missing is logged once, at each start."""
    async with OllamaStandIn(old=True).serving() as stand_in:
        label = EngineEntry(url=stand_in.url).label
        with capture_logs() as logs:
            for _ in range(2):
                client = client_of(tmp_path, [EngineEntry(url=stand_in.url)])
                async with learning(client):
                    await answer(client)
                    await learned(client, label)
                    requests = len(stand_in.requests)
                    await answer(client)
                await client.close()

    assert len(stand_in.requests) == requests + 1
    lacks = [entry for entry in logs if entry["event"] == "engine_lacks_features"]
    assert lacks
    assert all(entry["missing"] == ["json_schema", "tokenize"] for entry in lacks)
    assert "Bearer" not in (tmp_path / FILE).read_text()


async def test_another_version_is_tried_again(tmp_path: Path) -> None:
    """An upgraded engine may enforce what the older one ignored."""
    store = CapabilityStore(tmp_path)
    learner = CapabilityLearner(store)
    async with OllamaStandIn(old=True).serving() as stand_in:
        client = client_of(tmp_path, [EngineEntry(url=stand_in.url)])
        connection = client.pools[MODEL].engines[EngineEntry(url=stand_in.url).label]
        assert not (await learner.learn(connection, stand_in.model)).enforces_schemas
        stand_in.old = False
        assert (await learner.learn(connection, stand_in.model)).enforces_schemas
        await client.close()


async def test_an_engine_in_use_is_looked_at_now_and_then(tmp_path: Path) -> None:
    """After an hour, or after it was away; not after each answer."""
    clock = Clock()
    learner = CapabilityLearner(CapabilityStore(tmp_path), clock)
    client = client_of(tmp_path, [EngineEntry(url="http://127.0.0.1:9")])
    connection = client.pools[MODEL].engines["127.0.0.1:9"]
    looks = 0
    for step_s in (0, 1, CHECK_INTERVAL_S, 1):
        clock.now_s += step_s
        learner.note(connection, "m")
        looks += len(learner._wanted)
        learner._wanted.clear()
    assert looks == 2
    learner.forget(connection)
    learner.note(connection, "m")
    assert learner._wanted
    with pytest.raises(ModelUnavailable):
        await learner.learn(connection, "m")
    await client.close()


async def test_a_declared_engine_is_not_tried(tmp_path: Path) -> None:
    """`enforces` of models.toml is believed."""
    async with VllmStandIn().serving() as stand_in:
        client = client_of(tmp_path, [EngineEntry(url=stand_in.url, enforces=("json_schema",))])
        async with learning(client):
            await answer(client)
            await asyncio.sleep(0)
        connection = client.pools[MODEL].engines[EngineEntry(url=stand_in.url).label]
        assert connection.capabilities() == declared(("json_schema",))
        await client.close()

    assert len(stand_in.requests) == 1


async def test_a_request_goes_where_it_can_be_served(tmp_path: Path) -> None:
    """A schema goes to an engine that enforces it, a broken answer to one that continues it; other requests to all."""
    weak, able = FakeModel(), FakeModel()
    async with engines(tmp_path, weak, able) as client:
        connections = list(client.pools[MODEL].engines.values())
        connections[0].learn("fake-model", FOUND)
        await client.info(MODEL)
        for _ in range(2):
            await answer(client, response_format=FORCED_FORMAT)
            await pieces(client, model=MODEL, continue_last=True)
        assert (len(weak.requests), len(able.requests)) == (0, 4)
        for _ in range(4):
            await answer(client)
        assert weak.requests


async def test_without_an_able_engine_any_one_is_asked(tmp_path: Path) -> None:
    """The answer is then validated, and asked for again, as with an engine of which nothing is known."""
    weak, away = FakeModel(), FakeModel(answer=lambda _: (Fail(503),))
    async with engines(tmp_path, weak, away) as client:
        next(iter(client.pools[MODEL].engines.values())).learn("fake-model", FOUND)
        assert await answer(client, response_format=FORCED_FORMAT) == "Hello there."

    assert weak.requests[0]["response_format"] == FORCED_FORMAT


def test_the_store_forgets_what_is_old_or_damaged(tmp_path: Path) -> None:
    """A file that cannot be read is empty, and one entry replaces its older self."""
    clock = Clock()
    store = CapabilityStore(tmp_path, clock)
    store.save("h:1", "m", "v1", FOUND)
    store.save("h:2", "m", "v1", FOUND)
    store.save("h:1", "m", "v2", FOUND)
    found = CapabilityStore(tmp_path, clock).find("h:1", "m")
    assert found is not None
    assert (found.fingerprint, found.capabilities) == ("v2", FOUND)
    assert len(json.loads((tmp_path / FILE).read_text())) == 2

    clock.now_s += MAX_AGE_S + 1
    assert store.find("h:1", "m") is None
    clock.now_s -= MAX_AGE_S + 2
    assert store.find("h:1", "m") is None
    for damaged in ("{", "[]x", '[{"engine": 1}]', "[" * 100_000, "\0"):
        (tmp_path / FILE).write_text(damaged)
        assert store.find("h:1", "m") is None


@pytest.mark.parametrize(
    ("support", "fields"),
    [
        (None, {"response_format": FORMAT}),
        ("response_format", {"response_format": FORMAT}),
        ("unenforced", {"response_format": FORMAT}),
        ("structured_outputs", {"structured_outputs": {"json": SCHEMA}}),
        ("guided_json", {"guided_json": SCHEMA}),
        ("json_schema", {"json_schema": SCHEMA}),
        ("refused", {}),
    ],
)
def test_a_schema_is_asked_for_in_the_engines_form(support: object, fields: object) -> None:
    """The forms are those of OpenAI, vLLM and llama-server."""
    assert schema_fields(FORMAT, support) == fields  # type: ignore[arg-type]


def test_a_continuation_is_asked_for_in_the_engines_form() -> None:
    """The forms are those of vLLM and llama-server, of Ollama, and of Mistral."""
    messages = [{"role": each.role, "content": each.content} for each in BEGUN]

    flag = {"continue_final_message": True, "add_generation_prompt": False}
    assert continuation_fields(messages, None) == continuation_fields(messages, "flag") == flag
    assert continuation_fields(messages, "prefill") == continuation_fields(messages, "none") == {}
    assert continuation_fields(messages, "prefix")["messages"][-1] == {**messages[-1], "prefix": True}
    assert "prefix" not in messages[-1]
