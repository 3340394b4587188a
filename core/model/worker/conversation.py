"""A conversation as the worker knows it: a caller's key, and the part of its state that is on disk.

Requests, sequences in the KV cache and states in host memory share one object for each key, so that forgetting it
reaches all of them. Knows no text, no file and no llama.cpp.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """Consecutive tokens of a conversation's file. `tag` authenticates them and every segment before."""

    end_token: int
    offset: int  # of its header in the file, in bytes
    end_offset: int
    state_bytes: int
    salt: bytes
    tag: bytes


@dataclass(frozen=True, slots=True)
class StoredExtent:
    """The part of a conversation that is on disk."""

    tokens: NDArray[np.int32]
    segments: tuple[StoredSegment, ...]

    def segments_within(self, length: int) -> tuple[StoredSegment, ...]:
        """Returns the segments that lie within the first `length` tokens."""
        return tuple(segment for segment in self.segments if segment.end_token <= length)

    def segments_for(self, length: int) -> tuple[StoredSegment, ...]:
        """Returns the segments that hold the first `length` tokens; the last one may hold more."""
        starts = (0, *(segment.end_token for segment in self.segments))
        return tuple(each for start, each in zip(starts, self.segments, strict=False) if start < length)


@dataclass(eq=False, slots=True, weakref_slot=True)
class CachedConversation:
    """One object for each key. The store's thread sets what is on disk; `forgotten` is never unset."""

    key: str  # the caller's `prompt_cache_key`
    forgotten: bool = False
    writing: bool = False
    unwritable: bool = False  # until its next turn: it is larger than the budget
    stored: StoredExtent | None = None  # None: nothing, or unknown


@dataclass(slots=True)
class Conversations:
    """The conversations that a request, the KV cache or host memory still refers to. For the event loop alone."""

    _known: WeakValueDictionary[str, CachedConversation] = field(default_factory=WeakValueDictionary)

    def get(self, key: str) -> CachedConversation:
        conversation = self._known.get(key)
        if conversation is None:
            conversation = self._known[key] = CachedConversation(key)
        return conversation

    def forget(self, keys: Iterable[str]) -> None:
        """Marks the conversations. A later request with such a key begins a new one."""
        for key in keys:
            if (conversation := self._known.pop(key, None)) is not None:
                conversation.forgotten = True
