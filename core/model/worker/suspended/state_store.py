"""The thread that encrypts, writes, reads and deletes suspended conversations, so that no answer waits for a disk.

Reading goes before writing. At most WRITES_LIMIT copies of states wait to be written: the inference thread copies the
next one when there is room. While the disk is full nothing is copied.
"""

from __future__ import annotations

import errno
import itertools
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress

import numpy as np
import structlog
from numpy.typing import NDArray

from core.model.worker.conversation import CachedConversation
from core.model.worker.prefix_cache import MIN_PREFIX_TOKENS, CopiedState, SuspendedSequence, common_prefix
from core.model.worker.suspended.state_folder import StateFolder

log = structlog.get_logger()

WRITES_LIMIT = 2
RETRY_S = 60.0  # after a failed write, such as on a full disk
EXPIRY_INTERVAL_S = 3600.0
ASSUMED_READ_RATE = 500e6  # bytes per second, until the first state is read
DOUBT = 2.0  # rates vary: a state that is read this much slower than computed may yet be worth it
READ, WRITE, IDLE = 0, 1, 2  # priorities

OpenFolder = Callable[[], StateFolder]
TakeSequence = Callable[[SuspendedSequence | None], None]
FULL_DISK = {errno.ENOSPC, errno.EDQUOT}


