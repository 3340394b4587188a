"""Encrypts the columns that hold people's words, where the operator set a key. Queries do not change.

A stored text is PREFIX, the key's fingerprint and a Fernet token (AES-128-CBC with HMAC-SHA256,
https://github.com/fernet/spec). Empty texts and empty JSON stay as they are, so that queries can compare with them.
The value "encryption" of the database names the keys that its texts may need; a process without them does not start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken

from core.errors import ConfigError, StorageError
from core.storage import state

PREFIX = "\x02"  # people's texts may begin with it as well: see `store_plain`
FINGERPRINT_CHARS = 16
EMPTY = ("", "{}", "[]")
STATE = "encryption"
FILE_VARIABLE, KEY_VARIABLE = "RECORDS_KEY_FILE", "RECORDS_KEY"


class KeyRing:
    """The keys of a process: the first encrypts, all of them decrypt. `file`: read again when it changes.

    `variable`: the setting that error messages name.
    """

    def __init__(self, variable: str, read: Callable[[], str], file: Path | None = None) -> None:
        """Raises ConfigError."""
        self.file = file
        self._variable = variable
        self._read = read
        self._seen = self._signature()
        self._keys = self._load()

    @classmethod
    def from_file(cls, file: Path) -> KeyRing:
        def read() -> str:
            try:
                return file.read_text(encoding="ascii")
            except FileNotFoundError as exc:
                raise ConfigError(
                    f"{FILE_VARIABLE}: there is no file {file}; restore it, or make the first key with"
                    " csps-llm records rotate-key"
                ) from exc
            except (OSError, UnicodeDecodeError) as exc:
                raise ConfigError(f"{FILE_VARIABLE}: {file} cannot be read as lines of keys") from exc

        return cls(FILE_VARIABLE, read, file)

    @classmethod
    def from_text(cls, keys: str) -> KeyRing:
        return cls(KEY_VARIABLE, lambda: keys)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The first is that of the key that encrypts."""
        return tuple(self._keys)

    @property
    def prefix(self) -> str:
        """The beginning of each text that the first key encrypted."""
        self._reload_changed()
        return f"{PREFIX}{self.fingerprints[0]}:"

    def encrypt(self, text: str) -> str:
        prefix = self.prefix
        token = next(iter(self._keys.values())).encrypt(text.encode("utf-8", "surrogatepass"))
        return prefix + token.decode("ascii")

    def decrypt(self, stored: str) -> str:
        """Raises StorageError for a text of another key, and for one that was changed."""
        fingerprint, _, token = stored.removeprefix(PREFIX).partition(":")
        if fingerprint not in self._keys:
            self._reload_changed()
        if fingerprint not in self._keys:
            raise StorageError(f"a text is encrypted with a key that {self._variable} does not have")
        try:
            return self._keys[fingerprint].decrypt(token).decode("utf-8", "surrogatepass")
        except InvalidToken as exc:
            raise StorageError("an encrypted text was changed in the database and cannot be read") from exc

    def _reload_changed(self) -> None:
        if self.file and (seen := self._signature()) != self._seen:
            self._seen = seen
            self._keys = self._load()

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            found = self.file.stat() if self.file else None
        except OSError:  # while it is replaced
            return None
        return found and (found.st_mtime_ns, found.st_ino, found.st_size)

    def _load(self) -> dict[str, Fernet]:
        keys = parse_keys(self._read())
        if not keys:
            raise ConfigError(f"{self._variable}: there is no key; make one with csps-llm records rotate-key")
        try:
            return {fingerprint_of(key): Fernet(key) for key in keys}
        except ValueError as exc:
            raise ConfigError(f"{self._variable}: expected keys of 32 bytes in URL-safe base64, one a line") from exc


def parse_keys(text: str) -> list[str]:
    return [key for line in text.splitlines() for key in (part.strip() for part in line.split(",")) if key]


def fingerprint_of(key: str) -> str:
    return hashlib.sha256(f"csps-llm records key {key}".encode()).hexdigest()[:FINGERPRINT_CHARS]


KEYS: WeakKeyDictionary[sa.Dialect, KeyRing] = WeakKeyDictionary()  # by the dialect of each database in this process


def use_keys(dialect: sa.Dialect, keys: KeyRing | None) -> None:
    if keys:
        KEYS[dialect] = keys


class EncryptedText(sa.TypeDecorator[str]):
    """A text of people, encrypted where the database has keys."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        if value is None or value in EMPTY:
            return value
        keys = KEYS.get(dialect)
        return keys.encrypt(value) if keys else store_plain(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Raises StorageError if the value cannot be decrypted."""
        if value is None or not value.startswith(PREFIX):
            return value
        keys = KEYS.get(dialect)
        if keys is None:
            raise StorageError(f"the database's texts are encrypted: set {FILE_VARIABLE} and restart this process")
        return keys.decrypt(value)


def store_plain(value: str) -> str:
    """Removes a control character that would make a person's text look encrypted."""
    return value.lstrip(PREFIX)


def require_keys(db: sa.Connection, keys: KeyRing | None) -> None:
    """Records the key that will encrypt. Raises ConfigError if texts may need a key that this process lacks."""
    stored: dict[str, Any] = state.load(db, STATE) or {"keys": [], "pending": False}
    if keys is None:
        if stored["keys"]:
            raise ConfigError(
                f"{FILE_VARIABLE} is not set, and this database's texts are encrypted: name the file with their key"
            )
        return
    if missing := [each for each in stored["keys"] if each not in keys.fingerprints]:
        raise ConfigError(
            f"{FILE_VARIABLE} or {KEY_VARIABLE}: the key with which this database's texts are encrypted is missing"
            f" (fingerprint {missing[0]}); add it after the new one"
        )
    if keys.fingerprints[0] not in stored["keys"]:
        add_key(db, keys.fingerprints[0])


def add_key(db: sa.Connection, fingerprint: str) -> None:
    """Records a key before texts are encrypted with it; older texts are to be encrypted again."""
    stored = state.load_locked(db, STATE, {"keys": [], "pending": False})
    keys = [fingerprint, *(each for each in stored["keys"] if each != fingerprint)]
    state.store(db, STATE, {"keys": keys, "pending": True})


def is_pending(db: sa.Connection) -> bool:
    stored = state.load(db, STATE)
    return bool(stored and stored["pending"])


def finish(db: sa.Connection, fingerprints: Sequence[str]) -> None:
    """Records that all texts are encrypted with these keys alone."""
    state.store(db, STATE, {"keys": list(fingerprints), "pending": False})
