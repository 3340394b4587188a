"""Reads rows of a file or stdin beside the event loop, a few ahead; counts and digests them. `rows` parses them."""

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
RowParser = Callable[[Iterable[bytes]], Iterator[AnyRow]]

CHUNK_BYTES = 2**16
READ_AHEAD = 8  # items
STDIN = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """A file's number of rows, its SHA-256 and its first row."""

    rows: int
    digest: str
    first: AnyRow | None


def survey(path: Path, parse: RowParser, check: Callable[[AnyRow], None]) -> Survey:
    """Reads the whole file once. Raises BadRequest where it is unreadable or `check` refuses a row."""
    digest = hashlib.sha256()
    first: AnyRow | None = None
    count = 0
    for row in parse(tee(read_chunks(path), digest.update)):
        check(row)
        first = first or row
        count += 1
    return Survey(count, digest.hexdigest(), first)


def tee(chunks: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


def read_chunks(path: Path | None) -> Iterator[bytes]:
    """The bytes of a file, or of stdin for None. Raises BadRequest."""
    try:
        # Not sys.stdin: a thread that waits in it keeps the interpreter from exiting.
        file = STDIN if path is None else os.open(path, os.O_RDONLY)
        try:
            while chunk := os.read(file, CHUNK_BYTES):
                yield chunk
        finally:
            if path is not None:
                os.close(file)
    except OSError as exc:
        raise BadRequest(f"{path or 'stdin'} cannot be read: {exc.strerror}") from exc


class ThreadedIterator(Generic[Item]):
    """Iterates a blocking iterator in a daemon thread, which may wait on a pipe for ever without delaying the exit."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._queue: asyncio.Queue[tuple[Item] | BaseException | None] = asyncio.Queue(READ_AHEAD)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="rows", daemon=True)

    async def items(self) -> AsyncIterator[Item]:
        """Can be iterated once. Raises the errors of the iterator."""
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
        except BaseException as exc:  # noqa: BLE001 - `items` raises it
            self._put(exc)

    def _put(self, item: tuple[Item] | BaseException | None) -> bool:
        """False if the loop, and so the consumer, is gone."""
        putting = self._queue.put(item)
        try:
            asyncio.run_coroutine_threadsafe(putting, self._loop).result()
        except (CancelledError, RuntimeError):
            putting.close()
            return False
        return True
