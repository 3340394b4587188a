"""A lock between processes of one machine. The kernel releases it when the process ends, even by SIGKILL."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


class AlreadyLocked(Exception):
    """Another process holds the lock. `pid` is the one it wrote into the file, or "?" if the file is empty."""

    def __init__(self, pid: str) -> None:
        super().__init__(pid)
        self.pid = pid


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Holds the lock at `path`. Its holder may delete the file. Raises AlreadyLocked, or OSError."""
    with open_locked(path) as lock:
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def open_locked(path: Path) -> TextIO:
    """Opens and locks the file that has this name now: an earlier holder may have deleted the one just opened."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_at(path, lock):
                return lock
        except BlockingIOError as exc:
            with lock:
                lock.seek(0)
                raise AlreadyLocked(lock.read().strip() or "?") from exc
        except OSError:  # such as ENOLCK: a network file system without locks
            lock.close()
            raise
        lock.close()


def is_at(path: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
