"""Folders of suspended conversations, and states to put into them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from core.model.worker.conversation import StoredExtent
from core.model.worker.prefix_cache import CopiedState, Tokens
from core.model.worker.suspended.state_file import CHUNK_BYTES
from core.model.worker.suspended.state_folder import FolderLimits, StateFolder

DAY_S = 86_400.0
BUDGET_BYTES = 64 * 1024 * 1024
SECRET = b"planted: the cabinet meets on Tuesday "
STATE_BYTES = CHUNK_BYTES + len(SECRET) * 40  # more than one chunk


class Clock:
    """Seconds since 1970, which a test advances."""

    def __init__(self) -> None:
        self.now_s = time.time()

    def __call__(self) -> float:
        return self.now_s


def open_folder(
    root: Path, identity: str = "a model", *, budget: int = BUDGET_BYTES, clock: Clock | None = None
) -> StateFolder:
    return StateFolder(root, identity, FolderLimits(budget, 30 * DAY_S), clock or Clock())


def part(start: int, end: int, *, fill: int = 0, state_bytes: int = STATE_BYTES) -> CopiedState:
    """A state that contains planted words in each chunk. `fill` distinguishes conversations."""
    state = np.frombuffer((SECRET * (state_bytes // len(SECRET) + 1))[:state_bytes], np.uint8) + np.uint8(0)
    state[:4] = np.frombuffer(np.asarray([start + fill], "<i4").tobytes(), np.uint8)
    return CopiedState(tokens(end, fill), start, state)


def tokens(count: int, fill: int = 0) -> Tokens:
    return np.arange(count, dtype=np.int32) + fill


def store(
    folder: StateFolder, conversation: str, ends: tuple[int, ...] = (100, 150), *, fill: int = 0
) -> StoredExtent | None:
    """Writes a conversation in segments that end at these tokens."""
    extent, start = None, 0
    for end in ends:
        extent = folder.write(conversation, part(start, end, fill=fill), extent)
        start = end
    return extent


def read(folder: StateFolder, conversation: str, length: int = 10**6) -> tuple[list[int], list[bytes]] | None:
    """Reads a conversation as a later process does."""
    extent = folder.read_extent(conversation)
    found = folder.read_states(conversation, extent, min(length, len(extent.tokens))) if extent else None
    return found and (found[0].tolist(), [state.tobytes() for state in found[1]])


def written(*bounds: tuple[int, int], fill: int = 0) -> tuple[list[int], list[bytes]]:
    """The result of `read` for segments with these bounds."""
    return tokens(bounds[-1][1], fill).tolist(), [part(*each, fill=fill).state.tobytes() for each in bounds]


def state_files(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("*/*") if path.is_file() and not path.is_symlink())
