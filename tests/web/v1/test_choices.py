"""Several answers to one request, and the objects that they are sent in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from core.configuration.settings import Settings
from core.contract import ConformingText, Done, Prompt, Source, Text, Usage
from core.errors import ModelUnavailable
from tests.support.fake_engine import FakeEngine, ReplyStep
from tests.web.support_site import Site, site
from tests.web.v1.support_openai import DONE, HI, build_client

CITING = (Source(1, "Pool", "https://x.example/pool"), Text("Green [1]"), DONE)
ANSWER = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
MANY: dict[str, Any] = {"model": "whisper", "messages": HI, "n": 3}


def by_seed(prompt: Prompt) -> Iterable[ReplyStep]:
    yield Text("Seed ")
    yield Text(str(prompt.sampling.seed))
    yield Done("stop", "fake-model", Usage(7, 3, 2))


async def test_several_choices_have_seeds_of_their_own(own_settings: Settings) -> None:
    """Each choice has its index, and the usage is that of all."""
    async with site(own_settings, FakeEngine(by_seed)) as running, build_client(running) as client:
        completion = await client.chat.completions.create(**MANY, seed=2**63 - 1)

    assert [(each.index, each.message.content) for each in completion.choices] == [
        (0, f"Seed {2**63 - 1}"),
        (1, f"Seed {-(2**63)}"),
        (2, f"Seed {-(2**63) + 1}"),
    ]
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (21, 9)


async def test_choices_without_a_seed_have_none(whisper: Site, client: AsyncOpenAI) -> None:
    """The model chooses another one for each."""
    await client.chat.completions.create(**MANY)

    assert [prompt.sampling.seed for prompt in whisper.engine.prompts] == [None] * 3


async def test_streamed_choices_are_told_by_their_index(own_settings: Settings) -> None:
    """Each has its role, its text and its end; the usage comes once."""
    async with site(own_settings, FakeEngine(by_seed)) as running, build_client(running) as client:
        stream = await client.chat.completions.create(
            **MANY, seed=5, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]

    for index in range(3):
        own = [chunk.choices[0] for chunk in chunks if chunk.choices and chunk.choices[0].index == index]
        assert own[0].delta.role == "assistant"
        assert "".join(each.delta.content or "" for each in own) == f"Seed {5 + index}"
        assert [each.finish_reason for each in own] == [None, None, None, "stop"]
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [30]
    assert chunks[-1].choices == []


async def test_choices_are_written_at_the_same_time(own_settings: Settings) -> None:
    """The second one does not wait for the first one's end."""
    second_begins = asyncio.Event()

    def replies(prompt: Prompt) -> Iterable[ReplyStep]:
        if prompt.sampling.seed == 1:
            yield second_begins
        else:
            second_begins.set()
        yield from by_seed(prompt)

    async with site(own_settings, FakeEngine(replies)) as running, build_client(running) as client:
        completion = await client.chat.completions.create(**{**MANY, "n": 2}, seed=1)

    assert [each.message.content for each in completion.choices] == ["Seed 1", "Seed 2"]


async def test_an_error_of_one_choice_ends_all(own_settings: Settings) -> None:
    """The others are cancelled."""

    def replies(prompt: Prompt) -> Iterable[ReplyStep]:
        yield asyncio.Event() if prompt.sampling.seed == 1 else ModelUnavailable("gone")

    async with site(own_settings, FakeEngine(replies)) as running, build_client(running) as client:
        with pytest.raises(openai.InternalServerError, match="gone"):
            await client.chat.completions.create(**{**MANY, "n": 2}, seed=1)
        await running.engine.cancelled.wait()


async def test_a_client_that_leaves_ends_all_choices(own_settings: Settings) -> None:
    """Closing the stream frees the slots of all."""
    ended: list[int | None] = []

    class Watched(FakeEngine):
        async def reply(self, prompt: Prompt) -> Any:
            try:
                yield Text("a")
                await asyncio.Event().wait()
            finally:
                ended.append(prompt.sampling.seed)
                if len(ended) == 3:
                    self.cancelled.set()

    async with site(own_settings, Watched()) as running, build_client(running) as client:
        async with await client.chat.completions.create(**MANY, seed=1, stream=True) as stream:
            await anext(stream)
        await running.engine.cancelled.wait()

    assert [1, 2, 3] == sorted(seed or 0 for seed in ended)


async def test_several_json_answers(own_settings: Settings) -> None:
    """Each choice is a conforming value."""
    toiled = lambda task: {"answer": task.sampling.seed}  # noqa: E731

    async with site(own_settings, FakeEngine(toiled=toiled)) as running, build_client(running) as client:
        completion = await client.chat.completions.create(**MANY, seed=1, response_format=ANSWER)

    assert [json.loads(each.message.content or "") for each in completion.choices] == [{"answer": n} for n in (1, 2, 3)]


@pytest.mark.parametrize("n", [0, 9, 1.5, "2"])
async def test_more_choices_are_refused(client: AsyncOpenAI, n: Any) -> None:
    """The error names the limit."""
    with pytest.raises(openai.BadRequestError) as failure:
        await client.chat.completions.create(**{**MANY, "n": n})

    assert failure.value.param == "n"


@pytest.mark.parametrize("fields", [{}, {"response_format": ANSWER}, {"n": 2}])
async def test_objects_are_valid_for_strict_clients(own_settings: Settings, fields: dict[str, Any]) -> None:
    """Every object and chunk has the types of OpenAI's, without any conversion."""
    body = {"model": "whisper", "messages": HI, **fields}
    options = {"stream": True, "stream_options": {"include_usage": True}}
    engine = FakeEngine(CITING)
    engine.toil_steps = (ConformingText('{"answer": '), ConformingText("42}"))
    async with site(own_settings, engine) as running:
        async with running.http.post("/v1/chat/completions", json=body) as response:
            whole = ChatCompletion.model_validate_json(await response.text(), strict=True)
        async with running.http.post("/v1/chat/completions", json={**body, **options}) as response:
            events = (await response.text()).strip().split("\n\n")
    chunks = [ChatCompletionChunk.model_validate_json(each.removeprefix("data: "), strict=True) for each in events[:-1]]

    assert (whole.object, whole.service_tier, whole.system_fingerprint) == ("chat.completion", "default", None)
    assert {"service_tier", "system_fingerprint"} <= chunks[0].model_fields_set
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert all("usage" in chunk.model_fields_set for chunk in chunks)
