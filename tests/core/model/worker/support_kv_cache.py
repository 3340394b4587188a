"""A fake of llama.cpp's unified KV cache: cells that hold a token at a position, marked by sequences.

It comes with helpers that run sequences through a prefix cache over it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from core.model.worker.prefix_cache import PrefixCache, SequenceState, Tokens

BYTES = 4  # size of a token's saved state


@dataclass(eq=False, slots=True)
class Cell:
    position: int
    token: int
    sequences: set[int] = field(default_factory=set)


class FakeKvCache:
    """Forking marks cells, dropping removes marks, and a cell without marks is free. Misuse fails the test."""

    def __init__(self, cells: int) -> None:
        self.capacity = cells
        self.cells: list[Cell] = []
        self.refuse_restore = False
        self.saved = 0
        self.unshareable: dict[int, int] = {}  # tokens at a sequence's beginning that a sliding window has lost

    @property
    def free(self) -> int:
        return self.capacity - len(self.cells)

    def of(self, sequence: int) -> list[int]:
        """Returns the tokens of a sequence, and checks that their positions are contiguous."""
        cells = sorted((c for c in self.cells if sequence in c.sequences), key=lambda c: c.position)
        assert [c.position for c in cells] == list(range(len(cells)))
        return [c.token for c in cells]

    def count_cells(self, sequences: Iterable[int]) -> int:
        wanted = set(sequences)
        return sum(bool(c.sequences & wanted) for c in self.cells)

    def compute(self, sequence: int, start: int, tokens: Iterable[int]) -> None:
        """Change the cache as llama_decode does."""
        assert len(self.of(sequence)) == start, "llama.cpp refuses positions with a gap"
        new = [Cell(start + i, int(token), {sequence}) for i, token in enumerate(tokens)]
        assert len(new) <= self.free, "no room"
        self.cells += new

    def fork(self, source: int, target: int, length: int) -> None:
        assert source != target
        assert not self.of(target), "the target still has cells of an earlier sequence"
        assert len(self.of(source)) >= length
        assert self.can_share(source, length), "the tokens would be computed wrongly"
        for cell in self.cells:
            if source in cell.sequences and cell.position < length:
                cell.sequences.add(target)

    def drop(self, sequence: int, start: int = 0) -> None:
        if start == 0:
            self.unshareable.pop(sequence, None)
        for cell in self.cells:
            if cell.position >= start:
                cell.sequences.discard(sequence)
        self.cells = [cell for cell in self.cells if cell.sequences]

    def can_share(self, sequence: int, length: int) -> bool:
        return length > self.unshareable.get(sequence, 0)

    def clear(self) -> None:
        self.cells = []

    def save(self, sequence: int, start: int = 0, end: int | None = None) -> SequenceState:
        self.saved += 1
        return np.asarray(self.of(sequence)[start:end], np.int32).view(np.uint8).copy()

    def restore(self, sequence: int, states: Iterable[SequenceState]) -> bool:
        assert not self.of(sequence), "the target still has cells of an earlier sequence"
        tokens = np.concatenate([state.view(np.int32) for state in states])
        if self.refuse_restore or len(tokens) > self.free:
            return False
        self.compute(sequence, 0, tokens)
        return True


def tokens_of(*runs: tuple[int, int]) -> Tokens:
    """Concatenate runs of (token, count): (1, 40), (2, 3) is forty ones and three twos."""
    return np.concatenate([np.full(count, token, np.int32) for token, count in runs])


def make_cache(
    memory: FakeKvCache, *, slots: int = 8, idle_cells: int | None = None, suspend: int = 10_000, share: bool = True
) -> PrefixCache:
    idle = memory.capacity if idle_cells is None else idle_cells
    return PrefixCache(
        memory, cells=memory.capacity, slots=slots, idle_cells=idle, suspend_bytes=suspend * BYTES, share=share
    )


def run(memory: FakeKvCache, cache: PrefixCache, tokens: Tokens) -> tuple[int, int]:
    """Starts a sequence and computes all its tokens; returns its slot and its number of cached tokens."""
    place = cache.acquire(tokens)
    assert place is not None
    slot, computed = place
    assert cache.make_room(len(tokens) - computed)
    memory.compute(slot, computed, tokens[computed:])
    cache.extend(slot, tokens[computed:])
    return slot, computed


def finish(memory: FakeKvCache, cache: PrefixCache, tokens: Tokens) -> int:
    """Runs a whole request; returns its number of cached tokens."""
    slot, computed = run(memory, cache, tokens)
    cache.release(slot)
    return computed


def state_of(tokens: Tokens) -> SequenceState:
    return tokens.view(np.uint8).copy()
