"""The secret key of a data folder, and the names that it gives to models and conversations.

A name is an HMAC, so a listing of the folder reveals neither models nor conversations, and nobody can tell whether a
given conversation is there.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from core.runtime.atomic_files import write_atomically

log = structlog.get_logger()

KEY_FILE = "key"
KEY_BYTES = 32
NAME_BYTES = 16
KEY_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class StateKey:
    """Derives names and encryption keys from the folder's secret."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """The beginning of the names of all folders that this key can read."""
        return self._derive("key id", b"")[:KEY_ID_BYTES].hex()

    def folder_name(self, identity: str) -> str:
        """Returns the name of the folder for the states of one model with its settings."""
        return f"{self.id}-{self._derive('model', identity.encode())[:NAME_BYTES].hex()}"

    def file_name(self, conversation: str) -> str:
        return self._derive("conversation", conversation.encode("utf-8", "surrogatepass"))[:NAME_BYTES].hex()

    def segment_key(self, salt: bytes) -> bytes:
        """Returns the AES key of one segment: with a key of its own its nonces may count from 0."""
        return self._derive("segment", salt)

    def _derive(self, purpose: str, data: bytes) -> bytes:
        return hmac.digest(self.secret, purpose.encode() + b"\0" + data, hashlib.sha256)


def load_key(folder: Path) -> StateKey:
    """Returns the folder's key, which it makes if there is none or if it is damaged. Raises OSError.

    A lock on the folder lets processes that start at the same time agree on one key.
    """
    path = folder / KEY_FILE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        secret = read_secret(path)
        if secret is None:
            if os.path.lexists(path):
                log.warning("suspended_key_damaged")
                if path.is_dir() and not path.is_symlink():  # as containers make for a file that is not there
                    path.rmdir()
            secret = secrets.token_bytes(KEY_BYTES)
            write_atomically(path, secret, durable=True)  # a key that a power cut loses would lose every state
    finally:
        os.close(descriptor)
    return StateKey(secret)


def read_secret(path: Path) -> bytes | None:
    """Returns the secret; None if the file is missing, a link, not a plain file, or of another length."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as exc:
        if isinstance(exc, PermissionError):
            raise
        return None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        if status.st_mode & 0o077:
            log.warning("suspended_key_was_readable", mode=oct(stat.S_IMODE(status.st_mode)))
            os.fchmod(descriptor, 0o600)
        secret = file.read(KEY_BYTES + 1)
    return secret if len(secret) == KEY_BYTES else None
