"""The request by which a bot gets its token from Microsoft, for each kind of credential. Sends nothing.

Sources: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (secret, federated),
https://learn.microsoft.com/entra/identity-platform/certificate-credentials (certificate),
https://learn.microsoft.com/azure/app-service/overview-managed-identity and
https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token (managed identity).
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from core.configuration.platform_sections import TeamsSettings
from core.errors import ConfigError
from core.microsoft_clouds import choose_endpoints

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE_S = 300
FILE_LIMIT_BYTES = 1 << 16
DEFAULT_SUFFIX = "/.default"
# The metadata service of a virtual machine, which only the machine itself reaches.
MACHINE_IDENTITY_URL = "http://169.254.169.254/metadata/identity/oauth2/token"
MACHINE_IDENTITY_VERSION = "2018-02-01"
APP_SERVICE_VERSION = "2019-08-01"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None


def check_credential(settings: TeamsSettings) -> None:
    """Raises ConfigError unless exactly one credential is configured, and its files can be used."""
    if settings.missing:
        raise ConfigError(f"{settings.missing} is not set: see docs/teams.md")
    if surplus := settings.surplus_credential:
        raise ConfigError(
            f"{surplus} is set, but the bot logs in by {settings.credential_kind}: unset {surplus}, or choose the "
            "other credential by TEAMS_CREDENTIAL"
        )
    if settings.credential_kind == "certificate":
        read_certificate(Path(settings.certificate or ""))
    elif settings.credential_kind == "federated":
        read_federated_token(Path(settings.federated_token_file or ""))


def discovery_url(authority: str) -> str | None:
    """Returns the discovery document of an AD FS, which names its `token_endpoint`. None for other authorities."""
    return f"{authority}/.well-known/openid-configuration" if authority.endswith("/adfs") else None


def build_authority(settings: TeamsSettings) -> str:
    """Returns the URL at which the bot logs in. A login URL with a path, such as an AD FS's, is used as it is."""
    login = choose_endpoints(settings).login_url.rstrip("/")
    return login if urlsplit(login).path.strip("/") else f"{login}/{settings.tenant_id}"


def build_token_url(authority: str) -> str:
    """Returns the token endpoint of an authority without a discovery document."""
    return f"{authority}/oauth2/v2.0/token"


def build_scope(settings: TeamsSettings) -> str:
    """Returns the scope in the form that a token request needs."""
    return choose_endpoints(settings).oauth_scope.removesuffix(DEFAULT_SUFFIX) + DEFAULT_SUFFIX


def build_token_request(settings: TeamsSettings, token_url: str) -> TokenRequest:
    """Builds the request for a token. Reads the credential's file each time, because both files are replaced.

    Raises ConfigError. `token_url` is not used by a managed identity.
    """
    if settings.credential_kind == "managed_identity":
        return build_identity_request(settings)
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.app_id or "",
        "scope": build_scope(settings),
        **build_proof(settings, token_url),
    }
    return TokenRequest("POST", token_url, form=form)


def build_proof(settings: TeamsSettings, token_url: str) -> dict[str, str]:
    """Builds the fields that prove the bot's identity."""
    if settings.credential_kind == "secret":
        password = settings.app_password
        return {"client_secret": password.get_secret_value() if password else ""}
    if settings.credential_kind == "federated":
        assertion = read_federated_token(Path(settings.federated_token_file or ""))
    else:
        assertion = sign_assertion(Path(settings.certificate or ""), settings.app_id or "", token_url)
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


def build_identity_request(settings: TeamsSettings) -> TokenRequest:
    """Builds the request to App Service's own endpoint if there is one, else to the virtual machine's."""
    query = {"resource": build_scope(settings).removesuffix(DEFAULT_SUFFIX), "client_id": settings.app_id or ""}
    if settings.identity_endpoint and settings.identity_header:
        url, version = settings.identity_endpoint, APP_SERVICE_VERSION
        headers = {"X-IDENTITY-HEADER": settings.identity_header.get_secret_value()}
    else:
        url, version, headers = MACHINE_IDENTITY_URL, MACHINE_IDENTITY_VERSION, {"Metadata": "true"}
    return TokenRequest("GET", f"{url}?{urlencode({'api-version': version, **query})}", headers)


def sign_assertion(file: Path, app_id: str, audience: str) -> str:
    """Signs the claim to be the app with the key of its certificate."""
    key, certificate = read_certificate(file)
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": app_id,
        "sub": app_id,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + ASSERTION_LIFE_S,
    }
    return jwt.encode(claims, key, algorithm="PS256", headers={"x5t#S256": thumbprint(certificate)})


def thumbprint(certificate: x509.Certificate) -> str:
    """Returns the SHA-256 of the certificate's DER form in Base64url."""
    return base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()


def read_certificate(file: Path) -> tuple[RSAPrivateKey, x509.Certificate]:
    """Reads a PEM file with a certificate and its RSA key. Raises ConfigError."""
    pem = read_file(file, "TEAMS_CERTIFICATE")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
        certificate = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError) as exc:  # TypeError: the key is encrypted
        raise ConfigError(
            f"TEAMS_CERTIFICATE: {file} does not hold a certificate and its private key without a password, in PEM form"
        ) from exc
    if not isinstance(key, RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise ConfigError(f"TEAMS_CERTIFICATE: the private key in {file} is not the RSA key of its first certificate")
    return key, certificate


def read_federated_token(file: Path) -> str:
    """Reads the token of another identity provider, such as Kubernetes'. Raises ConfigError."""
    try:
        token = read_file(file, "AZURE_FEDERATED_TOKEN_FILE").decode("ascii").strip()
    except UnicodeDecodeError as exc:
        raise ConfigError(f"AZURE_FEDERATED_TOKEN_FILE: {file} does not hold a token") from exc
    if not token or not token.isprintable():
        raise ConfigError(f"AZURE_FEDERATED_TOKEN_FILE: {file} does not hold a token")
    return token


def read_file(file: Path, variable: str) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(FILE_LIMIT_BYTES)
    except OSError as exc:
        raise ConfigError(f"{variable}: {file}: {exc.strerror}") from exc
