"""A lock between processes of one machine. The kernel releases it when the process ends, even by SIGKILL."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyLocked(Exception):
    """Another process holds the lock. `pid` is the one it wrote into the file, or "?" if the file is empty."""

    def __init__(self, pid: str) -> None:
        super().__init__(pid)
        self.pid = pid


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Holds the lock at `path`. Raises AlreadyLocked, or OSError if the file cannot be made."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            lock.seek(0)
            raise AlreadyLocked(lock.read().strip() or "?") from exc
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
