"""The disk as the inference thread sees it: conversations begin and end, states are copied, fetched and forgotten.

Without a store, nothing is kept and nothing is fetched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from core.model.worker.prefix_cache import PrefixCache
from core.model.worker.sequence import Sequence as RunningSequence
from core.model.worker.suspended.state_fetcher import RunLater, StateFetcher
from core.model.worker.suspended.state_store import SuspendedStore
from core.model.worker.suspended.write_behind import WriteBehind


class DiskTier:
    """All methods but `stop` and `forget` belong to the inference thread."""

    def __init__(
        self,
        store: SuspendedStore | None,
        cache: PrefixCache,
        waiting: Iterable[RunningSequence],
        run_later: RunLater,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._clock = clock
        self._write_behind = WriteBehind(cache, store, clock) if store else None
        self._fetcher = StateFetcher(store, cache, waiting, run_later) if store else None
        if store:
            store.wake = lambda: run_later(lambda: None)
            store.start()

    def begin(self, sequence: RunningSequence) -> None:
        """Notes that a request continues its conversation."""
        if self._write_behind:
            self._write_behind.begin(sequence.conversation)

    def end(self, sequence: RunningSequence) -> None:
        """Notes that the request's answer has ended."""
        if self._write_behind:
            self._write_behind.end(sequence.conversation)

    def awaits(self, sequence: RunningSequence, prefill_rate: float) -> bool:
        """Tells whether the state of the request's conversation is being read from disk."""
        return self._fetcher is not None and self._fetcher.awaits(sequence, prefill_rate)

    def end_restoring(self, sequence: RunningSequence, *, failed: bool = False) -> None:
        """Notes that the state which the request had fetched did no harm. `failed`: it is not to be tried again."""
        if self._store and sequence.restoring and sequence.conversation:
            sequence.restoring = False
            self._store.end_restoring(sequence.conversation, failed=failed)

    def wait_s(self) -> float | None:
        """Returns the seconds until a conversation is due to be written; None: only another event changes that."""
        return self._write_behind.wait_s() if self._write_behind else None

    def copy_next(self, busy: bool, prefill_rate: float) -> None:
        """Copies a piece of a conversation that is due. `busy`: answers are running, so copies are rare."""
        if self._write_behind:
            self._write_behind.copy_next(busy, prefill_rate)

    def finish(self, limit_s: float, prefill_rate: float) -> None:
        """Writes all idle conversations for at most `limit_s` seconds."""
        if self._write_behind:
            self._write_behind.finish(self._clock() + limit_s, prefill_rate)

    async def forget(self, keys: Sequence[str]) -> None:
        """Deletes the conversations' files. Raises OSError."""
        if self._store:
            await asyncio.wrap_future(self._store.forget(keys))

    def stop(self) -> None:
        if self._store:
            self._store.stop()
