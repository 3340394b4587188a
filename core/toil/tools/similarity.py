"""Compares questions with tools by meaning, for a model that is too weak to choose.

On the questions of benchmarks/tool_choice.toml, the starter names the right tool, or none, about as often as chance
would. The bundled encoder is right for nine of ten. Its cosines say nothing about models that can reason about tools.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np
import structlog
from cachetools import LRUCache

from core.contract import Tool
from core.errors import ModelError
from core.rag.embeddings import Embedder, Vectors
from core.toil.tools.prompts import one_line

log = structlog.get_logger()

DEADLINE_S = 20.0  # the first call loads the encoder
QUESTION_LIMIT_CHARS = 1000
VECTORS_CACHED = 1024


class ToolSimilarity:
    """One per engine. `encoder`: the bundled one, on which the limits of `core.toil.tools.choice` are fitted."""

    def __init__(self, encoder: Embedder) -> None:
        self._encoder = encoder
        self._vectors: LRUCache[str, Vectors] = LRUCache(VECTORS_CACHED)  # by text

    async def compare(self, question: str, tools: Sequence[Tool]) -> Mapping[str, float] | None:
        """The cosine of the question and each tool, by name. None if the encoder fails or is slow: logs that."""
        texts = [describe(tool) for tool in tools]
        unknown = [each for each in dict.fromkeys(texts) if each not in self._vectors]
        try:
            async with asyncio.timeout(DEADLINE_S):
                asked, *new = await self._encoder.embed([question[:QUESTION_LIMIT_CHARS], *unknown])
        except (ModelError, TimeoutError) as exc:
            log.warning("tool_embedding_failed", problem=str(exc) or f"no answer within {DEADLINE_S:g} s")
            return None
        known = {each: self._vectors[each] for each in texts if each in self._vectors}
        known |= dict(zip(unknown, new, strict=True))
        self._vectors.update(known)
        return {tool.name: float(np.dot(asked, known[each])) for tool, each in zip(tools, texts, strict=True)}


def describe(tool: Tool) -> str:
    name = " ".join(tool.name.replace("_", " ").replace("-", " ").split())
    return f"{name}. {one_line(tool.description)}".rstrip()
