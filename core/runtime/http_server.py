"""Shared by our HTTP servers: start and stop, `/metrics`, and a log without people's text."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest

from core.contract import Usage
from core.errors import ConfigError
from core.runtime.http_protocol import BuildRefusal, StrictRunner, problem_response

log = structlog.get_logger()


class RequestTextFilter(logging.Filter):
    """Replaces aiohttp's record of a malformed request, whose first line may be a prompt, by the kind of error.

    Records of other errors pass: they are defects of a handler, and their messages are withheld (`core.runtime.log`).
    """

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        if kind is None or not issubclass(kind, HttpProcessingError):
            return True
        log.info("request_malformed", kind=kind.__name__)
        return False


def build_protocol_logger() -> logging.Logger:
    """Returns the logger that aiohttp's servers of this service use."""
    logger = logging.getLogger("core.protocol")
    logger.filters[:] = [RequestTextFilter()]
    return logger


def listen_error(exc: OSError, host: str, port: int, host_variable: str, port_variable: str) -> ConfigError:
    """Translates the failure to listen on an address. The message says what the operator can do."""
    if exc.errno == errno.EADDRINUSE:
        return ConfigError(f"port {port} on {host} is in use: stop what uses it, or set {port_variable} to another one")
    if exc.errno == errno.EACCES:
        return ConfigError(f"port {port} may not be used by this account: set {port_variable} to one above 1023")
    reason = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc.strerror
    return ConfigError(f"cannot listen on {host}, port {port}: {reason}; check {host_variable} and {port_variable}")


Site = TypeVar("Site", bound=web.BaseSite)


@asynccontextmanager
async def serve_app(
    app: web.Application,
    build_site: Callable[[web.AppRunner], Site],
    translate: Callable[[OSError], ConfigError],
    build_refusal: BuildRefusal = problem_response,
    **options: Any,
) -> AsyncIterator[Site]:
    """Serves `app` while the block runs; yields the site, which has the real port where 0 was asked for.

    `build_refusal` builds the response to a malformed request. `options` are those of aiohttp's AppRunner. No request
    is logged: a query or a malformed line may be a prompt. Raises `translate`'s error if the address cannot be listened
    on.
    """
    runner = StrictRunner(app, build_refusal, access_log=None, logger=build_protocol_logger(), **options)
    await runner.setup()
    try:
        site = build_site(runner)
        try:
            await site.start()
        except OSError as exc:
            raise translate(exc) from exc
        yield site
    finally:
        await runner.cleanup()


def metrics_response(registry: CollectorRegistry) -> web.Response:
    """Answers GET /metrics."""
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def count_tokens(tokens: Counter, usage: Usage) -> None:
    """Adds `usage` to a counter whose label is the kind of token."""
    tokens.labels("prompt").inc(usage.prompt_tokens)
    tokens.labels("completion").inc(usage.completion_tokens)
    tokens.labels("cached").inc(usage.cached_tokens)
