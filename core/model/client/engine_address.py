"""The addresses of engines, from the settings and models.toml, and the HTTP connections to them.

A key comes from the environment. It is sent to its own engine only: redirects are not followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

from core.configuration.setting_types import sendable
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.model.client.engine_connection import TIMEOUT, EngineConnection
from core.model.client.engine_http import EngineHttp
from core.model.library.engine_entry import EngineEntry, label_of, strip_version
from core.openai.dialects import OWN_PROCESS, UNKNOWN, Feature, declared
from core.runtime.addresses import reachable_url

# The engine limits concurrency, not the client. Uvicorn (vLLM) and llama-server close idle connections after 5 s.
LIMITS = httpx.Limits(max_connections=None, keepalive_expiry=4)


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """An engine behind a URL. `preferred`: the model to take if the engine lists it, where `model` is None."""

    url: str
    key: SecretStr | None = field(default=None, repr=False)
    model: str | None = None
    preferred: str | None = None
    weight: float = 1.0
    enforces: tuple[Feature, ...] | None = None

    @property
    def label(self) -> str:
        """Host, port and path: the engine's name in messages, logs and metrics. Never a password."""
        return label_of(self.url)


def address_of(entry: EngineEntry, model_id: str, environ: Mapping[str, str]) -> EngineAddress:
    """Raises ConfigError if the variable of its key is not set, or is no key."""
    key = None
    if entry.key_env:
        if not environ.get(entry.key_env):
            raise ConfigError(f"{entry.key_env}, the key of {entry.label} for the model {model_id}, is not set")
        key = SecretStr(environ[entry.key_env])
        try:
            sendable(key)
        except ValueError as exc:
            raise ConfigError(f"{entry.key_env}: {exc}") from exc
    return EngineAddress(entry.url, key, entry.model, model_id, entry.weight, entry.enforces)


def connect(address: EngineAddress, window: int | None, timeout_s: float) -> EngineConnection:
    headers = {"Authorization": f"Bearer {address.key.get_secret_value()}"} if address.key else {}
    url = httpx.URL(strip_version(address.url))
    http = EngineHttp(
        base_url=url.copy_with(userinfo=b""),  # httpx logs the URLs of requests
        auth=httpx.BasicAuth(url.username, url.password) if url.userinfo else None,
        headers=headers,
        timeout=TIMEOUT,
        limits=LIMITS,
        follow_redirects=False,
    )
    assumed = UNKNOWN if address.enforces is None else declared(address.enforces)
    return EngineConnection(
        http, address.label, address.model, address.preferred, window, timeout_s=timeout_s, assumed=assumed
    )


def connect_local(settings: Settings) -> EngineConnection:
    """The connection to the model process of this machine: its Unix socket, or LLM_LISTEN."""
    model = settings.model
    headers = {"Authorization": f"Bearer {model.api_key.get_secret_value()}"} if model.api_key else {}
    options: dict[str, Any] = {"headers": headers, "timeout": TIMEOUT, "limits": LIMITS}
    if model.listen:
        http = httpx.AsyncClient(base_url=local_url(model.listen), trust_env=False, **options)
    else:
        transport = httpx.AsyncHTTPTransport(uds=str(settings.model_socket), limits=LIMITS)
        http = httpx.AsyncClient(base_url="http://model", transport=transport, **options)
    return EngineConnection(http, timeout_s=model.timeout_s, is_local=True, assumed=OWN_PROCESS)


def local_url(listen: str) -> str:
    """The URL of a server that listens on "host:port". A wildcard address is reached on the loopback."""
    host, _, port = listen.rpartition(":")
    return reachable_url(host, port)
