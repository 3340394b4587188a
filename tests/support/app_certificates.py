"""Writes self-signed certificates by which an app proves its identity."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class AppCertificate:
    file: Path
    certificate: x509.Certificate
    key_pem: bytes
    certificate_pem: bytes


def write_certificate(file: Path, password: bytes | None = None) -> AppCertificate:
    """Writes the key and then the certificate, as Azure Key Vault exports them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whisper")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    encoding = serialization.Encoding.PEM
    key_pem = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, encryption)
    certificate_pem = certificate.public_bytes(encoding)
    file.write_bytes(key_pem + certificate_pem)
    return AppCertificate(file, certificate, key_pem, certificate_pem)
