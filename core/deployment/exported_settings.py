"""Turns loaded settings back into environment variables, secrets apart from the others.

A setting is exported if it differs from the shipped default, wherever it was set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from core.configuration.settings import Settings, variable_of, variables

# They hold a password wherever they are useful.
ALWAYS_SECRET = frozenset({"DATABASE_URL", "HF_TOKEN", "OTEL_EXPORTER_OTLP_HEADERS"})
# Azure sets them in each machine or pod; those of another one are wrong.
SET_BY_PLATFORM = frozenset({"AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"})
# They are no settings of ours, and the service reads them.
INHERITED = (
    *("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"),
    *("HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_TOKEN"),
    *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME"),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """Variables by name. `secrets` may reach no file that others read."""

    public: Mapping[str, str]
    secrets: Mapping[str, str]


def export_settings(
    settings: Settings, defaults: Settings, environ: Mapping[str, str], keys: Iterable[str] = ()
) -> Environment:
    """`defaults`: the shipped settings. `keys`: further variables of secrets, such as those of engines."""
    public: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for section, key, field in variables():
        name, value = variable_of(field), getattr(getattr(settings, section), key)
        if name in SET_BY_PLATFORM or value == getattr(getattr(defaults, section), key):
            continue
        text = format_value(value)
        (secrets if is_secret(name, text, field) else public)[name] = text
    for name in INHERITED:
        if text := environ.get(name, ""):
            (secrets if is_secret(name, text) else public)[name] = text
    for name in keys:
        secrets[name] = environ.get(name, "")
    return Environment(public, secrets)


def is_secret(name: str, value: str, field: FieldInfo | None = None) -> bool:
    """True for keys and passwords, and for each address with a password in it."""
    is_typed = field is not None and SecretStr in get_args(field.annotation)
    return is_typed or name in ALWAYS_SECRET or contains_password(value)


def contains_password(value: str) -> bool:
    try:
        return any(urlsplit(part.strip()).password is not None for part in value.split(","))
    except ValueError:  # not an address
        return False


def format_value(value: Any) -> str:
    """A value as an environment variable gives it; `core.configuration.setting_types` reads it back."""
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return "true" if value else "false"
        case tuple():
            return ",".join(value)
        case dict():
            return ",".join(f"{key}={name}" for key, name in value.items())
    return str(value)
