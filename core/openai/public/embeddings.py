"""OpenAI's public request for embeddings, answered by the bundled encoder. Refuses what that encoder cannot do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, field_validator

from core.contract import Json
from core.errors import NotFound, ParameterRefused
from core.openai.requests import OpenModel, list_texts
from core.openai.response_objects import embeddings_object
from core.rag.embeddings import CountingEmbedder, LocalEmbedder
from core.rag.encoder import DIMENSIONS, TEXT_LIMIT_CHARS

ALIAS = LocalEmbedder.name.partition(":")[0]  # without the version of its weights
TEXTS_LIMIT = 2048
BATCH_TEXTS = 64
BATCHES_AT_ONCE = 2  # of all requests: a person's question also waits for the encoder
ARRAYS_OF_IDS = (
    "arrays of token ids belong to OpenAI's models; send texts "
    "(in LangChain's OpenAIEmbeddings: check_embedding_ctx_length=False)"
)


class EmbedderUnknown(NotFound):
    code = "model_not_found"


class PublicEmbeddingsRequest(OpenModel):
    """The body of a public POST /v1/embeddings. Unknown parameters have no effect."""

    model: str
    input: list[str] = Field(min_length=1, max_length=TEXTS_LIMIT)
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None

    @field_validator("input", mode="before")
    @classmethod
    def _read_texts(cls, value: Any) -> Any:
        if isinstance(value, list) and any(isinstance(each, int | list) for each in value):
            raise ValueError(ARRAYS_OF_IDS)
        if not isinstance(value, str | list):
            raise ValueError("must be a text or a list of texts")  # noqa: TRY004  # pydantic reports no TypeError
        return list_texts(value)


def check_embeddings(request: PublicEmbeddingsRequest, personalities: Sequence[str]) -> None:
    """Raises EmbedderUnknown, ParameterRefused."""
    if request.model not in (ALIAS, LocalEmbedder.name):
        found = "a personality makes no embeddings" if request.model in personalities else "no such embedding model"
        raise EmbedderUnknown(f"{found}; use `{ALIAS}`")
    if request.dimensions not in (None, DIMENSIONS):
        raise ParameterRefused(
            f"`dimensions`: {ALIAS} has {DIMENSIONS}; a part of them would not stand for the text", "dimensions"
        )
    for number, text in enumerate(request.input):
        if len(text) > TEXT_LIMIT_CHARS:
            raise ParameterRefused(
                f"`input.{number}` has {len(text)} characters, of which the encoder reads {TEXT_LIMIT_CHARS}; split it",
                "input",
            )


class PublicEncoder:
    """The bundled encoder for callers of /v1, a few texts at a time."""

    def __init__(self, embedder: CountingEmbedder) -> None:
        self._embedder = embedder
        self._turn = asyncio.Semaphore(BATCHES_AT_ONCE)

    async def embed(self, request: PublicEmbeddingsRequest) -> dict[str, Json]:
        """Returns OpenAI's object. Raises ModelError."""
        vectors: list[list[float]] = []
        tokens = 0
        for begin in range(0, len(request.input), BATCH_TEXTS):
            async with self._turn:
                embedded = await self._embedder.embed_counted(request.input[begin : begin + BATCH_TEXTS])
            vectors += embedded.vectors.tolist()
            tokens += embedded.tokens
        return embeddings_object(vectors, self._embedder.name, tokens, packed=request.encoding_format == "base64")
