"""The Ed25519 key with which this service signs exports and proofs. Made at its first use, in the data folder."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.errors import ConfigError, StorageError
from core.runtime.atomic_files import write_atomically

FILE = "records-signing-key.pem"


def load_signing_key(data_folder: Path) -> Ed25519PrivateKey:
    """Raises StorageError if the key cannot be stored, ConfigError if its file has no such key."""
    path = data_folder / FILE
    try:
        if not path.exists():
            write_atomically(path, private_pem(Ed25519PrivateKey.generate()), durable=True)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as exc:
        raise StorageError(f"{path}: {exc.strerror}; check the disk and the permissions") from exc
    except ValueError as exc:
        raise ConfigError(f"{path}: not a private key; restore it from a backup, or move it away") from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path}: not an Ed25519 key; restore it from a backup, or move it away")
    return key


def private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def is_signed(public_key: bytes, signature: bytes, content: bytes) -> bool:
    try:
        key = serialization.load_pem_public_key(public_key)
    except ValueError:
        return False
    if not isinstance(key, Ed25519PublicKey):
        return False
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
