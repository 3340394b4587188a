"""Keeps sequences whole in the KV cache of a model with sliding-window attention.

llama.cpp gives up what the window has passed: it writes new tokens over such cells, and leaves them out of saved
states. A prefix that is later shared, or cut, within that part would be computed wrongly, without an error. But
llama.cpp never overwrites a cell that two sequences hold: here each sequence has a twin that holds the same cells. And
it saves a state in whole that is shorter than the window: here states are saved in such parts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray

COUNT = struct.Struct("<Q")


class WholeSequences:
    """The twins of one context's sequences. `offset`: from a sequence's id to its twin's."""

    def __init__(self, memory: Any, window_tokens: int, offset: int) -> None:
        self._memory = memory
        self._window_tokens = window_tokens
        self._offset = offset
        self._held: dict[int, int] = {}  # tokens that the twin of a sequence holds

    def extend(self, sequence: int, end: int) -> None:
        """Takes note of a sequence's new length. The twin follows before the window passes the new cells."""
        if end - self._held.get(sequence, 0) >= max(1, self._window_tokens // 4):
            self.hold(sequence, end)

    def hold(self, sequence: int, end: int) -> None:
        """Makes the twin hold the sequence's first `end` tokens."""
        held = self._held.get(sequence, 0)  # llama.cpp would count a token twice that is copied twice
        if end > held:
            llama.llama_memory_seq_cp(self._memory, sequence, sequence + self._offset, held, end)
            self._held[sequence] = end

    def drop(self, sequence: int, start: int) -> None:
        llama.llama_memory_seq_rm(self._memory, sequence + self._offset, start, -1)
        self._held[sequence] = min(self._held.get(sequence, 0), start)

    def clear(self) -> None:
        self._held.clear()

    def has_window(self, sequence: int, length: int) -> bool:
        """Tells whether the window of the token after the sequence's first `length` tokens is still there."""
        first = int(llama.llama_memory_seq_pos_min(self._memory, sequence))
        return 0 <= first <= max(0, length - self._window_tokens)

    def parts(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yields the parts in which the state of these positions is saved."""
        step = max(1, self._window_tokens - 1)
        for begin in range(start, end, step):
            yield begin, min(begin + step, end)


def pack(states: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Joins the states of consecutive parts, each after its size in bytes."""
    sizes = [np.frombuffer(COUNT.pack(len(state)), np.uint8) for state in states]
    return np.concatenate([piece for pair in zip(sizes, states, strict=True) for piece in pair])


def unpack(packed: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Splits what `pack` joined; a cut one has a last part that llama.cpp refuses."""
    states = []
    while len(packed):
        (size,) = COUNT.unpack(packed[: COUNT.size].tobytes().ljust(COUNT.size, b"\0"))
        states.append(packed[COUNT.size : COUNT.size + size])
        packed = packed[COUNT.size + size :]
    return states
