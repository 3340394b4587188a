"""Finds the longest computed prefix of each prompt, so that no token is computed twice.

A prefix comes from a sequence in the KV cache (shared in place) or from a suspended sequence in host memory. Idle
sequences stay in the KV cache up to `idle_cells`; then the longest idle one moves to host memory. Idle cells cost time
where llama.cpp's own attention walks over all used cells (8,000 idle ones made a step of the starter 1.3 to 1.5 times
slower); our kernels pass them by. The prefixes of personalities are pinned.

Knows no requests, no clock and no llama.cpp: it receives the four operations on the KV cache.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as SequenceOf
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from cachetools import FIFOCache
from numpy.typing import NDArray

from core.model.worker.conversation import CachedConversation

Tokens = NDArray[np.int32]
SequenceState = NDArray[np.uint8]

FREE_IDLE_SHARE = 0.75  # of the KV cache, for idle sequences that cost no time
MIN_PREFIX_TOKENS = 32  # computing a shorter prefix again is faster than restoring it


class KvCache(Protocol):
    """The KV cache's operations (`core.model.worker.llama.runner`)."""

    def fork(self, source: int, target: int, length: int) -> None: ...
    def drop(self, sequence: int, start: int = 0) -> None: ...
    def can_share(self, sequence: int, length: int) -> bool: ...
    def save(self, sequence: int, start: int = 0, end: int | None = None) -> SequenceState: ...
    def restore(self, sequence: int, states: Iterable[SequenceState]) -> bool: ...


@dataclass(eq=False, slots=True)
class ResidentSequence:
    """A sequence in the KV cache. `base` accounts for the cells of its first `shared` tokens."""

    slot: int
    tokens: Tokens
    base: ResidentSequence | None = None
    shared: int = 0
    busy: bool = True
    pinned: bool = False
    conversation: CachedConversation | None = None
    _buffer: Tokens = field(default_factory=lambda: np.empty(0, np.int32))  # `tokens` with room for more

    @property
    def cells(self) -> int:
        return len(self.tokens) - self.shared

    def append(self, tokens: Tokens) -> None:
        """Adds computed tokens without copying those before. Earlier values of `tokens` stay as they were."""
        start, end = len(self.tokens), len(self.tokens) + len(tokens)
        if end > len(self._buffer):
            self._buffer = np.empty(2 * end, np.int32)
            self._buffer[:start] = self.tokens
        self._buffer[start:end] = tokens
        self.tokens = self._buffer[:end]


@dataclass(frozen=True, slots=True)
class SuspendedSequence:
    """A sequence outside of the KV cache. `states` follow one another; each holds some of the positions."""

    tokens: Tokens
    states: tuple[SequenceState, ...]
    conversation: CachedConversation | None = None

    @property
    def byte_count(self) -> int:
        return sum(len(state) for state in self.states)


@dataclass(frozen=True, slots=True)
class CopiedState:
    """The state of a sequence's tokens from `start` on. `tokens`: all, from 0 to the end of the state."""

    tokens: Tokens
    start: int
    state: SequenceState


def common_prefix(a: Tokens, b: Tokens) -> int:
    """Returns the length of the longest common prefix, in tokens."""
    n = min(len(a), len(b))
    different = np.flatnonzero(a[:n] != b[:n])
    return int(different[0]) if len(different) else n


