"""What our HTTP servers share: nothing that people wrote in the logs, and help where an address cannot be had."""

from __future__ import annotations

import errno
import logging
import os

import structlog

from core.errors import ConfigError

log = structlog.get_logger()


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


def url_of(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def cannot_listen(exc: OSError, host: str, port: int, host_variable: str, port_variable: str) -> ConfigError:
    """Why the address cannot be listened on, and what to do."""
    if exc.errno == errno.EADDRINUSE:
        return ConfigError(f"port {port} on {host} is in use: stop what uses it, or set {port_variable} to another one")
    if exc.errno == errno.EACCES:
        return ConfigError(f"port {port} may not be used by this account: set {port_variable} to one above 1023")
    words = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc.strerror
    return ConfigError(f"cannot listen on {host}, port {port}: {words}; check {host_variable} and {port_variable}")
