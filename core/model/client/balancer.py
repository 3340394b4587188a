"""Chooses one of several engines: the least loaded by weight, but a conversation stays where its prefix is. Pure."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from cachetools import LRUCache

HOMES_LIMIT = 10_000  # conversations whose engine is remembered
# A conversation leaves its engine if that one has this many more requests per unit of weight than the least loaded:
# waiting behind them takes longer than computing the prefix again.
STICKY_SLACK = 4.0


class Balancer:
    """`weights`: of the engines, by label. An engine of weight 2 gets twice the requests of an engine of weight 1."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = weights
        self._outstanding: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._homes: LRUCache[str, str] = LRUCache(HOMES_LIMIT)  # by conversation

    def outstanding(self, label: str) -> int:
        return self._outstanding[label]

    def choose(self, labels: Sequence[str], conversation: str | None = None) -> str:
        """One of `labels`, which is not empty. `conversation`: the key of the conversation, if it has one."""
        home = self._homes.get(conversation) if conversation else None
        least = min(map(self._load, labels))
        if home is not None and home in labels and self._load(home) <= least + STICKY_SLACK:
            return home
        tied = [label for label in labels if self._load(label) == least]
        if conversation:
            return max(tied, key=lambda label: rendezvous_score(conversation, label, self._weights[label]))
        return min(tied, key=lambda label: self._sent[label] / self._weights[label])

    def _load(self, label: str) -> float:
        return self._outstanding[label] / self._weights[label]

    @contextmanager
    def sending(self, label: str, conversation: str | None = None) -> Iterator[None]:
        """Counts a request to the engine while the block runs. The conversation stays there afterwards."""
        self._outstanding[label] += 1
        self._sent[label] += 1
        if conversation:
            self._homes[conversation] = label
        try:
            yield
        finally:
            self._outstanding[label] -= 1


def rendezvous_score(conversation: str, label: str, weight: float) -> float:
    """A score by which all processes, also after a restart, prefer the same engine for a conversation.

    Weighted rendezvous hashing: Schindelhauer and Schomaker, Weighted Distributed Hash Tables, SPAA 2005.
    """
    digest = hashlib.sha256(f"{conversation}\0{label}".encode()).digest()
    uniform = (int.from_bytes(digest[:8], "big") + 0.5) / 2**64
    return weight / -math.log(uniform)
