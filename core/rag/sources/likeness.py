"""How alike a question is to the examples of sources, by embeddings. Knows nothing of what follows from that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from core.errors import ModelError
from core.rag.embed import Embedder, Vectors
from core.rag.sources.catalogue import Catalogue
from core.rag.sources.choice import Likeness

log = structlog.get_logger()

QUESTION_LIMIT_CHARS = 1000
DEADLINE_S = 5.0  # somebody waits for the answer, which can do without


@dataclass(frozen=True, slots=True)
class Examples:
    """Their vectors, (examples, dimensions) of each source, and of those that need none; made by one embedder."""

    catalogue: Catalogue
    embedder: str
    sources: dict[str, Vectors]
    none: Vectors


class Likenesses:
    """Computes the examples' vectors once for each catalogue."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._examples: Examples | None = None
        self._turn = asyncio.Lock()

    async def of(self, question: str, catalogue: Catalogue) -> Likeness | None:
        """None if the embedder fails or takes too long, which is logged."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                examples = await self.examples(catalogue)
                vector = (await self._embedder.embed([question[:QUESTION_LIMIT_CHARS]]))[0]
        except (ModelError, TimeoutError) as exc:
            log.warning("question_not_embedded", problem=str(exc) or f"no answer within {DEADLINE_S:g} s")
            return None
        nearest = {name: float((vectors @ vector).max()) for name, vectors in examples.sources.items() if len(vectors)}
        return Likeness(nearest, float((examples.none @ vector).max()) if len(examples.none) else 0.0)

    async def examples(self, catalogue: Catalogue) -> Examples:
        """Raises ModelError."""
        async with self._turn:
            known = self._examples
            if known is None or known.catalogue is not catalogue or known.embedder != self._embedder.name:
                known = self._examples = await self._embedded(catalogue)
            return known

    async def _embedded(self, catalogue: Catalogue) -> Examples:
        name = self._embedder.name
        texts = {source.name: source.says.examples.all for source in catalogue.sources.values()}
        vectors = await self._embedder.embed([*(text for of in texts.values() for text in of), *catalogue.needless])
        sources, begin = {}, 0
        for source, of in texts.items():
            sources[source] = vectors[begin : begin + len(of)]
            begin += len(of)
        return Examples(catalogue, name, sources, vectors[begin:])
