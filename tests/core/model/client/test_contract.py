"""One contract for every engine: a real llama-server, our own process, and strict stand-ins of vLLM and Ollama.

The requests to real models are small: the same checks run on all.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.configuration.settings import load
from core.contract import Sampling
from core.errors import ModelRefused, PromptTooLong
from core.model.client import ModelClient, capability_probe
from core.model.client.capability_probe import (
    BEGUN,
    CONTINUED,
    FORCED_FORMAT,
    FORCED_VALUE,
    GREETING,
    find_capabilities,
    identify,
)
from core.openai.chat_protocol import Message, StreamEvent, StreamFinished, TextDelta
from core.openai.dialects import EngineCapabilities
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.starter import ModelProcess
from tests.support.vllm_stand_in import VllmStandIn

STAND_INS: dict[str, Any] = {
    "vllm": VllmStandIn,
    "vllm 0.5": lambda: VllmStandIn(old=True),
    "ollama": OllamaStandIn,
    "ollama 0.4": lambda: OllamaStandIn(old=True),
}
REAL = ("llama-server", "own")
ALL = (*STAND_INS, *REAL)
GREEDY = Sampling(temperature=0, max_tokens=4)

EXPECTED = {
    "vllm": EngineCapabilities("response_format", "flag", "messages", embeddings=False, cancellation=True),
    "vllm 0.5": EngineCapabilities("guided_json", "flag", "messages", embeddings=False, cancellation=True),
    "ollama": EngineCapabilities("response_format", "flag", "none", embeddings=True, cancellation=None),
    "ollama 0.4": EngineCapabilities("unenforced", "flag", "none", embeddings=True, cancellation=None),
    "llama-server": EngineCapabilities("response_format", "flag", "template", embeddings=False, cancellation=True),
}
PROGRAMS = {"vllm": "vllm", "vllm 0.5": "vllm", "ollama": "ollama", "ollama 0.4": "ollama"}


@asynccontextmanager
async def engine(kind: str, request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[ModelClient]:
    """A client of the engine, which is ready."""
    async with AsyncExitStack() as stack:
        if kind == "own":
            process: ModelProcess = request.getfixturevalue("starter_process")
            client = ModelClient.from_settings(process.settings)
        else:
            if kind in STAND_INS:
                url = (await stack.enter_async_context(STAND_INS[kind]().serving())).url
            else:
                url = request.getfixturevalue("llama_server")
            client = ModelClient.from_settings(load({"CSPS_LLM_DATA": str(folder), "LLM_URL": url}))
        stack.push_async_callback(client.close)
        await client.wait_ready(60)
        yield client


@pytest.fixture(params=ALL)
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ModelClient]:
    async with engine(request.param, request, tmp_path) as client:
        yield client


async def events(client: ModelClient, messages: tuple[Message, ...], **options: Any) -> list[StreamEvent]:
    async with aclosing(client.stream(messages, options.pop("sampling", GREEDY), **options)) as stream:
        return [event async for event in stream]


def text_of(found: list[StreamEvent]) -> str:
    return "".join(event.text for event in found if isinstance(event, TextDelta))


async def test_an_answer_streams_and_counts(client: ModelClient) -> None:
    """The text comes in several pieces. The last event has the finish reason and the tokens of prompt and answer."""
    found = await events(client, GREETING)
    end = found[-1]

    assert len([event for event in found if isinstance(event, TextDelta)]) > 1
    assert text_of(found)
    assert isinstance(end, StreamFinished)
    assert end.reason == "length"
    assert end.usage.prompt_tokens > 0
    assert end.usage.completion_tokens == 4


async def test_a_stop_string_ends_the_answer(client: ModelClient) -> None:
    """It is not a part of the answer, and the reason is "stop"."""
    first = text_of(await events(client, GREETING))
    stop = first.strip()[1:3]
    found = await events(client, GREETING, sampling=Sampling(temperature=0, max_tokens=4, stop=(stop,)))

    assert text_of(found) == first.partition(stop)[0]
    assert found[-1].reason == "stop"  # type: ignore[union-attr]


async def test_a_seed_repeats_an_answer(client: ModelClient) -> None:
    """The same seed gives the same text."""
    sampling = Sampling(temperature=1.0, max_tokens=6, seed=7)

    assert text_of(await events(client, GREETING, sampling=sampling)) == text_of(
        await events(client, GREETING, sampling=sampling)
    )


async def test_the_model_list_has_name_and_window(client: ModelClient) -> None:
    """Ollama tells no window: a small one is assumed."""
    info = await client.info()

    assert info.name
    assert "/" not in info.title
    assert 256 <= info.window <= 8192


async def test_the_count_is_that_of_the_prompt(client: ModelClient) -> None:
    """Where an engine counts, it counts what it computes."""
    counted = await client.count(GREETING)
    usage = (await events(client, GREETING, sampling=Sampling(max_tokens=1)))[-1].usage  # type: ignore[union-attr]

    assert counted in (None, usage.prompt_tokens)


async def test_a_prompt_that_is_too_long_is_refused_as_such(client: ModelClient) -> None:
    """The caller then drops a part of it. Ollama cuts it in silence."""
    if (await client.info()).name == OllamaStandIn.model:
        pytest.skip("Ollama cuts")
    with pytest.raises(PromptTooLong):
        await events(client, (Message("user", "word " * 20_000),))


async def test_an_unknown_model_is_refused(client: ModelClient, request: pytest.FixtureRequest) -> None:
    """The list of models tells it before the engine is asked. Our own process answers with its default model."""
    if "own" in request.node.name:
        pytest.skip("a personality may be newer than the list")
    with pytest.raises(ModelRefused, match="does not serve"):
        await events(client, GREETING, model="nonsense")


async def test_leaving_ends_the_answer(client: ModelClient) -> None:
    """The engine is free for the next request."""
    long = (Message("user", "Count from 1 to 500."),)
    async with aclosing(client.stream(long, Sampling(max_tokens=64))) as stream:
        assert await anext(stream)

    assert text_of(await events(client, GREETING))


@pytest.mark.parametrize("kind", EXPECTED)
async def test_the_features_are_found(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """What is found is what the engine does: requests then use the form that it understands."""
    async with engine(kind, request, tmp_path) as client:
        connection, name = next(iter(client.own.engines.values())), (await client.info()).name
        assert (await identify(connection)).program == PROGRAMS.get(kind, kind)
        found = await find_capabilities(connection, name)
        assert found == EXPECTED[kind]
        connection.learn(name, found)

        if found.enforces_schemas:
            sampling = Sampling(temperature=0, max_tokens=32)
            answer = text_of(await events(client, GREETING, sampling=sampling, response_format=FORCED_FORMAT))
            assert json.loads(answer) == FORCED_VALUE
        assert CONTINUED.match(text_of(await events(client, BEGUN, continue_last=True)))


async def test_an_engine_that_computes_on_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on after the client left: its slots fill with answers that nobody reads."""
    monkeypatch.setattr(capability_probe, "STOP_POLLS", 2)
    async with VllmStandIn(cancels=False).serving() as stand_in:
        client = ModelClient.from_settings(load({"CSPS_LLM_DATA": str(tmp_path), "LLM_URL": stand_in.url}))
        found = await find_capabilities(next(iter(client.own.engines.values())), "toy")
        await client.close()

    assert found.cancellation is False
    assert found.missing() == ("embeddings", "cancellation")
