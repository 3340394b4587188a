"""/v1 through all processes: OpenAI's client, the web process, the engine, and the starter's process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from openai import AsyncOpenAI

from core.bootstrap import run_core
from core.rag.embeddings import LocalEmbedder
from tests.support.starter import ModelProcess
from tests.web.v1.support_openai import HI
from web.app import create_app, serve

pytestmark = pytest.mark.slow
TICKET = {
    "type": "object",
    "properties": {
        "team": {"enum": ["pay", "leave", "travel"]},
        "urgent": {"type": "boolean"},
        "answer": {"type": "string", "minLength": 30, "maxLength": 60},
    },
    "required": ["team", "urgent", "answer"],
    "additionalProperties": False,
}
FORM: Any = {"type": "json_schema", "json_schema": {"name": "ticket", "schema": TICKET, "strict": True}}


@pytest.fixture
async def client(starter_process: ModelProcess) -> AsyncIterator[AsyncOpenAI]:
    """The client of a web process in front of the starter."""
    settings = starter_process.settings
    web = settings.web.model_copy(update={"port": 0, "drain_s": 0.0})
    async with run_core(settings, warms=False) as core:
        app = create_app(core.engine, settings.model_copy(update={"web": web}), encoder=core.encoder)
        async with (
            serve(app, web) as url,
            AsyncOpenAI(base_url=f"{url}v1", api_key="none", max_retries=0) as made,
        ):
            yield made


async def test_json_arrives_piece_by_piece(client: AsyncOpenAI) -> None:
    """The starter's process enforces the whole schema, so that nobody waits for the end."""
    stream = await client.chat.completions.create(
        model="whisper",
        messages=[{"role": "user", "content": "My pay is wrong, and my rent is due!"}],
        response_format=FORM,
        stream=True,
        temperature=0,
    )
    pieces = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices[0].delta.content]

    assert len(pieces) > 3
    assert json.loads("".join(pieces))["team"] in TICKET["properties"]["team"]["enum"]  # type: ignore[index]


async def test_choices_with_one_seed_differ(client: AsyncOpenAI) -> None:
    """Each choice has a seed of its own; all sampling parameters are known to the model's process."""
    completion = await client.chat.completions.create(
        model="whisper",
        messages=[{"role": "user", "content": "Tell me something about Ottawa."}],
        n=3,
        seed=7,
        temperature=1.5,
        max_completion_tokens=12,
        frequency_penalty=0.5,
        presence_penalty=0.5,
        stop="\n\n\n",
        extra_body={"top_k": -1, "min_p": 0.01},
    )

    assert len({choice.message.content for choice in completion.choices}) == 3
    assert completion.usage is not None
    assert 3 <= completion.usage.completion_tokens <= 36


async def test_the_window_and_the_model_are_listed(client: AsyncOpenAI) -> None:
    """Both are those of the running model."""
    [entry, *_] = (await client.models.list()).data
    fields = entry.model_dump()

    assert isinstance(fields["context_length"], int)
    assert (fields["starter"], fields["root"] is None) == (True, False)


async def test_embeddings_come_from_the_model_process(client: AsyncOpenAI) -> None:
    """Their tokens are counted there."""
    made = await client.embeddings.create(model="use-multilingual-v3", input=["Leave", "Congé", "Travel"])

    rows = np.array([each.embedding for each in made.data])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert (made.model, made.usage.prompt_tokens > 5) == (LocalEmbedder.name, True)


async def test_an_answer_that_its_budget_ends_says_so(client: AsyncOpenAI) -> None:
    """The reason is `length`."""
    completion = await client.chat.completions.create(model="whisper", messages=HI, max_tokens=1)

    assert completion.choices[0].finish_reason == "length"
