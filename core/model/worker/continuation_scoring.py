"""Computes the logits after continuations of running sequences, for choices among whole values.

Each continuation runs on a fork of its sequence in the KV cache, many of them in one batch; the forks are dropped at
once. Only the inference thread may call it.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.contract import Sampling
from core.model.worker.llama.runner import BatchRow, KvCacheFull
from core.model.worker.llama.vocabulary import Vocabulary
from core.model.worker.prefix_cache import KvCache, PrefixCache
from core.model.worker.sequence import Sequence, TokenSampler

Logits = list[NDArray[np.float32]]  # after each token of a continuation, of shape (vocabulary,)


class ModelRunner(KvCache, Protocol):
    """The runner's operations that a step needs (`core.model.worker.llama.runner`)."""

    vocabulary: Vocabulary
    batch_tokens: int

    def decode(self, rows: SequenceOf[BatchRow]) -> list[int]: ...
    def logits(self, index: int) -> NDArray[np.float32]: ...
    def sampler(self, sampling: Sampling, seed: int) -> TokenSampler: ...
    def clear(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Continuation:
    """Tokens that might follow a sequence, all of whose tokens are computed."""

    sequence: Sequence
    number: int  # among the sequence's continuations
    tokens: list[int]


class ContinuationScorer:
    """Uses the KV cache's free slots, and evicts idle sequences where it needs more."""

    def __init__(self, model: ModelRunner, cache: PrefixCache) -> None:
        self._model = model
        self._cache = cache

    def score(self, wanted: SequenceOf[tuple[Sequence, list[list[int]]]]) -> dict[Sequence, list[Logits] | None]:
        """Returns each sequence's logits, by continuation; None if the KV cache has no room for them."""
        waiting = [
            Continuation(sequence, number, tokens)
            for sequence, continuations in wanted
            for number, tokens in enumerate(continuations)
        ]
        results: dict[Sequence, list[Logits] | None] = {sequence: [[] for _ in each] for sequence, each in wanted}
        while waiting:
            batch = self._next_batch(waiting)
            scored = self._compute(batch)
            for index, continuation in enumerate(batch):
                result = results[continuation.sequence]
                if scored is None:
                    results[continuation.sequence] = None
                elif result is not None:
                    result[continuation.number] = scored[index]
            waiting = waiting[len(batch) :]
        return results

    def _next_batch(self, waiting: SequenceOf[Continuation]) -> list[Continuation]:
        """Returns the first continuations that fit into one batch: at least one."""
        count = tokens = 0
        for continuation in waiting:
            tokens += len(continuation.tokens)
            if count and (tokens > self._model.batch_tokens or count >= self._cache.lendable_slots):
                break
            count += 1
        return list(waiting[:count])

    def _compute(self, batch: SequenceOf[Continuation]) -> list[Logits] | None:
        sources = [(c.sequence.slot, c.sequence.computed, len(c.tokens)) for c in batch]
        with self._cache.forks(
            [(slot, computed, more) for slot, computed, more in sources if slot is not None]
        ) as slots:
            if len(slots) < len(batch):
                return None
            rows = [
                BatchRow(slot, continuation.sequence.computed, continuation.tokens, logits=True, every=True)
                for slot, continuation in zip(slots, batch, strict=True)
            ]
            try:
                last = self._model.decode(rows)
            except KvCacheFull:
                return None
            return [
                [self._model.logits(index).copy() for index in range(end - len(row.tokens) + 1, end + 1)]
                for end, row in zip(last, rows, strict=True)
            ]