class PrefixCache:
    """Assigns KV cache slots to prompts, each with the longest known prefix already in it."""

    def __init__(
        self, memory: KvCache, *, cells: int, slots: int, idle_cells: int, suspend_bytes: int, share: bool = True
    ) -> None:
        self._memory = memory
        self._cells = cells
        self._free_slots = list(range(slots))
        self._idle_cells = idle_cells
        self._suspend_bytes = suspend_bytes
        self._share = share
        self._residents: OrderedDict[int, ResidentSequence] = OrderedDict()  # least recently used first
        self._suspended: FIFOCache[bytes, SuspendedSequence] = FIFOCache(
            suspend_bytes, getsizeof=lambda suspended: suspended.byte_count
        )

    def keep_idle(self) -> None:
        """Keeps more idle sequences from now on: their cells cost no time here."""
        self._idle_cells = max(self._idle_cells, int(FREE_IDLE_SHARE * self._cells))

    @property
    def free_cells(self) -> int:
        return self._cells - sum(r.cells for r in self._residents.values())

    @property
    def suspends(self) -> bool:
        """True if sequences can leave the KV cache without being computed again."""
        return self._suspend_bytes > 0

    def holds(self, tokens: int) -> bool:
        """Tells whether a sequence of this length fits into the empty KV cache."""
        return tokens <= self._cells

    @property
    def suspended_bytes(self) -> int:
        return int(self._suspended.currsize)

    def fits(self, tokens: Tokens, reserved: int = 0, fetched: SuspendedSequence | None = None) -> bool:
        """Tells whether the tokens fit once idle sequences are evicted and busy ones grew by `reserved` cells."""
        resident, live = self._longest_resident(tokens)
        restorable = self._longest_suspended(tokens, fetched)[1]
        live = min(live, len(tokens) - 1) if live >= restorable else 0
        return self._cells_in_use(resident, live) + len(tokens) - live + reserved <= self._cells

    def longest(self, tokens: Tokens) -> int:
        """Returns the length of the prompt's longest prefix in the KV cache or in host memory, in tokens."""
        return max(self._longest_resident(tokens)[1], self._longest_suspended(tokens)[1])

    def acquire(
        self,
        tokens: Tokens,
        conversation: CachedConversation | None = None,
        fetched: SuspendedSequence | None = None,
    ) -> tuple[int, int] | None:
        """Returns a slot and the number of prompt tokens already in it; None if no slot is free.

        The last token always remains to be computed: only computing it yields logits. `fetched`: read from disk for
        this prompt; it goes straight into the KV cache.
        """
        place = self._acquire(tokens, fetched)
        if place is not None:
            self._residents[place[0]].conversation = conversation
        return place

    def _acquire(self, tokens: Tokens, fetched: SuspendedSequence | None) -> tuple[int, int] | None:
        suspended, restorable = self._longest_suspended(tokens, fetched)
        resident, live = self._longest_resident(tokens)
        usable = len(tokens) - 1
        if (
            resident
            and live >= restorable
            and not (resident.busy or resident.pinned)
            and live == len(resident.tokens) <= usable
        ):
            resident.busy = True  # the conversation continues in its own slot
            self._residents.move_to_end(resident.slot)
            return resident.slot, live
        if not self._free_slots and not self._evict_one():
            return None
        slot = self._free_slots.pop()
        if suspended and restorable > live and self._restore(suspended, slot, min(restorable, usable)):
            return self._continue(slot, suspended, min(restorable, usable))
        if resident and resident.slot not in self._residents:  # making room evicted it
            resident, live = self._longest_resident(tokens)
        live = min(live, usable)
        if resident and live:
            self._memory.fork(resident.slot, slot, live)
            self._residents.move_to_end(resident.slot)
        self._residents[slot] = ResidentSequence(slot, tokens[:live], resident if live else None, live)
        return slot, live

    def extend(self, slot: int, tokens: Tokens) -> None:
        """Records tokens that were computed next in this sequence."""
        self._residents[slot].append(tokens)

    def release(self, slot: int) -> None:
        """Marks a sequence as idle; later requests may continue or share it."""
        resident = self._residents[slot]
        resident.busy = False
        self._residents.move_to_end(slot)
        forgotten = resident.conversation is not None and resident.conversation.forgotten
        if forgotten or not self._share or len(resident.tokens) < MIN_PREFIX_TOKENS:
            self._drop(resident)
        while sum(r.cells for r in self._idle()) > self._idle_cells:
            self._evict_one()

    @property
    def lendable_slots(self) -> int:
        """Slots that `forks` can use, after evicting idle sequences."""
        return len(self._free_slots) + len(self._idle())

    @contextmanager
    def forks(self, sources: SequenceOf[tuple[int, int, int]]) -> Iterator[list[int]]:
        """Forks busy sequences for a moment; yields the forks' slots, or none if there is no room for them.

        A source is a slot, the number of its tokens to share, and the number of tokens that will follow them.
        """
        possible = self._share and all(self._memory.can_share(slot, length) for slot, length, _more in sources)
        while possible and len(self._free_slots) < len(sources):
            possible = bool(self._idle()) and self._evict_one()
        possible = possible and self.make_room(sum(more for _slot, _length, more in sources))
        slots = [self._free_slots.pop() for _source in sources] if possible else []
        try:
            for target, (slot, length, _more) in zip(slots, sources, strict=False):
                self._memory.fork(slot, target, length)
            yield slots
        finally:
            for slot in slots:
                self._memory.drop(slot)
            self._free_slots += slots

    def suspend(self, slot: int) -> None:
        """Moves a sequence to host memory now and frees its cells."""
        resident = self._residents[slot]
        self._save_state(resident)
        self._drop(resident)

    def pin(self, slot: int, length: int, limit: int) -> int | None:
        """Pins the first `length` tokens of a sequence in a new slot; returns that slot, or None if nothing is new.

        At most `limit` prefixes are pinned; the least recently used one is dropped.
        """
        tokens = self._residents[slot].tokens[:length]
        pinned = [r for r in self._residents.values() if r.pinned]
        if not self._share or any(np.array_equal(r.tokens, tokens) for r in pinned):
            return None
        if not self._memory.can_share(slot, length):
            return None
        if len(pinned) >= limit:
            self._drop(pinned[0])
        if not self._free_slots and not self._evict_one():
            return None
        target = self._free_slots.pop()
        self._memory.fork(slot, target, length)
        source = self._residents[slot]
        self._residents[target] = ResidentSequence(target, tokens, source, length, busy=False, pinned=True)
        return target

    def pin_saved(self, tokens: Tokens, state: SequenceState) -> bool:
        """Pins a prefix from disk; False if llama.cpp refuses its state or there is no room."""
        if not self._free_slots or self.free_cells < len(tokens):
            return False
        slot = self._free_slots[-1]
        if not self._memory.restore(slot, (state,)):
            return False
        self._free_slots.pop()
        self._residents[slot] = ResidentSequence(slot, tokens, busy=False, pinned=True)
        return True

    def make_room(self, cells: int) -> bool:
        """Evicts idle sequences until `cells` are free; False if all of them are not enough."""
        while self.free_cells < cells:
            if not self._evict_one():
                return False
        return True

    def idle_tokens(self, conversation: CachedConversation) -> Tokens | None:
        """Returns the tokens of an idle conversation that are computed, here or in host memory; None if it is gone."""
        resident = self._idle_resident(conversation)
        suspended = None if resident else self._suspended_of(conversation)
        return resident.tokens if resident else suspended.tokens if suspended else None

    def copy_state(self, conversation: CachedConversation, start: int, limit: int) -> CopiedState | None:
        """Copies the state of at most `limit` tokens from `start` on. A state in host memory is copied in whole."""
        resident = self._idle_resident(conversation)
        if resident:
            if not self._share:  # a recurrent state cannot be cut
                return CopiedState(resident.tokens, 0, self._memory.save(resident.slot))
            end = min(start + limit, len(resident.tokens))
            return CopiedState(resident.tokens[:end], start, self._memory.save(resident.slot, start, end))
        suspended = self._suspended_of(conversation)
        if suspended is None or len(suspended.states) != 1:
            return None
        return CopiedState(suspended.tokens, 0, suspended.states[0])

    def drop_forgotten(self) -> None:
        """Drops the idle states of forgotten conversations. Those of running answers go when the answer ends."""
        for resident in list(self._residents.values()):
            if resident.conversation and resident.conversation.forgotten and not resident.busy:
                self._drop(resident)
        for key, entry in list(self._suspended.items()):
            if entry.conversation and entry.conversation.forgotten:
                del self._suspended[key]

    def _idle_resident(self, conversation: CachedConversation) -> ResidentSequence | None:
        """Returns the sequence of the conversation's latest turn."""
        found = (r for r in reversed(self._residents.values()) if r.conversation is conversation and not r.busy)
        return next(found, None)

    def _suspended_of(self, conversation: CachedConversation) -> SuspendedSequence | None:
        found = (each for each in self._suspended.values() if each.conversation is conversation)
        return max(found, key=lambda each: len(each.tokens), default=None)

    def forget_all(self) -> None:
        """Drops everything, also in host memory: after an internal failure no computed state can be trusted."""
        for resident in list(self._residents.values()):
            self._drop(resident)
        self._suspended.clear()

    def _longest_resident(self, tokens: Tokens) -> tuple[ResidentSequence | None, int]:
        best: tuple[ResidentSequence | None, int] = (None, 0)
        for resident in self._residents.values() if self._share else ():
            length = common_prefix(resident.tokens, tokens)
            longer = length > best[1] or (length == best[1] and length and not resident.busy)
            if longer and self._memory.can_share(resident.slot, length):
                best = (resident, length)
        return best

    def _longest_suspended(
        self, tokens: Tokens, fetched: SuspendedSequence | None = None
    ) -> tuple[SuspendedSequence | None, int]:
        best: tuple[SuspendedSequence | None, int] = (None, 0)
        for entry in [*self._suspended.values(), *([fetched] if fetched else [])]:
            length = common_prefix(entry.tokens, tokens)
            # A recurrent state can be neither shared nor cut: it serves only a prompt that continues where it ended.
            if length > best[1] and (self._share or length == len(entry.tokens) < len(tokens)):
                best = (entry, length)
        return best

    def _cells_in_use(self, source: ResidentSequence | None, length: int) -> int:
        """Counts the cells of busy sequences and their bases, plus those of the first `length` tokens of `source`."""
        users = [(r, len(r.tokens)) for r in self._residents.values() if r.busy]
        reach: dict[ResidentSequence, int] = {}
        for user, end in [*users, *([(source, length)] if source else [])]:
            resident: ResidentSequence | None = user
            while resident:
                reach[resident] = max(reach.get(resident, 0), end)
                end, resident = min(end, resident.shared), resident.base
        return sum(max(end - r.shared, 0) for r, end in reach.items())

    def _idle(self) -> list[ResidentSequence]:
        return [r for r in self._residents.values() if not r.busy and not r.pinned]

    def _evict_one(self) -> bool:
        """Moves the longest idle sequence to host memory, or a pinned one if none is idle. False: there is neither."""
        unused = self._idle() or [r for r in self._residents.values() if r.pinned]
        if not unused:
            return False
        self._save_state(unused[0])
        self._drop(unused[0])
        return True

    def _save_state(self, resident: ResidentSequence) -> None:
        forgotten = resident.conversation is not None and resident.conversation.forgotten
        if resident.cells < MIN_PREFIX_TOKENS or not self._suspend_bytes or (forgotten and not resident.busy):
            return
        state = self._memory.save(resident.slot)
        if len(state) > self._suspend_bytes:  # it would evict all others, and then itself
            return
        entry = SuspendedSequence(resident.tokens, (state,), resident.conversation)
        self._suspended[resident.tokens.tobytes()] = entry

    def _restore(self, entry: SuspendedSequence, slot: int, length: int) -> bool:
        """Restores a state into `slot` to use `length` tokens of it; forgets a state that cannot serve for that."""
        if not self.make_room(len(entry.tokens)):
            return False
        if self._memory.restore(slot, entry.states):
            if self._memory.can_share(slot, length):
                return True
            self._memory.drop(slot)
        elif entry.conversation:
            entry.conversation.stored = None  # its next turn writes the file anew
        self._suspended.pop(entry.tokens.tobytes(), None)
        return False

    def _continue(self, slot: int, entry: SuspendedSequence, length: int) -> tuple[int, int]:
        if length < len(entry.tokens):  # another conversation: the suspended one keeps its state
            self._memory.drop(slot, length)
        else:
            self._suspended.pop(entry.tokens.tobytes(), None)
        self._residents[slot] = ResidentSequence(slot, entry.tokens[:length])
        return slot, length

    def _drop(self, resident: ResidentSequence) -> None:
        """Frees a sequence. Of those that share its cells, the one that shares most becomes the base of the others."""
        self._memory.drop(resident.slot)
        del self._residents[resident.slot]
        self._free_slots.append(resident.slot)
        sharers = [r for r in self._residents.values() if r.base is resident]
        new_base = max(sharers, key=lambda r: r.shared, default=None)
        for other in sharers:
            if other is new_base or other.shared <= resident.shared:
                other.base = resident.base
            else:
                other.base = new_base
        if new_base:
            new_base.shared = min(new_base.shared, resident.shared)
