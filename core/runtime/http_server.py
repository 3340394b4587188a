"""What our HTTP servers share: nothing that people wrote in the logs, where they are reached, and help where an address
cannot be had."""

from __future__ import annotations

import errno
import logging
import os

import structlog

from core.errors import ConfigError

log = structlog.get_logger()

EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to reach who listens there
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class WithoutText(logging.Filter):
    """aiohttp logs a malformed request with its first line, which may be a prompt: only the kind of error passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        log.info("malformed_request", kind=kind.__name__ if kind else record.levelname)
        return False


def protocol_logger() -> logging.Logger:
    logger = logging.getLogger("core.protocol")
    logger.filters[:] = [WithoutText()]
    return logger


def base_of(host: str, port: int | str) -> str:
    """The beginning of a URL; an IPv6 address may come in brackets or without."""
    host = host.strip("[]")
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def url_of(host: str, port: int) -> str:
    return f"{base_of(host, port)}/"


def reached_at(host: str, port: int | str) -> str:
    """`base_of` as this machine reaches what listens on `host`: a wildcard address on the loopback."""
    host = host.strip("[]")
    return base_of(EVERYWHERE.get(host, host), port)


def is_here(host: str) -> bool:
    """Whether what listens on `host` is reached on this machine's loopback."""
    return EVERYWHERE.get(host, host) in LOOPBACK


def cannot_listen(exc: OSError, host: str, port: int, host_variable: str, port_variable: str) -> ConfigError:
    """Why the address cannot be listened on, and what to do."""
    if exc.errno == errno.EADDRINUSE:
        return ConfigError(f"port {port} on {host} is in use: stop what uses it, or set {port_variable} to another one")
    if exc.errno == errno.EACCES:
        return ConfigError(f"port {port} may not be used by this account: set {port_variable} to one above 1023")
    words = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc.strerror
    return ConfigError(f"cannot listen on {host}, port {port}: {words}; check {host_variable} and {port_variable}")
