"""Has the states of waiting requests read from disk, before they are admitted. Runs on the inference thread.

Other requests are admitted meanwhile. A state goes straight into the KV cache, past host memory: it displaces no other
conversation there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.model.worker.prefix_cache import MIN_PREFIX_TOKENS, PrefixCache, SuspendedSequence
from core.model.worker.sequence import Sequence
from core.model.worker.suspended.state_store import SuspendedStore

FETCHES_LIMIT = 2  # states that were read and are not in the KV cache yet: each may take hundreds of megabytes

RunLater = Callable[[Callable[[], None]], None]


class StateFetcher:
    """`waiting`: the requests without a slot. `run_later` passes a function to the inference thread."""

    def __init__(
        self, store: SuspendedStore, cache: PrefixCache, waiting: Iterable[Sequence], run_later: RunLater
    ) -> None:
        self._store = store
        self._cache = cache
        self._waiting = waiting
        self._run_later = run_later

    def awaits(self, sequence: Sequence, prefill_rate: float) -> bool:
        """Tells whether the request waits for its conversation's state. Has it read when that may be worth it."""
        conversation = sequence.conversation
        if conversation is None or sequence.fetch == "done" or sequence.generated:
            return False
        if sequence.fetch == "running":
            return True
        known = self._cache.longest(sequence.prompt)
        if len(sequence.prompt) - known < MIN_PREFIX_TOKENS or not self._store.holds(conversation):
            return False
        if sum(s.fetch == "running" or s.fetched is not None for s in self._waiting) < FETCHES_LIMIT:
            sequence.fetch = "running"
            self._store.fetch(
                conversation,
                sequence.prompt,
                known,
                prefill_rate,
                lambda fetched: self._run_later(lambda: self._take(sequence, fetched)),
            )
        return True

    def _take(self, sequence: Sequence, fetched: SuspendedSequence | None) -> None:
        sequence.fetch = "done"
        if fetched is None:
            return
        if any(sequence is each for each in self._waiting):
            sequence.fetched = fetched
            sequence.restoring = True
        elif sequence.conversation:  # it was cancelled meanwhile
            self._store.end_restoring(sequence.conversation)