class SuspendedStore:
    """`open_folder` runs on the store's thread. `wake` is called there after each write."""

    def __init__(self, open_folder: OpenFolder, clock: Callable[[], float] = time.monotonic) -> None:
        self._open_folder = open_folder
        self._clock = clock
        self._folder: StateFolder | None = None
        self._opened = threading.Event()
        self._jobs: queue.PriorityQueue[tuple[int, int, Callable[[], None]]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._pending_writes = 0
        self._room = threading.Condition()
        self._paused_until_s: float | None = None
        self._restoring: set[str] = set()
        self._expiry_due_s = clock() + EXPIRY_INTERVAL_S
        self._stopped = False
        self._read_rate = ASSUMED_READ_RATE
        self._thread = threading.Thread(target=self._run, name="suspended", daemon=True)
        self.wake: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the jobs that it has."""
        self._put(IDLE, self._end)
        self._thread.join()

    # --- for the inference thread ------------------------------------------------------------------------------------

    def holds(self, conversation: CachedConversation) -> bool:
        """Tells whether a part of the conversation may be on disk. Waits for the folder to be opened: milliseconds."""
        self._opened.wait()
        return self._folder is not None and self._folder.holds(conversation.key)

    @property
    def retry_in_s(self) -> float | None:
        """Seconds until a write may be tried: 0 now; None: when a pending one is done, or never."""
        if (self._opened.is_set() and self._folder is None) or self._pending_writes >= WRITES_LIMIT:
            return None
        return 0.0 if self._paused_until_s is None else max(0.0, self._paused_until_s - self._clock())

    def write(self, conversation: CachedConversation, part: CopiedState) -> None:
        """Writes a copied state. A conversation that can be written no further becomes unwritable."""
        conversation.writing = True
        with self._room:
            self._pending_writes += 1
        self._put(WRITE, lambda: self._write(conversation, part))

    def wait_for_room(self, timeout_s: float) -> None:
        """Waits until fewer writes are pending than now."""
        with self._room:
            before = self._pending_writes
            self._room.wait_for(lambda: self._pending_writes < max(before, 1), timeout_s)

    def fetch(
        self,
        conversation: CachedConversation,
        tokens: NDArray[np.int32],
        known: int,
        prefill_rate: float,
        done: TakeSequence,
    ) -> None:
        """Reads the conversation's state if that is faster than computing it, and passes it to `done`, or None.

        `known`: the number of the prompt's tokens that need not be computed anyway. `prefill_rate`: tokens per second.
        """
        self._put(READ, lambda: self._fetch(conversation, tokens, known, prefill_rate, done))

    def end_restoring(self, conversation: CachedConversation, *, failed: bool = False) -> None:
        """Notes that the fetched state was used without harm or will not be used. `failed`: deletes it."""
        self._put(READ, lambda: self._end_restoring(conversation, failed))

    def reads_faster(self, bytes_per_token: float, prefill_rate: float) -> bool:
        """Tells whether reading a state will probably be faster than computing it."""
        return bytes_per_token / self._read_rate < DOUBT / max(prefill_rate, 1.0)

    # --- for the event loop ------------------------------------------------------------------------------------------

    def forget(self, keys: Sequence[str]) -> Future[None]:
        """Deletes the states of these conversations, those of other models too. The future raises OSError."""
        future: Future[None] = Future()
        self._put(READ, lambda: self._forget(keys, future))
        return future

    # --- the store's thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._folder = self._open_folder()
        except OSError as exc:
            log.warning("suspended_folder_unusable", problem=exc.strerror or str(exc))
        finally:
            self._opened.set()
        while not self._stopped:
            try:
                self._next_job()()
            except Exception:
                log.exception("suspended_job_failed")

    def _next_job(self) -> Callable[[], None]:
        """Waits for a job. Once an hour it is the deletion of expired states, however many others there are."""
        if (left_s := self._expiry_due_s - self._clock()) > 0:
            with suppress(queue.Empty):
                return self._jobs.get(timeout=left_s)[2]
        self._expiry_due_s = self._clock() + EXPIRY_INTERVAL_S
        return self._delete_expired

    def _usable_folder(self) -> StateFolder:
        """Returns the folder; opens it again if somebody deleted it or if it could not be opened. Raises OSError."""
        if self._folder is None or not self._folder.has_key:
            self._folder = self._open_folder()
            self._restoring.clear()
        return self._folder

    def _put(self, priority: int, job: Callable[[], None]) -> None:
        self._jobs.put((priority, next(self._numbers), job))

    def _end(self) -> None:
        self._stopped = True
        if self._folder:
            for key in self._restoring:
                self._folder.unmark_restoring(key)

    def _end_restoring(self, conversation: CachedConversation, failed: bool) -> None:
        self._restoring.discard(conversation.key)
        if self._folder is None:
            return
        self._folder.unmark_restoring(conversation.key)
        if failed:
            log.warning("suspended_state_failed")
            self._folder.remove(conversation.key)
            conversation.stored = None

    def _forget(self, keys: Sequence[str], future: Future[None]) -> None:
        try:
            self._usable_folder().forget(keys)
            future.set_result(None)
        except OSError as exc:
            future.set_exception(exc)

    def _delete_expired(self) -> None:
        if self._folder and self._folder.has_key:
            self._folder.delete_expired()

    def _write(self, conversation: CachedConversation, part: CopiedState) -> None:
        try:
            conversation.unwritable = not self._try_write(conversation, part)
        except OSError as exc:
            self._pause(exc)
        finally:
            conversation.writing = False
            with self._room:
                self._pending_writes -= 1
                self._room.notify_all()
            self.wake()

    def _try_write(self, conversation: CachedConversation, part: CopiedState) -> bool:
        if conversation.forgotten or self._folder is None:
            return False
        folder = self._usable_folder()
        before = conversation.stored if part.start else None
        conversation.stored = folder.write(conversation.key, part, before)
        if self._paused_until_s is not None:
            log.info("suspended_writes_resumed")
            self._paused_until_s = None
        if conversation.forgotten:
            folder.remove(conversation.key)
            return False
        return conversation.stored is not None or before is not None

    def _pause(self, exc: OSError) -> None:
        """Pauses writing. Logs only the first of several failures."""
        if self._paused_until_s is None:
            full = exc.errno in FULL_DISK
            log.warning("suspended_disk_full" if full else "suspended_write_failed", problem=exc.strerror or str(exc))
        self._paused_until_s = self._clock() + RETRY_S

    def _fetch(
        self,
        conversation: CachedConversation,
        tokens: NDArray[np.int32],
        known: int,
        prefill_rate: float,
        done: TakeSequence,
    ) -> None:
        sequence = None
        try:
            sequence = self._read(conversation, tokens, known, prefill_rate)
        finally:
            done(sequence)

    def _read(
        self, conversation: CachedConversation, tokens: NDArray[np.int32], known: int, prefill_rate: float
    ) -> SuspendedSequence | None:
        if self._folder is None or conversation.forgotten:
            return None
        conversation.stored = extent = self._folder.read_extent(conversation.key)
        if extent is None:
            return None
        length = common_prefix(extent.tokens, tokens)
        byte_count = sum(segment.state_bytes for segment in extent.segments_for(length))
        computing_s = (length - known) / max(prefill_rate, 1.0)
        if length - known < MIN_PREFIX_TOKENS or byte_count / self._read_rate > computing_s:
            return None
        started = time.perf_counter()
        found = self._folder.read_states(conversation.key, extent, length)
        self._measure(byte_count, time.perf_counter() - started)
        if found is None:
            conversation.stored = None
            return None
        self._restoring.add(conversation.key)
        with suppress(OSError):  # a full disk: the state is as good without the mark
            self._folder.mark_restoring(conversation.key)
        return SuspendedSequence(*found, conversation)

    def _measure(self, byte_count: int, took_s: float) -> None:
        if took_s > 0:
            self._read_rate += 0.3 * (byte_count / took_s - self._read_rate)
