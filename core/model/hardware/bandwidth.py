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
PARTS = 16  # of a block: one is read in about a millisecond, less than the kernel's time slice

Span = tuple[int, int]  # an address, and the bytes behind it


def measure_bandwidth(threads: int, available_bytes: int) -> float:
    """Returns bytes a second, read by `threads` threads together. Takes about half a second.

    Other programs slow down single bursts, so the fastest count. Long ones hide the start of many threads. Of short
    ones, most of which miss those programs even on a busy machine, the upper eighth is left out: caches served it.
    """
    block = min(BLOCK_BYTES, LIMIT_BYTES // threads, available_bytes // (8 * threads))
    part = block // PARTS // mmap.PAGESIZE * mmap.PAGESIZE
    if part <= 0:
        return 0.0
    with ThreadPoolExecutor(threads) as pool:
        blocks = list(pool.map(filled_block, [part * PARTS] * threads))
        starts = [ctypes.addressof(ctypes.c_char.from_buffer(block)) for block in blocks]
        long = [read_all(pool, [(start, part * PARTS) for start in starts]) for _ in range(ROUNDS)]
        offsets = range(0, part * PARTS, part)
        short = sorted(
            read_all(pool, [(start + at, part) for start in starts]) for _ in range(ROUNDS) for at in offsets
        )
        return max(*long, short[-len(short) // 8])


def filled_block(size: int) -> mmap.mmap:
    """Returns memory with a value in it: untouched pages would all be one page of zeros, which fits into the cache."""
    block = mmap.mmap(-1, size)
    ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(block)), 1, size)
    return block


def read_all(pool: ThreadPoolExecutor, spans: list[Span]) -> float:
    started = time.perf_counter()
    total = sum(pool.map(read_span, spans))
    return total / max(time.perf_counter() - started, 1e-9)


def read_span(span: Span) -> int:
    """Compares the halves of a span, and returns the bytes that were read."""
    start, half = span[0], span[1] // 2
    different = _memcmp(start, start + half, half)
    assert not different
    return 2 * half


_memcmp = ctypes.CDLL(None).memcmp
_memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
