"""Opens the database of the settings, with the keys of its texts."""

from __future__ import annotations

from core.configuration.settings import Settings
from core.errors import ConfigError
from core.storage.database import Database
from core.storage.encryption import FILE_VARIABLE, KEY_VARIABLE, KeyRing


def open_database(settings: Settings) -> Database:
    """Raises ConfigError, StorageError."""
    return Database(settings.database_url, find_keys(settings))


def find_keys(settings: Settings) -> KeyRing | None:
    """None: texts are stored as they are. Raises ConfigError for a key that is missing or none."""
    records = settings.records
    if records.key and records.key_file:
        raise ConfigError(f"{FILE_VARIABLE} and {KEY_VARIABLE} are both set: keep one of them")
    if records.key_file:
        return KeyRing.from_file(settings.data_folder / records.key_file)
    return KeyRing.from_text(records.key.get_secret_value()) if records.key else None
