"""The tokens of one decode, laid out as llama.cpp wants them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from typing import Any, cast

import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A run of one sequence's tokens in a batch: `tokens` go to positions `start`, `start` + 1, …"""

    sequence: int
    start: int
    tokens: SequenceOf[int] | Tokens
    logits: bool  # whether the last of them will be sampled


class DecodeBatch:
    """A llama_batch whose arrays are numpy's: filled by slices, not token by token through ctypes."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.tokens = np.zeros(capacity, np.int32)
        self.positions = np.zeros(capacity, np.int32)
        self.sequences = np.zeros(capacity, np.int32)
        self.logits = np.zeros(capacity, np.int8)
        self._counts = np.ones(capacity, np.int32)
        # llama.cpp wants a pointer to each token's list of sequences; ours has one sequence each.
        self._pointers = self.sequences.ctypes.data + 4 * np.arange(capacity, dtype=np.uintp)
        self.raw = cast(Any, llama.llama_batch())
        self.raw.token = ctypes.cast(self.tokens.ctypes.data, ctypes.POINTER(llama.llama_token))
        self.raw.embd = None
        self.raw.pos = ctypes.cast(self.positions.ctypes.data, ctypes.POINTER(llama.llama_pos))
        self.raw.n_seq_id = ctypes.cast(self._counts.ctypes.data, ctypes.POINTER(ctypes.c_int32))
        self.raw.seq_id = ctypes.cast(self._pointers.ctypes.data, type(self.raw.seq_id))
        self.raw.logits = ctypes.cast(self.logits.ctypes.data, ctypes.POINTER(ctypes.c_int8))

    def fill(self, rows: SequenceOf[BatchRow]) -> list[int]:
        """Lay the rows one after another; the index of each row's last token."""
        total = sum(len(row.tokens) for row in rows)
        assert 0 < total <= self.capacity, f"{total} tokens for a batch of {self.capacity}"
        last = []
        n = 0
        for row in rows:
            end = n + len(row.tokens)
            self.tokens[n:end] = row.tokens
            self.positions[n:end] = np.arange(row.start, row.start + end - n, dtype=np.int32)
            self.sequences[n:end] = row.sequence
            self.logits[n:end] = 0
            self.logits[end - 1] = row.logits
            last.append(end - 1)
            n = end
        self.raw.n_tokens = n
        return last
