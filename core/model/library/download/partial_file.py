"""A file that is being downloaded: its bytes at their final places, and beside it a record of which have arrived.

Bytes are written before their record, so that a killed process never leaves a record of bytes that are not there. After
a power failure the disk may have kept the record and lost bytes: each segment's crc32 tells, and only that segment is
fetched again. The methods do blocking I/O; segments may be written from several threads, each from one at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import zlib
from pathlib import Path

from core.model.library.download.checksum import Hasher

MAGIC = b"csps-dl1"
HEADER = struct.Struct("<8sQQ32s8x")  # magic, size of the file, size of a segment, sha256 of the identity
ENTRY = struct.Struct("<QII")  # bytes from the segment's start, their crc32, unused; 16 bytes never cross a page
RECORD_SUFFIX = ".record"
READ_BYTES = 1024 * 1024


class PartialFile:
    """`identity` is the ETag or checksum: bytes of another identity are dropped. Raises OSError."""

    def __init__(self, path: Path, identity: str, size_bytes: int, segment_bytes: int) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self._identity = hashlib.sha256(identity.encode()).digest()
        self._segment_bytes = 0
        self._done: list[int] = []  # of each segment, the bytes that have arrived
        self._crc: list[int] = []  # and their crc32
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as opened:
            self._data = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            opened.callback(os.close, self._data)
            self._record = os.open(record_of(path), os.O_RDWR | os.O_CREAT, 0o666)
            opened.callback(os.close, self._record)
            if not self._continue():
                self._begin(segment_bytes)
            self._opened = opened.pop_all()

    def close(self) -> None:
        self._opened.close()

    @property
    def segments(self) -> int:
        return len(self._done)

    @property
    def done_bytes(self) -> int:
        return sum(self._done)

    @property
    def missing(self) -> list[int]:
        """The segments that are not complete."""
        return [index for index in range(self.segments) if not self.is_complete(index)]

    def is_complete(self, index: int) -> bool:
        return self._done[index] == self._length(index)

    def next_range(self, index: int) -> tuple[int, int]:
        """Returns the first and last position, both included, that a segment lacks."""
        start = index * self._segment_bytes
        return start + self._done[index], start + self._length(index) - 1

    def segment_at(self, position: int) -> int:
        return position // self._segment_bytes

    def segment_start(self, index: int) -> int:
        return index * self._segment_bytes

    def write(self, index: int, block: bytes) -> None:
        """Adds the segment's next bytes. Those beyond its end are dropped."""
        block = block[: self._length(index) - self._done[index]]
        write_at(self._data, block, index * self._segment_bytes + self._done[index])
        self._note(index, self._done[index] + len(block), zlib.crc32(block, self._crc[index]))

    def reset(self, index: int) -> None:
        self._note(index, 0, 0)

    def restart(self) -> None:
        """Drops all bytes."""
        self._begin(self._segment_bytes)

    def hash_block(self, index: int, offset: int, hasher: Hasher | None, crc: int) -> tuple[int, int]:
        """Hashes a segment's next block, from `offset` in it. Returns the length of the block and the new crc32."""
        length = min(READ_BYTES, self._done[index] - offset)
        block = os.pread(self._data, length, index * self._segment_bytes + offset)
        if hasher is not None:
            hasher.update(block)
        return len(block), zlib.crc32(block, crc)

    def is_right(self, index: int, length: int, crc: int) -> bool:
        """Tells whether these are the length and crc32 of the bytes that arrived for a segment."""
        return (length, crc) == (self._done[index], self._crc[index])

    def first_bytes(self, length: int) -> bytes:
        return os.pread(self._data, length, 0)

    def sync(self) -> None:
        os.fsync(self._data)

    def remove(self) -> None:
        """Closes the file and deletes it."""
        self.close()
        self.path.unlink(missing_ok=True)
        record_of(self.path).unlink(missing_ok=True)

    def _continue(self) -> bool:
        """Reads the record. Returns False if there is none for these bytes."""
        record = os.pread(self._record, HEADER.size, 0)
        if len(record) < HEADER.size or os.fstat(self._data).st_size != self.size_bytes:
            return False
        magic, size_bytes, segment_bytes, identity = HEADER.unpack(record)
        if magic != MAGIC or size_bytes != self.size_bytes or identity != self._identity or not segment_bytes:
            return False
        self._segment_bytes = segment_bytes
        length = segment_count(size_bytes, self._segment_bytes) * ENTRY.size
        if os.fstat(self._record).st_size != HEADER.size + length:
            return False
        entries = os.pread(self._record, length, HEADER.size)
        self._done, self._crc = map(
            list, zip(*((done, crc) for done, crc, _ in ENTRY.iter_unpack(entries)), strict=True)
        )
        for index, done in enumerate(self._done):
            if done > self._length(index) or (0 < done < self._length(index) and not self._has_arrived(index)):
                self.reset(index)
        return True

    def _begin(self, segment_bytes: int) -> None:
        count = segment_count(self.size_bytes, segment_bytes)
        self._segment_bytes = segment_bytes
        self._done, self._crc = [0] * count, [0] * count
        os.ftruncate(self._record, 0)
        os.ftruncate(self._data, 0)
        os.ftruncate(self._data, self.size_bytes)
        write_at(self._record, b"\0" * (count * ENTRY.size), HEADER.size)
        write_at(self._record, HEADER.pack(MAGIC, self.size_bytes, segment_bytes, self._identity), 0)

    def _has_arrived(self, index: int) -> bool:
        """Tells whether a segment's begun bytes are those of its record."""
        offset, crc, count = 0, 0, 1
        while count:
            count, crc = self.hash_block(index, offset, None, crc)
            offset += count
        return self.is_right(index, offset, crc)

    def _length(self, index: int) -> int:
        return min(self._segment_bytes, self.size_bytes - index * self._segment_bytes)

    def _note(self, index: int, done: int, crc: int) -> None:
        write_at(self._record, ENTRY.pack(done, crc, 0), HEADER.size + index * ENTRY.size)
        self._done[index], self._crc[index] = done, crc


def record_of(path: Path) -> Path:
    return path.with_name(path.name + RECORD_SUFFIX)


def segment_count(size_bytes: int, segment_bytes: int) -> int:
    """At least one, also for an empty file."""
    return max(1, -(-size_bytes // segment_bytes))


def write_at(descriptor: int, data: bytes, position: int) -> None:
    """Writes all of `data`: the kernel may take only a part of it, such as on an almost full disk."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, position)
        view, position = view[written:], position + written
