"""POST /v1/embeddings with OpenAI's client."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import openai
import pytest
from openai import AsyncOpenAI
from openai.types import CreateEmbeddingResponse

from core.configuration.settings import Settings
from core.errors import ModelUnavailable
from core.openai.public.embeddings import BATCH_TEXTS
from core.rag.embeddings import Embedded, LocalEmbedder
from tests.web.support_site import Site, site
from tests.web.v1.support_openai import build_client

NAME = "use-multilingual-v3"


class LengthEncoder:
    """Vectors that tell the lengths of their texts; a token is a word."""

    name = LocalEmbedder.name

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.failure: ModelUnavailable | None = None

    async def embed_counted(self, texts: Sequence[str]) -> Embedded:
        self.batches.append(len(texts))
        if self.failure:
            raise self.failure
        vectors = np.zeros((len(texts), 512), np.float32)
        vectors[:, 0] = [len(text) for text in texts]
        return Embedded(vectors, sum(len(text.split()) for text in texts))

    async def embed(self, texts: Sequence[str]) -> Any:
        return (await self.embed_counted(texts)).vectors

    async def close(self) -> None:
        """It holds nothing."""


@pytest.fixture
def lengths() -> LengthEncoder:
    return LengthEncoder()


@pytest.fixture
async def running(own_settings: Settings, lengths: LengthEncoder) -> AsyncIterator[Site]:
    async with site(own_settings, encoder=lengths) as started:
        yield started


@pytest.fixture
async def client(running: Site) -> AsyncIterator[AsyncOpenAI]:
    async with build_client(running) as made:
        yield made


@pytest.mark.parametrize("encoding", [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}])
@pytest.mark.parametrize("model", [NAME, LocalEmbedder.name])
async def test_texts_get_vectors_in_their_order(client: AsyncOpenAI, encoding: Any, model: str) -> None:
    """By the short or the full name of the encoder, as numbers or in base64; the answer has the full name."""
    made = await client.embeddings.create(model=model, input=["one", "and two", ""], **encoding)

    assert [each.index for each in made.data] == [0, 1, 2]
    first = [
        np.frombuffer(base64.b64decode(each.embedding), "<f4")[0]
        if isinstance(each.embedding, str)
        else each.embedding[0]
        for each in made.data
    ]
    assert first == [3, 7, 0]
    assert (made.model, made.usage.prompt_tokens, made.usage.total_tokens) == (LocalEmbedder.name, 3, 3)


async def test_one_text_and_harmless_parameters(running: Site) -> None:
    """Null is no value, 512 dimensions are what it has, and unknown parameters have no effect."""
    body = {"model": NAME, "input": "one", "user": "ann", "dimensions": 512, "encoding_format": None, "truncate": "END"}
    async with running.http.post("/v1/embeddings", json=body) as response:
        made = CreateEmbeddingResponse.model_validate_json(await response.text(), strict=True)

    assert len(made.data[0].embedding) == 512


async def test_many_texts_are_embedded_in_parts(client: AsyncOpenAI, lengths: LengthEncoder) -> None:
    """Others can ask between them."""
    made = await client.embeddings.create(model=NAME, input=["x" * n for n in range(2 * BATCH_TEXTS + 1)])

    assert lengths.batches == [BATCH_TEXTS, BATCH_TEXTS, 1]
    assert [each.embedding[0] for each in made.data] == list(range(2 * BATCH_TEXTS + 1))


@pytest.mark.parametrize(
    ("fields", "param", "reason"),
    [
        ({"input": [1, 2, 3]}, "input", "check_embedding_ctx_length=False"),
        ({"input": [[1, 2], [3]]}, "input", "check_embedding_ctx_length=False"),
        ({"input": []}, "input", "at least 1"),
        ({"input": None}, "input", "input"),
        ({"input": [None]}, "input", "text"),
        ({"input": ["x"] * 2049}, "input", "2048"),
        ({"input": ["x", "y" * 20_001]}, "input", "input.1"),
        ({"input": "x", "dimensions": 256}, "dimensions", "512"),
        ({"input": "x", "encoding_format": "int8"}, "encoding_format", "base64"),
        ({"input": "x", "model": None}, "model", "model"),
    ],
)
async def test_what_the_encoder_cannot_do_is_refused(
    running: Site, lengths: LengthEncoder, fields: dict[str, Any], param: str, reason: str
) -> None:
    """The error names the parameter and the remedy; nothing is embedded."""
    async with running.http.post("/v1/embeddings", json={"model": NAME, **fields}) as response:
        error = (await response.json())["error"]

    assert (400, param) == (response.status, error["param"].split(".")[0])
    assert reason in error["message"]
    assert lengths.batches == []


@pytest.mark.parametrize(
    ("model", "reason"),
    [("text-embedding-3-small", "no such embedding model; use"), ("whisper", "a personality makes no embeddings; use")],
)
async def test_other_models_are_404_with_the_right_name(client: AsyncOpenAI, model: str, reason: str) -> None:
    """The code is OpenAI's."""
    with pytest.raises(openai.NotFoundError, match=f"{reason} `{NAME}`") as failure:
        await client.embeddings.create(model=model, input="x")

    assert failure.value.code == "model_not_found"


async def test_an_encoder_that_is_away_is_503(client: AsyncOpenAI, lengths: LengthEncoder) -> None:
    """The model process restarts."""
    lengths.failure = ModelUnavailable("restarting", retry_after_s=2)
    with pytest.raises(openai.InternalServerError) as failure:
        await client.embeddings.create(model=NAME, input="x")

    assert (failure.value.status_code, failure.value.response.headers["Retry-After"]) == (503, "2")


async def test_the_bundled_encoder_answers(own_settings: Settings) -> None:
    """The vectors are those of collections of facts; the tokens are counted."""
    encoder = LocalEmbedder(1)
    texts = ["How long is parental leave?", "Combien de temps dure le congé parental?"]
    async with site(own_settings, encoder=encoder) as running, build_client(running) as client:
        made = await client.embeddings.create(model=NAME, input=texts)

    expected = await encoder.embed(texts)
    await encoder.close()
    np.testing.assert_allclose([each.embedding for each in made.data], expected, atol=1e-6)
    assert 10 < made.usage.prompt_tokens < 40
