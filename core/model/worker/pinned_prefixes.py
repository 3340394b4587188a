"""Pins the prefixes of personalities in the KV cache, and keeps their states on disk over restarts."""

from __future__ import annotations

from core.model.worker.metrics import ModelMetrics
from core.model.worker.options import PINNED_PREFIXES
from core.model.worker.prefix_cache import MIN_PREFIX_TOKENS, KvCache, PrefixCache
from core.model.worker.prefix_store import PrefixStore
from core.model.worker.sequence import Sequence


class PinnedPrefixes:
    """Belongs to the inference thread. Without a store, pinned prefixes are lost when the process ends."""

    def __init__(self, memory: KvCache, cache: PrefixCache, store: PrefixStore | None, metrics: ModelMetrics) -> None:
        self._memory = memory
        self._cache = cache
        self._store = store
        self._metrics = metrics

    def restore(self) -> None:
        """Pins the prefixes that an earlier process saved."""
        for tokens, state in self._store.load() if self._store else ():
            if self._cache.pin_saved(tokens, state):
                self._metrics.restored.inc()

    def pin(self, sequence: Sequence) -> None:
        """Pins a sequence's prefix and saves it: the request declares that it contains no caller's text."""
        if sequence.pinned_tokens < MIN_PREFIX_TOKENS or sequence.slot is None:
            return
        pinned = self._cache.pin(sequence.slot, sequence.pinned_tokens, PINNED_PREFIXES)
        if pinned is not None and self._store:
            self._store.save(sequence.prompt[: sequence.pinned_tokens], self._memory.save(pinned))
