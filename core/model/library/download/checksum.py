"""The checksums that the hub states: sha256 of large files (LFS), git's blob id of small ones."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal, Protocol

SHA256 = re.compile(r"[0-9a-f]{64}")
GIT_BLOB_ID = re.compile(r"[0-9a-f]{40}")


class Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...
    def copy(self) -> Hasher: ...


@dataclass(frozen=True, slots=True)
class Checksum:
    algorithm: Literal["sha256", "git"]
    digest: str  # hexadecimal, lower case

    def hasher(self, size_bytes: int) -> Hasher:
        """Returns a hasher for a file of this size whose `hexdigest` is compared with `digest`."""
        if self.algorithm == "sha256":
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)


def parse_sha256(value: object) -> Checksum | None:
    return Checksum("sha256", value) if isinstance(value, str) and SHA256.fullmatch(value) else None


def parse_blob_id(value: object) -> Checksum | None:
    return Checksum("git", value) if isinstance(value, str) and GIT_BLOB_ID.fullmatch(value) else None


def parse_etag(value: str | None) -> Checksum | None:
    """Returns the checksum in an ETag of the hub: quoted, perhaps weak (`W/"…"`); None for another server's ETag."""
    plain = normalize_etag(value)
    return parse_sha256(plain) or parse_blob_id(plain)


def normalize_etag(value: str | None) -> str:
    return (value or "").removeprefix("W/").strip('"')
