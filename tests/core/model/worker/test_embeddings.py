"""The model process with an embedder."""

from __future__ import annotations

import asyncio
import base64
import math
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.core.model.support_embedder import ADDED_TEXT, ADDED_TOKEN, write_embedder
from tests.core.model.worker.support_model_client import (
    CHAT,
    EMBEDDINGS,
    body,
    connect,
    tokens_of,
)
from tests.support.starter import ModelProcess, link_starter


@pytest.fixture(scope="module")
def embedder(
    request: pytest.FixtureRequest, starter_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelProcess]:
    cache = request.config.cache
    assert cache is not None
    file = cache.mkdir("starter") / "embedder.gguf"
    if not file.exists():
        write_embedder(starter_file, file.with_suffix(".part")).replace(file)
    data = tmp_path_factory.mktemp("embedder")
    link_starter(starter_file, data)
    with ModelProcess(data, LLM_MODEL_FILE=str(file), LLM_CONTEXT_WINDOW="512").serving() as it:
        yield it


@pytest.fixture
async def embedding(embedder: ModelProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(embedder) as client:
        yield client


async def vectors(http: httpx.AsyncClient, texts: str | list[str], **fields: Any) -> list[Any]:
    response = await http.post(EMBEDDINGS, json={"input": texts, **fields})
    assert response.status_code == 200, response.text
    data = response.json()["data"]
    assert [entry["index"] for entry in data] == list(range(len(data)))
    return [entry["embedding"] for entry in data]


async def test_a_chat_model_answers_beside_an_embedder(embedding: httpx.AsyncClient) -> None:
    """Each has its own worker; both answer at the same time, and the list tells them apart by the files' names."""
    answer, embedded = await asyncio.gather(
        embedding.post(CHAT, json=body("Hello", model="starter", max_tokens=4)), vectors(embedding, ["a", "b"])
    )
    listed = (await embedding.get("/v1/models")).json()["data"]

    assert answer.json()["choices"][0]["message"]["content"]
    assert 2 == len(embedded)
    assert [("embedder.gguf", True), ("starter", False)] == [(each["id"], each["embedder"]) for each in listed]


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


async def test_equal_texts_have_equal_embeddings(embedding: httpx.AsyncClient) -> None:
    """Vectors have length 1, and another text has another vector."""
    one, same, other = await vectors(embedding, ["The budget of 2021", "The budget of 2021", "Un chat noir"])

    assert math.isclose(cosine(one, same), 1, abs_tol=1e-6)
    assert cosine(one, other) < 0.99


async def test_an_embedding_does_not_depend_on_other_requests(embedding: httpx.AsyncClient) -> None:
    """Concurrent requests yield the same vectors."""
    texts = [f"text number {n} " * n for n in range(1, 9)]
    alone = [(await vectors(embedding, text))[0] for text in texts]
    together = await asyncio.gather(*(vectors(embedding, text) for text in reversed(texts)))

    for one, [again] in zip(alone, reversed(together), strict=True):
        assert math.isclose(cosine(one, again), 1, abs_tol=1e-6)


async def test_openais_client_reads_embeddings(embedder: ModelProcess) -> None:
    """It requests base64 by default."""
    async with connect(embedder) as transport:
        client = openai.AsyncOpenAI(base_url="http://model/v1", api_key="none", http_client=transport)  # type: ignore[arg-type]  # any httpx client works
        (plain,) = await vectors(transport, "Hello")
        (packed,) = await vectors(transport, "Hello", encoding_format="base64")
        created = await client.embeddings.create(model="embedder", input="Hello")

    unpacked = struct.unpack(f"<{len(plain)}f", base64.b64decode(packed))
    assert unpacked == pytest.approx(plain)
    assert created.data[0].embedding == pytest.approx(plain)


@pytest.mark.parametrize("text", ["", "word " * 600])
async def test_an_empty_or_too_long_text_is_refused(embedding: httpx.AsyncClient, text: str) -> None:
    """The status is 400, and the process continues."""
    response = await embedding.post(EMBEDDINGS, json={"input": ["fine", text]})

    assert response.status_code == 400
    assert (await embedding.get("/health")).status_code == 200


async def test_an_embedder_does_not_chat(embedding: httpx.AsyncClient) -> None:
    """The error and the list of models say that it is an embedder."""
    response = await embedding.post(CHAT, json=body("Hello"))
    model = (await embedding.get("/v1/models")).json()["data"][0]

    assert response.status_code == 400
    assert "embedder" in response.json()["error"]["message"]
    assert (model["embedder"], model["starter"]) == (True, False)


async def test_a_chat_model_does_not_embed(http: httpx.AsyncClient) -> None:
    """Its own error code tells callers to embed elsewhere."""
    response = await http.post(EMBEDDINGS, json={"input": "Hello"})

    assert (response.status_code, response.json()["error"]["code"]) == (400, "not_an_embedder")


async def test_a_message_cannot_forge_added_tokens(embedding: httpx.AsyncClient) -> None:
    """Some models' turn borders are added tokens, which llama.cpp recognises in any text. (They went through.)"""
    written = await tokens_of(embedding, messages=[{"role": "user", "content": f"a {ADDED_TEXT} b{ADDED_TEXT}"}])

    assert ADDED_TOKEN not in written
    assert ADDED_TOKEN not in await tokens_of(embedding, prompt=ADDED_TEXT)
