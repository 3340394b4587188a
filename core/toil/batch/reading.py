"""Rows from a file or from stdin, without blocking the event loop and without reading ahead by more than a few.

Knows how rows are counted and told apart beforehand; what they hold is in `core.toil.batch.rows`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from core.errors import BadRequest
from core.toil.batch.rows import AnyRow

Item = TypeVar("Item")
Read = Callable[[Iterable[bytes]], Iterator[AnyRow]]

CHUNK_BYTES = 2**16
AHEAD = 8
STDIN = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """A file before the start: how many rows, and the sum of all its bytes."""

    rows: int
    digest: str
    first: AnyRow | None


def survey(path: Path, read: Read, check: Callable[[AnyRow], None]) -> Survey:
    """Reads the whole file once. Raises BadRequest where it cannot be read or `check` refuses a row."""
    digest = hashlib.sha256()
    first: AnyRow | None = None
    count = 0
    for row in read(summed(chunks_of(path), digest.update)):
        check(row)
        first = first or row
        count += 1
    return Survey(count, digest.hexdigest(), first)


def summed(chunks: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


def chunks_of(path: Path | None) -> Iterator[bytes]:
    """The file's bytes, stdin's if None. Raises BadRequest."""
    try:
        # Not sys.stdin: a thread that waits in it keeps the interpreter from ending.
        file = STDIN if path is None else os.open(path, os.O_RDONLY)
        try:
            while chunk := os.read(file, CHUNK_BYTES):
                yield chunk
        finally:
            if path is not None:
                os.close(file)
    except OSError as exc:
        raise BadRequest(f"{path or 'stdin'} cannot be read: {exc.strerror}") from exc


class Pump(Generic[Item]):
    """A blocking iterator as an asynchronous one. Its thread may wait for ever, on a pipe, and keeps nobody waiting."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._queue: asyncio.Queue[tuple[Item] | BaseException | None] = asyncio.Queue(AHEAD)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="rows", daemon=True)

    async def items(self) -> AsyncIterator[Item]:
        """Once. Raises what the iterator raises."""
        self._thread.start()
        while (item := await self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]

    def _work(self) -> None:
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
            self._put(None)
        except BaseException as exc:  # noqa: BLE001 - it is raised where rows are wanted
            self._put(exc)

    def _put(self, item: tuple[Item] | BaseException | None) -> bool:
        """False: the loop is gone, and with it whoever wanted rows."""
        putting = self._queue.put(item)
        try:
            asyncio.run_coroutine_threadsafe(putting, self._loop).result()
        except (CancelledError, RuntimeError):
            putting.close()
            return False
        return True
