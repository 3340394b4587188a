"""The addresses of HTTP servers. Imports no HTTP library: `up` needs them before it starts the first process."""

from __future__ import annotations

# A wildcard address, and the loopback address by which this machine reaches its listener.
LOOPBACK_OF_WILDCARD = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}


def base_url(host: str, port: int | str) -> str:
    """Returns `http://host:port`. An IPv6 address may come with or without brackets."""
    host = host.strip("[]")
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def listen_url(host: str, port: int) -> str:
    """Returns the URL of a server's root, with a wildcard host as it is: it appears in logs."""
    return f"{base_url(host, port)}/"


def reachable_url(host: str, port: int | str) -> str:
    """Returns the base URL by which this machine reaches a server on `host`: a wildcard becomes the loopback."""
    host = host.strip("[]")
    return base_url(LOOPBACK_OF_WILDCARD.get(host, host), port)


def is_local(host: str) -> bool:
    """Tells whether this machine reaches a server on `host` by its loopback."""
    return LOOPBACK_OF_WILDCARD.get(host, host) in LOOPBACK_HOSTS
