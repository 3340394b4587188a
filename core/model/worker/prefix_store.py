"""Saves the computed prefixes of personalities to disk, so that a restarted process need not compute them again.

A file must carry the fingerprint of the model that computed it and a valid checksum, because llama.cpp accepts some
corrupt states. A corrupt file is deleted with a log line, and its prefix is computed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from core.runtime.atomic_files import write_atomically

log = structlog.get_logger()

MAGIC = b"csps-llm prefix 2\n"  # version 1 may hold callers' text; its files are deleted
DIGEST_BYTES = 32


class PrefixStore:
    """A folder of at most `limit` prefix files. `fingerprint` identifies model, llama.cpp and context settings."""

    def __init__(self, folder: Path, fingerprint: str, limit: int) -> None:
        self._folder = folder
        self._fingerprint = hashlib.sha256(fingerprint.encode()).digest()
        self._limit = limit

    def save(self, tokens: NDArray[np.int32], state: NDArray[np.uint8]) -> None:
        """Writes a prefix. A write error, such as a full disk, only logs a warning."""
        body = self._fingerprint + len(tokens).to_bytes(4, "little") + tokens.astype("<i4").tobytes() + state.tobytes()
        path = self._folder / f"{hashlib.sha256(self._fingerprint + tokens.tobytes()).hexdigest()[:32]}.prefix"
        try:
            write_atomically(path, MAGIC + hashlib.sha256(body).digest() + body)
            for old in self._newest_first()[self._limit :]:
                old.unlink(missing_ok=True)
        except OSError as exc:
            log.warning("prefix_save_failed", problem=exc.strerror)

    def load(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.uint8]]]:
        """Yields (tokens, state) of each prefix that this model computed, newest first."""
        for path in self._newest_first():
            try:
                entry = self._read(path)
            except OSError as exc:
                log.warning("prefix_read_failed", file=path.name, problem=exc.strerror)
                continue
            if entry is not None:
                yield entry

    def _read(self, path: Path) -> tuple[NDArray[np.int32], NDArray[np.uint8]] | None:
        data = path.read_bytes()
        head = len(MAGIC) + DIGEST_BYTES
        body = data[head:]
        if data[: len(MAGIC)] != MAGIC or hashlib.sha256(body).digest() != data[len(MAGIC) : head]:
            log.warning("prefix_corrupt", file=path.name)
            path.unlink(missing_ok=True)
            return None
        if body[:DIGEST_BYTES] != self._fingerprint:
            return None  # another model's file; pruning removes it once it is the oldest
        start = DIGEST_BYTES + 4
        end = start + 4 * int.from_bytes(body[DIGEST_BYTES:start], "little")
        tokens = np.frombuffer(body[start:end], "<i4").astype(np.int32)
        return tokens, np.frombuffer(body[end:], np.uint8)

    def _newest_first(self) -> list[Path]:
        files = [p for p in self._folder.glob("*.prefix") if p.is_file()]
        return sorted(files, key=lambda p: p.stat().st_mtime, reverse=True)
