"""The files of suspended conversations: one folder for each model with its settings, and one budget for all of them.

Several workers share the parent folder. Each reads and writes in its own model's folder only. In the others it only
deletes: the files used least recently, for the common budget; those that nobody used for `max_age_s`; those of a
forgotten conversation; and everything that a lost key made useless.

Nothing in here is needed: a file that is missing, damaged or deleted costs one computation of its prompt.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import structlog
from numpy.typing import NDArray

from core.model.worker.conversation import StoredExtent
from core.model.worker.prefix_cache import CopiedState
from core.model.worker.suspended.state_file import NO_TAG, StateCipher, StateDamaged, file_bytes
from core.model.worker.suspended.state_key import KEY_FILE, NAME_BYTES, load_key

log = structlog.get_logger()

RESERVE_BYTES = 1024 * 1024 * 1024  # of the disk: the database and downloads need room more than we do
PART_SUFFIX = ".part"
RESTORING_SUFFIX = ".restoring"  # an empty file beside a state that llama.cpp is about to restore
ABANDONED_S = 600.0  # a process that wrote a part for this long is dead
CLOCK_SKEW_S = 3600.0  # a file that was used later than this from now was dated by a wrong clock
NAME = re.compile(rf"[0-9a-f]{{{2 * NAME_BYTES}}}\Z")
FOLDER_NAME = re.compile(r"([0-9a-f]{16})-[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class FolderLimits:
    """`bytes`: of all models' files together; 0: nothing is kept. `max_age_s`: since a conversation's last turn."""

    bytes: int
    max_age_s: float


@dataclass(frozen=True, slots=True)
class FoundFile:
    path: Path
    size: int
    used_at: float


class StateFolder:
    """One model's files. For one thread."""

    def __init__(self, root: Path, identity: str, limits: FolderLimits, clock: Callable[[], float] = time.time) -> None:
        """Reads or makes the key, and deletes what is too old, useless or no file of ours. Raises OSError.

        `identity`: of the model and of the settings that its states depend on.
        """
        self._root = root
        self._limits = limits
        self._clock = clock
        self._key = load_key(root)
        self._folder = root / self._key.folder_name(identity)
        self._make_folder()
        self._names: set[str] = set()
        self._delete_useless()
        self._delete_fatal()
        self._delete_foreign()
        self._names = {entry.name for entry in os.scandir(self._folder)}
        self.delete_expired()

    def holds(self, conversation: str) -> bool:
        """Tells whether a file of the conversation was here last. Any thread may call this."""
        return self._key.file_name(conversation) in self._names

    @property
    def has_key(self) -> bool:
        """False if somebody deleted the whole folder: then it has to be opened again."""
        return (self._root / KEY_FILE).exists()

    def mark_restoring(self, conversation: str) -> None:
        """Notes on disk that a state is about to be restored. If the process dies of it, the next one deletes it."""
        self._marker(conversation).touch(mode=0o600)

    def unmark_restoring(self, conversation: str) -> None:
        self._marker(conversation).unlink(missing_ok=True)

    def read_extent(self, conversation: str) -> StoredExtent | None:
        """Returns the stored part of a conversation; None if there is none or if it is damaged, and is now deleted."""
        with self._open(conversation) as file:
            if file is None:
                return None
            extent = self._cipher(conversation).read_extent(file)
            whole = extent.segments[-1].end_offset if extent.segments else 0
            if not whole:
                raise StateDamaged("the first segment is not whole")
            if whole < os.fstat(file.fileno()).st_size:
                log.warning("suspended_state_cut", file=self._path(conversation).name)
                os.truncate(file.fileno(), whole)
            return extent
        return None

    def read_states(
        self, conversation: str, extent: StoredExtent, length: int
    ) -> tuple[NDArray[np.int32], tuple[NDArray[np.uint8], ...]] | None:
        """Returns at least the first `length` tokens with their states, segment by segment; None as `read_extent`."""
        with self._open(conversation) as file:
            if file is None:
                return None
            cipher, start, states = self._cipher(conversation), 0, []
            for segment in extent.segments_for(length):
                states.append(cipher.read_state(file, segment, segment.end_token - start))
                start = segment.end_token
            self._mark_used(file)
            return extent.tokens[:start], tuple(states)
        return None

    def write(self, conversation: str, part: CopiedState, stored: StoredExtent | None) -> StoredExtent | None:
        """Appends a part to `stored`, or begins the file anew with a part that starts at 0.

        Returns the new extent; None if there is no room in the budget, or if the file is no longer what `stored`
        describes. Raises OSError, also if the disk is full.
        """
        if not self.make_room(file_bytes(part), keep=self._path(conversation)):
            return None
        self._require_space(file_bytes(part))
        kept = stored.segments_within(part.start) if stored else ()
        before = kept[-1].tag if kept else NO_TAG
        chunks = self._cipher(conversation).encrypt(part, before)
        self._make_folder()
        if not kept:
            self._write_anew(conversation, chunks)
        elif not self._append(conversation, chunks, kept[-1].end_offset):
            return None
        self._names.add(self._path(conversation).name)
        return self.read_extent(conversation)

    def remove(self, conversation: str) -> None:
        self._remove_path(self._path(conversation))

    def forget(self, conversations: Iterable[str]) -> None:
        """Deletes the states that any model computed for these conversations. Raises OSError."""
        names = [self._key.file_name(conversation) for conversation in conversations]
        for folder in self._folders():
            for name in names:
                (folder / name).unlink(missing_ok=True)
        self._names.difference_update(names)

    def delete_expired(self) -> None:
        """Deletes the files of every model that nobody used for `max_age_s`, parts of dead processes, and for room.

        A file from the future, dated by a clock that was wrong, ages from now on.
        """
        now = self._clock()
        for file in self._files():
            max_age_s = ABANDONED_S if file.path.suffix == PART_SUFFIX else self._limits.max_age_s
            if file.used_at < now - max_age_s:
                self._remove_path(file.path)
            elif file.used_at > now + CLOCK_SKEW_S:
                with suppress(OSError):
                    os.utime(file.path, (now, now), follow_symlinks=False)
        self.make_room(0)

    def make_room(self, need_bytes: int, keep: Path | None = None) -> bool:
        """Deletes the files used least recently until `need_bytes` more fit the budget; False if they never fit.

        On a disk that becomes full the budget is smaller. `keep`: the file that is about to grow.
        """
        files = sorted(self._files(), key=lambda file: file.used_at)
        used = sum(file.size for file in files)
        total, limit = used + need_bytes, min(self._limits.bytes, used + self._free_bytes())
        for file in files:
            if total <= limit:
                break
            if file.path != keep:
                self._remove_path(file.path)
                total -= file.size
        return total <= self._limits.bytes

    # --- one file ----------------------------------------------------------------------------------------------------

    def _path(self, conversation: str) -> Path:
        return self._folder / self._key.file_name(conversation)

    def _marker(self, conversation: str) -> Path:
        path = self._path(conversation)
        return path.with_name(path.name + RESTORING_SUFFIX)

    def _cipher(self, conversation: str) -> StateCipher:
        return StateCipher(self._key, self._folder.name, self._path(conversation).name)

    @contextmanager
    def _open(self, conversation: str) -> Iterator[BinaryIO | None]:
        """Opens a conversation's file, or yields None. Deletes it if the block finds damage or cannot read it."""
        path = self._path(conversation)
        try:
            file = self._open_within_budget(path)
        except FileNotFoundError:
            self._names.discard(path.name)  # another worker needed the room
            yield None
            return
        except OSError as exc:
            self._delete_damaged(path, exc.strerror or str(exc))
            yield None
            return
        with file:
            try:
                yield file
            except StateDamaged as exc:
                self._delete_damaged(path, str(exc))
            except OSError as exc:
                self._delete_damaged(path, exc.strerror or str(exc))

    def _open_within_budget(self, path: Path) -> BinaryIO:
        """Raises OSError also for a file that is larger than the budget."""
        file = open_plain(path)
        if os.fstat(file.fileno()).st_size > self._limits.bytes:
            file.close()
            raise OSError(errno.EFBIG, "is larger than the budget", str(path))
        return file

    def _delete_damaged(self, path: Path, problem: str) -> None:
        log.warning("suspended_state_damaged", file=path.name, problem=problem)
        self._remove_path(path)

    def _remove_path(self, path: Path) -> None:
        delete(path)
        if path.parent == self._folder:
            self._names.discard(path.name)

    def _mark_used(self, file: BinaryIO) -> None:
        os.utime(file.fileno(), (self._clock(), self._clock()))

    def _write_anew(self, conversation: str, chunks: Iterator[bytes]) -> None:
        path = self._path(conversation)
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART_SUFFIX}")
        try:
            with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.writelines(chunks)
                file.flush()
                self._mark_used(file)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _append(self, conversation: str, chunks: Iterator[bytes], offset: int) -> bool:
        """Replaces everything from `offset` on. False: the file is gone or shorter."""
        try:
            file = open_plain(self._path(conversation))
        except OSError:
            return False
        with file:
            if os.fstat(file.fileno()).st_size < offset:
                return False
            file.truncate(offset)
            file.seek(offset)
            try:
                file.writelines(chunks)
                file.flush()
            except BaseException:
                with suppress(OSError):
                    os.truncate(file.fileno(), offset)
                raise
            self._mark_used(file)
        return True

    def _require_space(self, need_bytes: int) -> None:
        """Raises OSError if the disk would become too full for others."""
        if self._free_bytes() < need_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._root))

    def _free_bytes(self) -> int:
        """Returns the free bytes of the disk, less those that stay free; negative if others took of these."""
        disk = os.statvfs(self._root)
        return disk.f_bavail * disk.f_frsize - RESERVE_BYTES

    def _make_folder(self) -> None:
        """Makes the model's folder unless it is there. Raises OSError, also for a symbolic link."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._folder.is_symlink():
            raise OSError(errno.ELOOP, "is a symbolic link", str(self._folder))

    # --- all files ---------------------------------------------------------------------------------------------------

    def _folders(self) -> list[Path]:
        with os.scandir(self._root) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if FOLDER_NAME.match(entry.name) and entry.is_dir(follow_symlinks=False)
            ]

    def _files(self) -> list[FoundFile]:
        found = []
        for folder in self._folders():
            with suppress(FileNotFoundError), os.scandir(folder) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        found.append(FoundFile(Path(entry.path), status.st_size, status.st_mtime))
        return found

    def _delete_useless(self) -> None:
        """Deletes the folders of other keys, which no worker can read any more."""
        for folder in self._folders():
            if not folder.name.startswith(self._key.id):
                log.warning("suspended_states_without_key", folder=folder.name)
                shutil.rmtree(folder, ignore_errors=True)

    def _delete_fatal(self) -> None:
        """Deletes the states that were being restored when a process died: the next one would die of them again."""
        for marker in self._folder.glob(f"*{RESTORING_SUFFIX}"):
            if NAME.match(marker.stem):
                log.warning("suspended_state_fatal", file=marker.stem)
                delete(marker.with_suffix(""))
                delete(marker)

    def _delete_foreign(self) -> None:
        """Deletes what a worker of this model did not write here. A symbolic link is deleted, not followed."""
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(PART_SUFFIX):
                    continue
                if NAME.match(entry.name) and entry.is_file(follow_symlinks=False):
                    continue
                log.warning("suspended_file_foreign", file=entry.name)
                delete(Path(entry.path))


def open_plain(path: Path) -> BinaryIO:
    """Opens a plain file to read and change it. Raises OSError, also for a symbolic link, a pipe or a folder."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is not a plain file", str(path))
    return os.fdopen(descriptor, "r+b")


def delete(path: Path) -> None:
    """Deletes a file, a link or a folder, if that is possible: another worker may have been first."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def delete_all(root: Path) -> None:
    """Deletes every state and the key: for a service that keeps no conversation on disk."""
    shutil.rmtree(root, ignore_errors=True)
