"""A signed ZIP file: its manifest has the SHA-256 of each file, and an Ed25519 signature covers the manifest.

Whoever has the public key of the service, or trusts the one in the file, can tell that nothing was changed, added or
removed since. Knows nothing of what is in the files.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.records.signing_key import is_signed, public_pem

MANIFEST, SIGNATURE, PUBLIC_KEY = "manifest.json", "manifest.sig", "public_key.pem"
OWN_FILES = (MANIFEST, SIGNATURE, PUBLIC_KEY)
CHUNK_BYTES = 1024 * 1024
MANIFEST_LIMIT_BYTES = 64 * 1024 * 1024


class ArchiveWriter:
    """Writes files one after another; `finish` adds the manifest and its signature."""

    def __init__(self, path: Path, key: Ed25519PrivateKey) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._key = key
        self._digests: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        self._zip.writestr(name, content)
        self._digests[name] = hashlib.sha256(content).hexdigest()

    def add_file(self, name: str, path: Path) -> None:
        """Copies a file that may be larger than memory."""
        self._zip.write(path, name)
        with path.open("rb") as file:
            self._digests[name] = hashlib.file_digest(file, "sha256").hexdigest()

    def finish(self, description: Mapping[str, Any]) -> None:
        manifest = json.dumps({**description, "files": self._digests}, ensure_ascii=False, indent=1).encode()
        self._zip.writestr(MANIFEST, manifest)
        self._zip.writestr(SIGNATURE, self._key.sign(manifest).hex())
        self._zip.writestr(PUBLIC_KEY, public_pem(self._key))
        self._zip.close()

    def abandon(self) -> None:
        self._zip.close()


@dataclass(frozen=True, slots=True)
class Verification:
    """`problem`: a file that is changed, missing or added, or MANIFEST for its signature; None: the file is genuine.

    `key`: the SHA-256 of the public key in the file, by which the service is recognised.
    """

    problem: str | None
    key: str = ""
    manifest: Mapping[str, Any] | None = None


def verify(path: Path) -> Verification:
    """Raises OSError, zipfile.BadZipFile."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for name in OWN_FILES:
            if names.count(name) != 1 or archive.getinfo(name).file_size > MANIFEST_LIMIT_BYTES:
                return Verification(name)
        manifest, public_key = archive.read(MANIFEST), archive.read(PUBLIC_KEY)
        key = hashlib.sha256(public_key).hexdigest()
        if not is_signed(public_key, read_signature(archive), manifest):
            return Verification(MANIFEST, key)
        content = json.loads(manifest)
        return Verification(find_changed(archive, content["files"]), key, content)


def read_signature(archive: zipfile.ZipFile) -> bytes:
    try:
        return bytes.fromhex(archive.read(SIGNATURE).decode("ascii"))
    except ValueError:
        return b""


def find_changed(archive: zipfile.ZipFile, digests: Mapping[str, str]) -> str | None:
    """The first file that is changed, missing, added or twice there."""
    names = [name for name in archive.namelist() if name not in OWN_FILES]
    for name in sorted({*names, *digests}):
        if names.count(name) != 1 or name not in digests or digest_of(archive, name) != digests[name]:
            return name
    return None


def digest_of(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    try:
        with archive.open(name) as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    except zipfile.BadZipFile:  # its CRC does not match
        return ""
    return digest.hexdigest()
