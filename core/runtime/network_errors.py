"""Explains httpx's errors to the operator. Knows neither the caller nor the purpose of the request."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping

import httpx

from core.contract import Language
from core.errors import CspsError
from core.texts import text

CAUSE_KEYS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "untrusted"),
    (ssl.SSLError, "no_tls"),
    (socket.gaierror, "unknown"),
    (ConnectionRefusedError, "refused"),
    (FileNotFoundError, "no_socket"),
)
TIMEOUT_KEYS: Mapping[type[httpx.RequestError], str] = {
    httpx.ConnectTimeout: "connect",
    httpx.ReadTimeout: "read",
    httpx.WriteTimeout: "write",
    httpx.PoolTimeout: "pool",
}


def explain(exc: httpx.RequestError, language: Language = "en") -> str:
    """Explains why a request failed, in a clause that can end a sentence."""
    host = failed_request(exc).url.host
    return text(f"error-network-{reason_key(exc)}", language, host=host, seconds=timeout_s(exc))


def explain_cause(error: CspsError, language: Language) -> str:
    """Explains the failed request that caused `error`; returns the message of `error` if there was none."""
    cause = error.__cause__
    return explain(cause, language) if isinstance(cause, httpx.RequestError) else error.message


def without_credentials(url: str) -> str:
    """Removes user name and password from a URL that is shown or logged."""
    return str(httpx.URL(url).copy_with(userinfo=b""))


def reason_key(exc: httpx.RequestError) -> str:
    """Returns the last part of a key `error-network-*`."""
    if isinstance(exc, httpx.UnsupportedProtocol):
        return "no_url"
    if isinstance(exc, httpx.TimeoutException):
        return "silent"
    if isinstance(exc, httpx.ConnectError):
        return next((key for cause in iter_causes(exc) for kind, key in CAUSE_KEYS if isinstance(cause, kind)), "away")
    if isinstance(exc, httpx.ProtocolError | httpx.DecodingError):
        return "closed" if "disconnected" in str(exc) else "no_http"
    return "closed"


def iter_causes(exc: BaseException) -> Iterator[BaseException]:
    """Yields the errors behind `exc`: httpx's error comes of httpcore's, then anyio's, then the system's."""
    cause = exc.__cause__ or exc.__context__
    if isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    if cause is not None:
        yield cause
        yield from iter_causes(cause)


def timeout_s(exc: httpx.RequestError) -> float:
    """Returns the timeout that was exceeded, as the caller set it; 0 if the caller set none."""
    timeouts: Mapping[str, float | None] = failed_request(exc).extensions.get("timeout", {})
    return timeouts.get(TIMEOUT_KEYS.get(type(exc), "")) or 0


def failed_request(exc: httpx.RequestError) -> httpx.Request:
    """Returns the request of `exc`, or an empty one if httpx failed before it built one."""
    try:
        return exc.request
    except RuntimeError:
        return httpx.Request("GET", "")
