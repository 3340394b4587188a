"""Compares questions with the sources' example questions by meaning."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from core.errors import ModelError
from core.rag.embeddings import Embedder, Vectors
from core.rag.questions.parsing import QUESTION_LIMIT_CHARS
from core.rag.sources.catalogue import Catalogue
from core.rag.sources.choice import Similarity

log = structlog.get_logger()

DEADLINE_S = 5.0  # the user waits for the answer, which does not depend on this


@dataclass(frozen=True, slots=True)
class ExampleVectors:
    """The examples' vectors, (examples, dimensions) for each source and for no source, by one embedder."""

    catalogue: Catalogue
    embedder: str
    sources: dict[str, Vectors]
    none: Vectors


class ExampleSimilarity:
    """Compares questions with examples. Embeds the examples once for each catalogue.

    `is_warming`: somebody embeds the first examples soon, and no question waits for them.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.is_warming = False
        self._embedder = embedder
        self._examples: ExampleVectors | None = None
        self._turn = asyncio.Lock()

    async def compare(self, question: str, catalogue: Catalogue) -> Similarity | None:
        """Returns None before the examples are embedded, or if the embedder fails or is slow: logs that."""
        if self.is_warming and self._examples is None:
            return None
        try:
            async with asyncio.timeout(DEADLINE_S):
                examples = await self.examples(catalogue)
                vector = (await self._embedder.embed([question[:QUESTION_LIMIT_CHARS]]))[0]
        except (ModelError, TimeoutError) as exc:
            log.warning("question_embedding_failed", problem=str(exc) or f"no answer within {DEADLINE_S:g} s")
            return None
        nearest = {name: float((vectors @ vector).max()) for name, vectors in examples.sources.items() if len(vectors)}
        return Similarity(nearest, float((examples.none @ vector).max()) if len(examples.none) else 0.0)

    async def examples(self, catalogue: Catalogue) -> ExampleVectors:
        """Raises ModelError."""
        async with self._turn:
            examples = self._examples
            if examples is None or examples.catalogue is not catalogue or examples.embedder != self._embedder.name:
                examples = self._examples = await self._embed_examples(catalogue)
            return examples

    async def _embed_examples(self, catalogue: Catalogue) -> ExampleVectors:
        name = self._embedder.name
        texts = {source.name: source.examples for source in catalogue.sources.values()}
        vectors = await self._embedder.embed(
            [*(text for group in texts.values() for text in group), *catalogue.no_source_examples]
        )
        sources, begin = {}, 0
        for source, group in texts.items():
            sources[source] = vectors[begin : begin + len(group)]
            begin += len(group)
        return ExampleVectors(catalogue, name, sources, vectors[begin:])
