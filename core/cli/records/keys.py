"""`csps-llm records rotate-key`: makes a new key for people's texts, and encrypts all of them with it.

The service may run meanwhile: processes read the file again when it changes. Old keys move to a file beside it, because
backups made before still need them.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet

from core.cli.records.session import RecordsSession, run
from core.configuration import settings
from core.errors import ConfigError, StorageError
from core.records.encrypting import encrypt_all
from core.runtime.atomic_files import write_atomically
from core.storage import encryption
from core.storage.encryption import FILE_VARIABLE, KEY_VARIABLE, fingerprint_of, parse_keys

RETIRED = ".retired"


def rotate() -> None:
    """Raises ConfigError if no key is set, StorageError."""
    loaded = settings.load()
    if loaded.records.key:
        run(encrypt_with_first)
        return
    if not loaded.records.key_file:
        raise ConfigError(f"{FILE_VARIABLE} is not set: name the file that the key is to be written to")
    file = loaded.data_folder / loaded.records.key_file
    is_first = not file.exists()
    if is_first:
        write_keys(file, [new_key()])
    try:
        run(encrypt_with_first if is_first else rotate_file)
    except ConfigError:
        if is_first:
            file.unlink()  # the database is encrypted with a key that is to be restored
        raise


async def encrypt_with_first(session: RecordsSession) -> None:
    """Encrypts with the first key that is set, which the operator put there."""
    keys = session.database.keys
    assert keys
    await session.enter("rotate key", f"key {keys.fingerprints[0]}")
    count = await encrypt_all(session.database, keys)
    session.print("cli-records-encrypted", count=count, key=keys.fingerprints[0])
    if len(keys.fingerprints) > 1:
        session.print("cli-records-remove-old-keys", variable=KEY_VARIABLE)


async def rotate_file(session: RecordsSession) -> None:
    keys = session.database.keys
    assert keys
    assert keys.file
    file, key = keys.file, new_key()
    old = parse_keys(file.read_text(encoding="ascii"))
    await session.enter("rotate key", f"key {fingerprint_of(key)}")
    write_keys(file, [key, *old])
    await session.database.write(lambda db: encryption.add_key(db, fingerprint_of(key)))
    count = await encrypt_all(session.database, keys)
    retired = file.with_name(file.name + RETIRED)
    write_keys(retired, [*old, *(parse_keys(retired.read_text(encoding="ascii")) if retired.exists() else [])])
    write_keys(file, [key])
    session.print("cli-records-encrypted", count=count, key=fingerprint_of(key))
    session.print("cli-records-retired-keys", file=str(retired))


def new_key() -> str:
    return Fernet.generate_key().decode("ascii")


def write_keys(file: Path, keys: list[str]) -> None:
    try:
        write_atomically(file, "".join(f"{key}\n" for key in keys).encode("ascii"), durable=True)
    except OSError as exc:
        raise StorageError(f"{file}: {exc.strerror}; the key was not changed") from exc
