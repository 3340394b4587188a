"""Embeds texts as vectors of length 1, by the bundled encoder or by a `/v1/embeddings` URL.

Owns batches, threads and deadlines. Knows neither passages nor databases.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

import httpx
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from core.errors import ConfigError, ModelRefused, ModelUnavailable
from core.rag.encoder import SHA256, SentenceEncoder

Vectors = NDArray[np.float32]

TEXTS_PER_PART = 256  # of one thread's share; the more texts, the more words they have in common
TEXTS_PER_CALL = 64  # to a URL
URL_DEADLINE_S = 60.0  # of one call
URL_CALLS_AT_ONCE = 2
REPLY_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors, and the tokens of their texts; 0 if the engine does not count them."""

    vectors: Vectors
    tokens: int


class Embedder(Protocol):
    """`name` changes whenever the same text would get another vector."""

    @property
    def name(self) -> str: ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Returns (texts, dimensions), each row of length 1. Raises ModelError."""

    async def close(self) -> None: ...


class CountingEmbedder(Embedder, Protocol):
    async def embed_counted(self, texts: Sequence[str]) -> Embedded:
        """Returns what `embed` does, with the number of tokens. Raises ModelError."""


class LocalEmbedder:
    """The bundled encoder: English, French and other languages in one space, offline, 512 dimensions.

    The first call loads it, in a thread like all its work.
    """

    name = f"use-multilingual-v3:{SHA256['weights.npz'][:12]}"

    def __init__(self, threads: int | None = None) -> None:
        self._at_once = threads or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(self._at_once, thread_name_prefix="embed")
        self._lock = Lock()
        self._encoder: SentenceEncoder | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Raises ConfigError if the package is damaged."""
        return (await self.embed_counted(texts)).vectors

    async def embed_counted(self, texts: Sequence[str]) -> Embedded:
        """Raises ConfigError if the package is damaged."""
        loop = asyncio.get_running_loop()
        rounds = math.ceil(len(texts) / (TEXTS_PER_PART * self._at_once)) or 1
        size = math.ceil(len(texts) / (rounds * self._at_once)) or 1  # all threads end at about the same time
        parts = (loop.run_in_executor(self._threads, self._encode, part) for part in split_batches(texts, size))
        return join_embedded(await asyncio.gather(*parts))

    def _encode(self, texts: Sequence[str]) -> Embedded:
        with self._lock:
            self._encoder = self._encoder or SentenceEncoder()
        return Embedded(*self._encoder.encode_counted(texts))

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)


class Embedding(BaseModel):
    index: int
    embedding: list[float]


class EmbeddingsUsage(BaseModel):
    prompt_tokens: int = 0


class EmbeddingsReply(BaseModel):
    """The fields that are used of OpenAI's reply."""

    data: list[Embedding]
    usage: EmbeddingsUsage | None = None


class UrlEmbedder:
    """An engine with OpenAI's `/v1/embeddings`; `url` ends in /v1, as LLM_URL does.

    `name`: the name of the vectors, if other embedders make the same. `transport`: replaces TCP, for a Unix socket.
    """

    def __init__(
        self,
        url: str,
        model: str,
        api_key: str | None = None,
        deadline_s: float = URL_DEADLINE_S,
        *,
        name: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name or f"{model} at {httpx.URL(url).host}"
        self._url = f"{url.rstrip('/')}/embeddings"
        self._model = model
        self._deadline_s = deadline_s
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = httpx.AsyncClient(headers=headers, timeout=deadline_s, transport=transport)
        self._turn = asyncio.Semaphore(URL_CALLS_AT_ONCE)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Raises ModelUnavailable, ModelRefused."""
        return (await self.embed_counted(texts)).vectors

    async def embed_counted(self, texts: Sequence[str]) -> Embedded:
        """Raises ModelUnavailable, ModelRefused."""
        return join_embedded(await asyncio.gather(*map(self._ask, split_batches(texts, TEXTS_PER_CALL))))

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(self, texts: Sequence[str]) -> Embedded:
        try:
            async with self._turn, asyncio.timeout(self._deadline_s):
                body = await self._post({"model": self._model, "input": list(texts)})
        except TimeoutError as exc:
            raise ModelUnavailable(f"{self._url} did not answer within {self._deadline_s:g} s") from exc
        except httpx.HTTPError as exc:
            raise ModelUnavailable(f"{self._url} cannot be reached: {type(exc).__name__}") from exc
        return self._parse(body, len(texts))

    async def _post(self, request: dict[str, object]) -> bytes:
        body = bytearray()
        async with self._http.stream("POST", self._url, json=request) as response:
            if response.status_code in (429, 503):
                raise ModelUnavailable(f"{self._url} is busy: status {response.status_code}")
            if response.status_code != httpx.codes.OK:
                raise ModelRefused(f"{self._url} answered with status {response.status_code}")
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > REPLY_LIMIT_BYTES:
                    raise ModelRefused(f"{self._url} answered with more than {REPLY_LIMIT_BYTES} bytes")
        return bytes(body)

    def _parse(self, body: bytes, texts: int) -> Embedded:
        try:
            reply = EmbeddingsReply.model_validate_json(body)
            data = sorted(reply.data, key=lambda each: each.index)
            vectors = np.array([each.embedding for each in data], dtype=np.float64)
        except (ValidationError, ValueError, OverflowError) as exc:
            raise ModelRefused(f"{self._url} did not answer with embeddings") from exc
        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        if [each.index for each in data] != list(range(texts)) or not (np.isfinite(lengths) & (lengths > 0)).all():
            raise ModelRefused(f"{self._url} did not answer with one embedding for each of {texts} texts")
        tokens = reply.usage.prompt_tokens if reply.usage else 0
        return Embedded(np.asarray(vectors / lengths, dtype=np.float32), tokens)


def build_embedder(url: str | None, model: str | None, api_key: str | None, threads: int | None = None) -> Embedder:
    """Returns the embedder of the settings: the engine at `url`, or the bundled encoder. Raises ConfigError."""
    if url is None:
        return LocalEmbedder(threads)
    if model is None:
        raise ConfigError("RAG_EMBEDDINGS_URL is set without a model: set RAG_EMBEDDINGS_MODEL too")
    return UrlEmbedder(url, model, api_key)


def model_process_embedder(url: str, api_key: str | None, socket: str | None) -> UrlEmbedder:
    """Returns the bundled encoder of the model process, at `url` or its Unix `socket`: one for all processes."""
    transport = httpx.AsyncHTTPTransport(uds=socket) if socket else None
    return UrlEmbedder(url, LocalEmbedder.name, api_key, name=LocalEmbedder.name, transport=transport)


def split_batches(texts: Sequence[str], size: int) -> list[list[str]]:
    """Splits the texts for one call each. Lone surrogates, which JSON can bring, become question marks."""
    whole = [text.encode("utf-8", "replace").decode() for text in texts]
    return [whole[begin : begin + size] for begin in range(0, len(whole), size)]


def join_embedded(parts: Sequence[Embedded]) -> Embedded:
    vectors = [part.vectors for part in parts]
    if len({each.shape[1] for each in vectors}) > 1:
        raise ModelRefused("the embeddings of one batch differ in length")
    joined = np.concatenate(vectors) if vectors else np.empty((0, 0), dtype=np.float32)
    return Embedded(joined, sum(part.tokens for part in parts))
