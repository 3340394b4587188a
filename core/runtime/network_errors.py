"""Why another program could not be reached, in words for whoever operates the service. Owns reading httpx's errors.

Knows neither who asked nor what for.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping

import httpx

from core.contract import Language
from core.errors import CspsError

WORDS: Mapping[str, tuple[str, str]] = {
    "no_url": (
        "its address has to begin with http:// or https://",
        "son adresse doit commencer par http:// ou https://",
    ),
    "unknown": ("{host} is not known to the DNS", "{host} est inconnu du DNS"),
    "refused": ("nothing listens there", "rien n'y écoute"),
    "no_socket": ("nothing listens there yet", "rien n'y écoute encore"),
    "untrusted": (
        "{host} has no certificate that can be trusted",
        "{host} n'a pas de certificat digne de confiance",
    ),
    "no_tls": ("no TLS is spoken there (https://)", "on n'y parle pas TLS (https://)"),
    "silent": ("it did not answer within {seconds:g} s", "pas de réponse en {seconds:g} s"),
    "no_http": ("what answers there does not speak HTTP", "ce qui y répond ne parle pas HTTP"),
    "closed": ("the connection was closed without an answer", "la connexion a été fermée sans réponse"),
    "away": ("there is no way to it from here", "aucun chemin n'y mène d'ici"),
}
OBSTACLES: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "untrusted"),
    (ssl.SSLError, "no_tls"),
    (socket.gaierror, "unknown"),
    (ConnectionRefusedError, "refused"),
    (FileNotFoundError, "no_socket"),
)
WAITS: Mapping[type[httpx.RequestError], str] = {
    httpx.ConnectTimeout: "connect",
    httpx.ReadTimeout: "read",
    httpx.WriteTimeout: "write",
    httpx.PoolTimeout: "pool",
}


def why(exc: httpx.RequestError, language: Language = "en") -> str:
    """What stood in the way of a request: a clause that a sentence can end with."""
    english, french = WORDS[obstacle(exc)]
    host = asked(exc).url.host
    return (french if language == "fr" else english).format(host=host, seconds=waited_s(exc))


def plainly(error: CspsError, language: Language) -> str:
    """What `error` is about: why nothing was reached, if it came of that, else its own message."""
    cause = error.__cause__
    return why(cause, language) if isinstance(cause, httpx.RequestError) else error.message


def without_secrets(url: str) -> str:
    """As it may be shown: a password may stand in a URL."""
    return str(httpx.URL(url).copy_with(userinfo=b""))


def obstacle(exc: httpx.RequestError) -> str:
    """A key of WORDS."""
    if isinstance(exc, httpx.UnsupportedProtocol):
        return "no_url"
    if isinstance(exc, httpx.TimeoutException):
        return "silent"
    if isinstance(exc, httpx.ConnectError):
        return next((key for cause in causes(exc) for kind, key in OBSTACLES if isinstance(cause, kind)), "away")
    if isinstance(exc, httpx.ProtocolError | httpx.DecodingError):
        return "closed" if "disconnected" in str(exc) else "no_http"
    return "closed"


def causes(exc: BaseException) -> Iterator[BaseException]:
    """The errors behind it: httpx's is httpcore's, that is anyio's, and that is the kernel's, or several of them."""
    below = exc.__cause__ or exc.__context__
    if isinstance(below, BaseExceptionGroup):
        below = below.exceptions[0]
    if below is not None:
        yield below
        yield from causes(below)


def waited_s(exc: httpx.RequestError) -> float:
    """What the caller had set for what took too long; 0 where it set nothing."""
    waits: Mapping[str, float | None] = asked(exc).extensions.get("timeout", {})
    return waits.get(WAITS.get(type(exc), "")) or 0


def asked(exc: httpx.RequestError) -> httpx.Request:
    try:
        return exc.request
    except RuntimeError:  # it was raised before there was one
        return httpx.Request("GET", "")
