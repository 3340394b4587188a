"""Measures how fast this machine reads memory, which limits the tokens per second of a model on the processor.

A generated token reads all weights once. `memcmp` only reads, runs outside Python's lock, and the C library has a
vectorised one for every processor.
"""

from __future__ import annotations

import ctypes
import mmap
import time
from concurrent.futures import ThreadPoolExecutor

BLOCK_BYTES = 64 << 20  # of one thread: more than its share of any processor's caches
LIMIT_BYTES = 512 << 20
ROUNDS = 4


def measure_bandwidth(threads: int, available_bytes: int) -> float:
    """Returns bytes a second, read by `threads` threads together. Takes about a quarter of a second.

    The best of several rounds counts, because other programs slow down single ones.
    """
    block = min(BLOCK_BYTES, LIMIT_BYTES // threads, available_bytes // (8 * threads))
    block -= block % (2 * mmap.PAGESIZE)
    if block <= 0:
        return 0.0
    with ThreadPoolExecutor(threads) as pool:
        blocks = list(pool.map(filled_block, [block] * threads))
        return max(read_all(pool, blocks) for _ in range(ROUNDS))


def filled_block(size: int) -> mmap.mmap:
    """Returns memory with a value in it: untouched pages would all be one page of zeros, which fits into the cache."""
    block = mmap.mmap(-1, size)
    ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(block)), 1, size)
    return block


def read_all(pool: ThreadPoolExecutor, blocks: list[mmap.mmap]) -> float:
    started = time.perf_counter()
    total = sum(pool.map(read_block, blocks))
    return total / max(time.perf_counter() - started, 1e-9)


def read_block(block: mmap.mmap) -> int:
    """Compares the halves of a block, and returns the bytes that were read."""
    start, half = ctypes.addressof(ctypes.c_char.from_buffer(block)), len(block) // 2
    different = _memcmp(start, start + half, half)
    assert not different
    return 2 * half


_memcmp = ctypes.CDLL(None).memcmp
_memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
