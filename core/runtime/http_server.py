"""Shared by our HTTP servers: a log without people's text, the URLs of a server, and advice when it cannot listen."""

from __future__ import annotations

import errno
import logging
import os

import structlog

from core.errors import ConfigError

log = structlog.get_logger()

# A wildcard address, and the loopback address by which this machine reaches its listener.
LOOPBACK_OF_WILDCARD = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}


class RequestTextFilter(logging.Filter):
    """Replaces aiohttp's record of a malformed request, whose first line may be a prompt, by the kind of error."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        log.info("malformed_request", kind=kind.__name__ if kind else record.levelname)
        return False


def build_protocol_logger() -> logging.Logger:
    """Returns the logger that aiohttp's servers of this service use."""
    logger = logging.getLogger("core.protocol")
    logger.filters[:] = [RequestTextFilter()]
    return logger


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


def listen_error(exc: OSError, host: str, port: int, host_variable: str, port_variable: str) -> ConfigError:
    """Translates the failure to listen on an address. The message says what the operator can do."""
    if exc.errno == errno.EADDRINUSE:
        return ConfigError(f"port {port} on {host} is in use: stop what uses it, or set {port_variable} to another one")
    if exc.errno == errno.EACCES:
        return ConfigError(f"port {port} may not be used by this account: set {port_variable} to one above 1023")
    reason = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc.strerror
    return ConfigError(f"cannot listen on {host}, port {port}: {reason}; check {host_variable} and {port_variable}")
