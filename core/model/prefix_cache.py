"""Which tokens are computed where, so that none is computed twice.

A prompt's longest known prefix is looked for among live sequences (shared in place), then among suspended ones in host
memory. What is idle stays in the KV cache up to a share of it, then leaves for host memory, the longest idle first:
idle cells cost time too, since llama.cpp's attention walks over all cells in use (8,000 idle ones made a step of the
starter 1.3 to 1.5 times slower). The prefixes of personalities are pinned.

Knows no requests, no clock and no llama.cpp: the four operations on the KV cache are given to it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from cachetools import FIFOCache
from numpy.typing import NDArray

Tokens = NDArray[np.int32]
SequenceState = NDArray[np.uint8]

WORTH_KEEPING_TOKENS = 32  # a shorter prefix is computed again sooner than it is found


class KvCache(Protocol):
    """The KV cache, as `core.model.runner` offers it."""

    def fork(self, source: int, target: int, length: int) -> None: ...
    def drop(self, sequence: int, start: int = 0) -> None: ...
    def save(self, sequence: int) -> SequenceState: ...
    def restore(self, sequence: int, state: SequenceState) -> bool: ...


@dataclass(eq=False, slots=True)
class ResidentSequence:
    """A sequence in the KV cache. The first `shared` of its tokens lie in cells that `base` accounts for."""

    slot: int
    tokens: Tokens
    base: ResidentSequence | None = None
    shared: int = 0
    busy: bool = True
    pinned: bool = False

    @property
    def cells(self) -> int:
        return len(self.tokens) - self.shared


@dataclass(frozen=True, slots=True)
class SuspendedSequence:
    tokens: Tokens
    state: SequenceState


def common_prefix(a: Tokens, b: Tokens) -> int:
    """How many tokens two sequences begin with in common."""
    n = min(len(a), len(b))
    different = np.flatnonzero(a[:n] != b[:n])
    return int(different[0]) if len(different) else n


class PrefixCache:
    """Hands out sequence ids with as much of a prompt already in them as is known anywhere."""

    def __init__(
        self, memory: KvCache, *, cells: int, slots: int, idle_cells: int, suspend_bytes: int, share: bool = True
    ) -> None:
        self._memory = memory
        self._cells = cells
        self._free_slots = list(range(slots))
        self._idle_cells = idle_cells
        self._suspend_bytes = suspend_bytes
        self._share = share
        self._residents: OrderedDict[int, ResidentSequence] = OrderedDict()  # the longest unused first
        self._suspended: FIFOCache[bytes, SuspendedSequence] = FIFOCache(
            suspend_bytes, getsizeof=lambda suspended: len(suspended.state)
        )

    @property
    def free_cells(self) -> int:
        return self._cells - sum(r.cells for r in self._residents.values())

    @property
    def suspended_bytes(self) -> int:
        return int(self._suspended.currsize)

    def fits(self, tokens: Tokens, reserved: int = 0) -> bool:
        """Whether these tokens have room, with the idle out of the way and `reserved` cells for the busy to grow."""
        resident, live = self._longest_resident(tokens)
        kept = self._longest_suspended(tokens)[1]
        live = min(live, len(tokens) - 1) if live >= kept else 0
        return self._held_cells(resident, live) + len(tokens) - live + reserved <= self._cells

    def longest(self, tokens: Tokens) -> int:
        """How many of the prompt's tokens are known, in the KV cache or in host memory."""
        return max(self._longest_resident(tokens)[1], self._longest_suspended(tokens)[1])

    def acquire(self, tokens: Tokens) -> tuple[int, int] | None:
        """A sequence id and how many of the prompt's first tokens it already holds; None if no id is free.

        At least one token is always left to compute, since its logits are wanted.
        """
        suspended, kept = self._longest_suspended(tokens)
        resident, live = self._longest_resident(tokens)
        usable = len(tokens) - 1
        if (
            resident
            and live >= kept
            and not (resident.busy or resident.pinned)
            and live == len(resident.tokens) <= usable
        ):
            resident.busy = True  # a conversation goes on where it stopped
            self._residents.move_to_end(resident.slot)
            return resident.slot, live
        if not self._free_slots and not self._evict_one():
            return None
        slot = self._free_slots.pop()
        if suspended and kept > live and self._revive(suspended, slot):
            return self._continue(slot, suspended, min(kept, usable))
        if resident and resident.slot not in self._residents:  # it was evicted to make room
            resident, live = self._longest_resident(tokens)
        live = min(live, usable)
        if resident and live:
            self._memory.fork(resident.slot, slot, live)
            self._residents.move_to_end(resident.slot)
        self._residents[slot] = ResidentSequence(slot, tokens[:live], resident if live else None, live)
        return slot, live

    def extend(self, slot: int, tokens: Tokens) -> None:
        """These tokens were computed next in this sequence."""
        resident = self._residents[slot]
        resident.tokens = np.concatenate([resident.tokens, tokens])

    def release(self, slot: int) -> None:
        """Nobody writes to this sequence any more; it stays for whoever continues or shares it."""
        resident = self._residents[slot]
        resident.busy = False
        self._residents.move_to_end(slot)
        if not self._share or len(resident.tokens) < WORTH_KEEPING_TOKENS:
            self._drop(resident)
        while sum(r.cells for r in self._idle()) > self._idle_cells:
            self._evict_one()

    def suspend(self, slot: int) -> None:
        """Move a sequence to host memory now, to give its cells to others."""
        resident = self._residents[slot]
        self._keep_state(resident)
        self._drop(resident)

    def pin(self, slot: int, length: int, limit: int) -> int | None:
        """Keep the first `length` tokens of a sequence for good, under an id of their own; that id if it is new.

        At most `limit` prefixes are pinned; the one unused longest gives way.
        """
        tokens = self._residents[slot].tokens[:length]
        pinned = [r for r in self._residents.values() if r.pinned]
        if not self._share or any(np.array_equal(r.tokens, tokens) for r in pinned):
            return None
        if len(pinned) >= limit:
            self._drop(pinned[0])
        if not self._free_slots and not self._evict_one():
            return None
        target = self._free_slots.pop()
        self._memory.fork(slot, target, length)
        self._residents[target] = ResidentSequence(
            target, tokens, self._residents[slot], length, busy=False, pinned=True
        )
        return target

    def adopt(self, tokens: Tokens, state: SequenceState) -> bool:
        """Pin a prefix whose state was kept on disk; False if it was refused or there is no room."""
        if not self._free_slots or self.free_cells < len(tokens):
            return False
        slot = self._free_slots[-1]
        if not self._memory.restore(slot, state):
            return False
        self._free_slots.pop()
        self._residents[slot] = ResidentSequence(slot, tokens, busy=False, pinned=True)
        return True

    def make_room(self, cells: int) -> bool:
        """Evict what is idle until so many cells are free; False if that is not enough."""
        while self.free_cells < cells:
            if not self._evict_one():
                return False
        return True

    def forget_all(self) -> None:
        """After a failure that leaves the KV cache in doubt, and with it what was saved from it."""
        for resident in list(self._residents.values()):
            self._drop(resident)
        self._suspended.clear()

    def _longest_resident(self, tokens: Tokens) -> tuple[ResidentSequence | None, int]:
        best: tuple[ResidentSequence | None, int] = (None, 0)
        for resident in self._residents.values() if self._share else ():
            length = common_prefix(resident.tokens, tokens)
            if length > best[1] or (length == best[1] and length and not resident.busy):
                best = (resident, length)
        return best

    def _longest_suspended(self, tokens: Tokens) -> tuple[SuspendedSequence | None, int]:
        best: tuple[SuspendedSequence | None, int] = (None, 0)
        for entry in self._suspended.values():
            length = common_prefix(entry.tokens, tokens)
            # What cannot be shared cannot be cut either: a recurrent state serves only what goes on where it ended.
            if length > best[1] and (self._share or length == len(entry.tokens) < len(tokens)):
                best = (entry, length)
        return best

    def _held_cells(self, source: ResidentSequence | None, length: int) -> int:
        """Cells that busy sequences use, their own and their bases', with the first `length` tokens of `source`."""
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
        """Move the longest idle sequence to host memory, a pinned one only if there is no other; False if none."""
        unused = self._idle() or [r for r in self._residents.values() if r.pinned]
        if not unused:
            return False
        self._keep_state(unused[0])
        self._drop(unused[0])
        return True

    def _keep_state(self, resident: ResidentSequence) -> None:
        if resident.cells < WORTH_KEEPING_TOKENS or not self._suspend_bytes:
            return
        state = self._memory.save(resident.slot)
        if len(state) > self._suspend_bytes:  # it would push all others out, and then itself
            return
        self._suspended[resident.tokens.tobytes()] = SuspendedSequence(resident.tokens, state)

    def _revive(self, entry: SuspendedSequence, slot: int) -> bool:
        """Bring a suspended state back; a refused one is forgotten."""
        if not self.make_room(len(entry.tokens)):
            return False
        if self._memory.restore(slot, entry.state):
            return True
        self._suspended.pop(entry.tokens.tobytes(), None)
        return False

    def _continue(self, slot: int, entry: SuspendedSequence, length: int) -> tuple[int, int]:
        if length < len(entry.tokens):  # only its beginning serves here: the rest stays for whoever it belongs to
            self._memory.drop(slot, length)
        else:
            self._suspended.pop(entry.tokens.tobytes(), None)
        self._residents[slot] = ResidentSequence(slot, entry.tokens[:length])
        return slot, length

    def _drop(self, resident: ResidentSequence) -> None:
        """Free a sequence; cells that others share pass into the account of the one that shares most of them."""
        self._memory.drop(resident.slot)
        del self._residents[resident.slot]
        self._free_slots.append(resident.slot)
        heirs = [r for r in self._residents.values() if r.base is resident]
        heir = max(heirs, key=lambda r: r.shared, default=None)
        for other in heirs:
            if other is heir or other.shared <= resident.shared:
                other.base = resident.base
            else:
                other.base = heir
        if heir:
            heir.shared = min(heir.shared, resident.shared)
