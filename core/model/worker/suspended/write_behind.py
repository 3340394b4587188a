"""Copies idle conversations, piece by piece, for the store's thread to write. Runs on the inference thread.

A conversation is due once it was idle for IDLE_S: a killed process loses only what was said in the last seconds. Only
the tokens that are not on disk yet are copied, SEGMENT_TOKENS at a time. A running answer waits for one copy of about
BUSY_COPY_BYTES at most (a copy of 6 MB takes 2 ms, or 40 on a very busy machine), and copies take at most COPY_SHARE of
its time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from core.model.worker.conversation import CachedConversation
from core.model.worker.prefix_cache import MIN_PREFIX_TOKENS, CopiedState, PrefixCache, common_prefix
from core.model.worker.suspended.state_store import SuspendedStore

IDLE_S = 4.0  # people read an answer for longer before they reply
SEGMENT_TOKENS = 256
SEGMENTS_LIMIT = 256  # a file with more is written anew
COPY_SHARE = 0.1  # while answers run
BUSY_COPY_BYTES = 8e6  # while answers run: 256 tokens of the starter, 70 of a model of 3B
SHORTEST_WAIT_S = 0.01


class WriteBehind:
    """Tracks the idle conversations. `clock`: monotonic seconds."""

    def __init__(
        self,
        cache: PrefixCache,
        store: SuspendedStore,
        clock: Callable[[], float] = time.monotonic,
        idle_s: float = IDLE_S,
    ) -> None:
        self._cache = cache
        self._store = store
        self._clock = clock
        self._idle_s = idle_s
        self._idle: OrderedDict[CachedConversation, float] = OrderedDict()  # since when, the longest idle first
        self._busy_until_s = float("-inf")  # until then, no copy beside running answers
        self._bytes_per_token = 0.0  # of the latest copy

    def begin(self, conversation: CachedConversation | None) -> None:
        """Notes that a request continues the conversation."""
        if conversation is not None:
            self._idle.pop(conversation, None)
            conversation.unwritable = False

    def end(self, conversation: CachedConversation | None) -> None:
        """Notes that the conversation's answer has ended."""
        if conversation is not None and not conversation.forgotten:
            self._idle[conversation] = self._clock()
            self._idle.move_to_end(conversation)

    def wait_s(self) -> float | None:
        """Returns the seconds until `copy_next` has something to do; None: only another event changes that."""
        ready = next((since for each, since in self._idle.items() if not each.writing), None)
        retry_s = self._store.retry_in_s
        if ready is None or retry_s is None:
            return None
        return max(ready + self._idle_s - self._clock(), retry_s, SHORTEST_WAIT_S)

    def copy_next(self, busy: bool, prefill_rate: float) -> None:
        """Copies the next piece of a conversation that is due. `busy`: answers are running, so copies are rare.

        `prefill_rate`: tokens per second. Where reading is slower than computing, nothing is copied.
        """
        if self._store.retry_in_s != 0 or (busy and self._clock() < self._busy_until_s):
            return
        self._copy(self._clock() - self._idle_s, prefill_rate, self._busy_tokens() if busy else SEGMENT_TOKENS)

    def finish(self, deadline_s: float, prefill_rate: float) -> None:
        """Writes all idle conversations, the latest first, until the deadline."""
        for conversation, since in reversed(list(self._idle.items())):
            self._idle.move_to_end(conversation)
            self._idle[conversation] = since
        while self._idle and (left_s := deadline_s - self._clock()) > 0:
            retry_s = self._store.retry_in_s
            if retry_s == 0 and self._copy(float("inf"), prefill_rate, SEGMENT_TOKENS):
                continue
            if retry_s:  # the disk is full
                return
            if not any(conversation.writing for conversation in self._idle):
                return
            self._store.wait_for_room(left_s)

    def _busy_tokens(self) -> int:
        """Returns the number of tokens to copy beside running answers."""
        fitting = int(BUSY_COPY_BYTES / max(self._bytes_per_token, 1.0))
        return min(max(fitting, MIN_PREFIX_TOKENS), SEGMENT_TOKENS)

    def _copy(self, idle_before_s: float, prefill_rate: float, limit: int) -> bool:
        """Copies a piece of the first conversation that became idle before; False: there is nothing to copy."""
        for conversation, since in list(self._idle.items()):
            if since > idle_before_s:
                return False
            if conversation.writing:
                continue
            started_s = self._clock()
            useful = self._store.reads_faster(self._bytes_per_token, prefill_rate)
            kept_out = conversation.forgotten or conversation.unwritable or not useful
            part = None if kept_out else self._next_part(conversation, limit)
            if part is None:
                del self._idle[conversation]
                continue
            self._bytes_per_token = len(part.state) / (len(part.tokens) - part.start)
            now_s = self._clock()
            self._busy_until_s = now_s + (now_s - started_s) * (1 / COPY_SHARE - 1)
            self._store.write(conversation, part)
            return True
        return False

    def _next_part(self, conversation: CachedConversation, limit: int) -> CopiedState | None:
        tokens = self._cache.idle_tokens(conversation)
        if tokens is None:
            return None
        stored = conversation.stored
        common = common_prefix(stored.tokens, tokens) if stored else 0
        if len(tokens) - common < MIN_PREFIX_TOKENS:
            return None
        kept = stored.segments_within(common) if stored else ()
        start = kept[-1].end_token if kept and len(kept) < SEGMENTS_LIMIT else 0
        return self._cache.copy_state(conversation, start, limit)
