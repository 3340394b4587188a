"""The file of one suspended conversation: segments, each of which continues the tokens of the one before.

    header   magic, salt, number of tokens, bytes of state
    tokens   first position, tokens: one AES-256-GCM message
    state    llama.cpp's state of these positions: messages of CHUNK_BYTES

A later turn appends a segment, so the tokens that are already on disk are not written again. A segment's key comes from
the folder's key and the salt. Its first message authenticates its header, the names of model and conversation, and the
segment before; its chunks authenticate that message, and their nonces count. So no part can be exchanged, moved,
repeated or taken from another file, also not from an earlier version of the same file.

llama.cpp gets only bytes that it wrote itself: it accepts some damaged states, and reads past the end of others.
"""

from __future__ import annotations

import os
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from core.model.worker.conversation import StoredExtent, StoredSegment
from core.model.worker.prefix_cache import CopiedState
from core.model.worker.suspended.state_key import StateKey

MAGIC = b"CSPSKV1\n"
HEADER = struct.Struct("<8s32sIQ")  # magic, salt, tokens, state bytes
SALT_BYTES = 32
TAG_BYTES = 16
START_BYTES = 4
CHUNK_BYTES = 1024 * 1024  # the interpreter's lock is held for one chunk: 0.2 ms
TOKENS_LIMIT = 2**24  # of a segment: a damaged header must not make us read gigabytes
NO_TAG = b""  # in front of the first segment


class StateDamaged(Exception):
    """The file, or a part of it, is not what was written."""


@dataclass(frozen=True, slots=True)
class StateCipher:
    """Encrypts and decrypts the segments of one conversation's file."""

    key: StateKey
    folder: str
    name: str

    def encrypt(self, part: CopiedState, before: bytes) -> Iterator[bytes]:
        """Yields the bytes of a segment. `before`: the tag of the segment before it."""
        salt = secrets.token_bytes(SALT_BYTES)
        cipher = AESGCM(self.key.segment_key(salt))
        header = HEADER.pack(MAGIC, salt, len(part.tokens) - part.start, len(part.state))
        tokens = part.start.to_bytes(START_BYTES, "little") + part.tokens[part.start :].astype("<i4").tobytes()
        encrypted = cipher.encrypt(nonce(0), tokens, self._context(header, before))
        yield header + encrypted
        tag, state = encrypted[-TAG_BYTES:], part.state.data
        for number, at in enumerate(range(0, len(state), CHUNK_BYTES), 1):
            yield cipher.encrypt(nonce(number), state[at : at + CHUNK_BYTES], tag)

    def read_extent(self, file: BinaryIO) -> StoredExtent:
        """Reads the tokens of all whole segments, but no state. Raises StateDamaged, OSError.

        The last segment is not whole if the process was killed while it wrote.
        """
        size = os.fstat(file.fileno()).st_size
        runs: list[NDArray[np.int32]] = []
        segments: list[StoredSegment] = []
        while (at := segments[-1].end_offset if segments else 0) + HEADER.size <= size:
            before = segments[-1].tag if segments else NO_TAG
            start = segments[-1].end_token if segments else 0
            file.seek(at)
            header = file.read(HEADER.size)
            magic, salt, count, state_bytes = HEADER.unpack(header)
            if magic != MAGIC or count > TOKENS_LIMIT:
                raise StateDamaged("no segment begins here")
            end = at + segment_bytes(count, state_bytes)
            if end > size:
                break
            encrypted = file.read(tokens_bytes(count))
            runs.append(self._tokens(salt, encrypted, self._context(header, before), start))
            segments.append(StoredSegment(start + count, at, end, state_bytes, salt, encrypted[-TAG_BYTES:]))
        return StoredExtent(np.concatenate(runs) if runs else np.empty(0, np.int32), tuple(segments))

    def read_state(self, file: BinaryIO, segment: StoredSegment, count: int) -> NDArray[np.uint8]:
        """Reads the state of one segment with `count` tokens. Raises StateDamaged, OSError."""
        cipher = AESGCM(self.key.segment_key(segment.salt))
        state = np.empty(segment.state_bytes, np.uint8)
        file.seek(segment.offset + HEADER.size + tokens_bytes(count))
        for number, at in enumerate(range(0, segment.state_bytes, CHUNK_BYTES), 1):
            length = min(CHUNK_BYTES, segment.state_bytes - at)
            try:
                cipher.decrypt_into(
                    nonce(number), file.read(length + TAG_BYTES), segment.tag, state[at : at + length].data
                )
            except (InvalidTag, ValueError) as exc:
                raise StateDamaged("the state is not what was written") from exc
        return state

    def _tokens(self, salt: bytes, encrypted: bytes, context: bytes, start: int) -> NDArray[np.int32]:
        try:
            plain = AESGCM(self.key.segment_key(salt)).decrypt(nonce(0), encrypted, context)
        except (InvalidTag, ValueError) as exc:
            raise StateDamaged("the tokens are not what was written") from exc
        if int.from_bytes(plain[:START_BYTES], "little") != start:
            raise StateDamaged("the segment belongs to another position")
        return np.frombuffer(plain[START_BYTES:], "<i4").astype(np.int32)

    def _context(self, header: bytes, before: bytes) -> bytes:
        return b"\0".join([header, self.folder.encode(), self.name.encode(), before])


def nonce(number: int) -> bytes:
    return number.to_bytes(12, "little")


def tokens_bytes(count: int) -> int:
    """Returns the encrypted size of `count` tokens."""
    return START_BYTES + 4 * count + TAG_BYTES


def file_bytes(part: CopiedState) -> int:
    """Returns the bytes that a part takes in a file."""
    return segment_bytes(len(part.tokens) - part.start, len(part.state))


def segment_bytes(count: int, state_bytes: int) -> int:
    chunks = -(-state_bytes // CHUNK_BYTES)
    return HEADER.size + tokens_bytes(count) + state_bytes + chunks * TAG_BYTES
