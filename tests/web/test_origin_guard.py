"""Requests that the origin guard accepts and refuses."""

from __future__ import annotations

import pytest

from core.errors import BadRequest, ConfigError, CspsError
from web import origin_guard
from web.origin_guard import GuardedRequest
from web.problems import HostRefused, OriginRefused

GUARD = origin_guard.build_guard("127.0.0.1", ["https://chat.example.gc.ca"])


def build_request(
    path: str = "/gpt/whisper",
    host: str | None = "localhost:5000",
    origin: str | None = None,
    site: str | None = None,
    ip: str = "127.0.0.1",
    port: int = 5000,
) -> GuardedRequest:
    return GuardedRequest(path, [] if host is None else [host], [] if origin is None else [origin], site, ip, port)


def verdict(of: GuardedRequest, by: origin_guard.OriginGuard = GUARD) -> type[CspsError] | None:
    try:
        by.check(of)
    except CspsError as refusal:
        return type(refusal)
    return None


@pytest.mark.parametrize(
    "allowed",
    [
        build_request(),
        build_request(host="127.0.0.1:5000"),
        build_request(host="127.0.0.1"),
        build_request(host="127.8.9.10:5000"),
        build_request(host="[::1]:5000", ip="::1"),
        build_request(host="LOCALHOST:5000"),
        build_request(host="localhost:8080"),
        build_request(host="10.1.2.3:5000", ip="10.1.2.3"),
        build_request(host="10.1.2.3:5000", ip="::ffff:10.1.2.3"),
        build_request(host="chat.example.gc.ca"),
        build_request(origin="http://localhost:5000"),
        build_request(origin="http://127.0.0.1:5000"),
        build_request(origin="http://[::1]:5000"),
        build_request(origin="http://localhost", port=80),
        build_request(origin="http://10.1.2.3:5000", host="10.1.2.3:5000", ip="10.1.2.3"),
        build_request(origin="https://chat.example.gc.ca"),
        build_request(origin="https://chat.example.gc.ca", site="cross-site"),
        build_request(origin="http://localhost:5000", site="same-origin"),
        build_request(site="none"),
        build_request("/", site="cross-site"),
        build_request("/static/index.html", site="same-site"),
        build_request("/healthz", host="web:5000"),
        build_request("/readyz", host=None),
    ],
)
def test_own_requests_are_accepted(allowed: GuardedRequest) -> None:
    """Programs, the service's own page and the operator's origins are accepted."""
    assert None is verdict(allowed)


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (build_request(origin="https://evil.example"), OriginRefused),
        (build_request(origin="null"), OriginRefused),
        (build_request(origin=""), OriginRefused),
        (build_request(origin="http://localhost"), OriginRefused),
        (build_request(origin="http://localhost:5001"), OriginRefused),
        (build_request(origin="https://localhost:5000"), OriginRefused),
        (build_request(origin="http://localhost:5000/"), OriginRefused),
        (build_request(origin="http://localhost:5000.evil.example"), OriginRefused),
        (build_request(origin="http://chat.example.gc.ca"), OriginRefused),
        (build_request(origin="https://chat.example.gc.ca.evil.example"), OriginRefused),
        (build_request(origin="https://xchat.example.gc.ca"), OriginRefused),
        (build_request(site="cross-site"), OriginRefused),
        (build_request(site="same-site"), OriginRefused),
        (build_request(site="new-kind"), OriginRefused),
        (build_request(origin="http://localhost:5000", site="cross-site"), OriginRefused),
        (build_request("/gpt-socket/whisper", origin="https://evil.example"), OriginRefused),
        (build_request("/metrics", origin="https://evil.example"), OriginRefused),
        (build_request("/staticx", site="cross-site"), OriginRefused),
        (build_request(host="evil.example:5000"), HostRefused),
        (build_request(host="localhost.evil.example"), HostRefused),
        (build_request(host="10.1.2.3:5000"), HostRefused),
        (build_request("/", host="evil.example"), HostRefused),
        (build_request("/static/index.html", host="evil.example"), HostRefused),
        (build_request("/healthz/", host="evil.example"), HostRefused),
        (build_request(host=None), BadRequest),
        (build_request(host=""), BadRequest),
        (build_request(host="local host"), BadRequest),
        (build_request(host="a@localhost"), BadRequest),
        (build_request(host="localhost:5000:1"), BadRequest),
        (build_request(host="xn--🦊"), BadRequest),
    ],
)
def test_foreign_requests_are_refused(refused: GuardedRequest, why: type[CspsError]) -> None:
    """Foreign origins, sites and host names are refused, also those that resemble ours."""
    assert why is verdict(refused)


def test_repeated_headers_are_refused() -> None:
    """Of two Host or Origin headers, the harmless one could be believed."""
    assert BadRequest is verdict(GuardedRequest("/gpt/x", ["localhost", "evil.example"], [], None, "127.0.0.1", 5000))
    origins = ["http://localhost:5000", "https://evil.example"]
    assert OriginRefused is verdict(GuardedRequest("/gpt/x", ["localhost"], origins, None, "127.0.0.1", 5000))


def test_host_setting_is_an_own_name() -> None:
    """HOST may be a name of the service."""
    named = origin_guard.build_guard("Chat.local", [])

    assert None is verdict(build_request(host="chat.local:5000", origin="http://chat.local:5000", ip="10.0.0.1"), named)
    assert HostRefused is verdict(build_request(host="chat.local:5000"))


@pytest.mark.parametrize("origin", ["https://Chat.example.gc.ca", "https://chat.example.gc.ca:443"])
def test_origins_are_normalized(origin: str) -> None:
    """An operator may write an origin in another way than browsers do."""
    assert None is verdict(
        build_request(origin="https://chat.example.gc.ca"), origin_guard.build_guard("127.0.0.1", [origin])
    )


@pytest.mark.parametrize(
    "origin",
    [
        "chat.example.gc.ca",
        "https://",
        "https://a/",
        "https://a/b",
        "ftp://a",
        "*",
        "null",
        "https://a:b",
        "https://[a",
    ],
)
def test_invalid_origin_is_a_config_error(origin: str) -> None:
    """The message names WEB_ORIGINS, the entry and the remedy."""
    with pytest.raises(ConfigError, match="WEB_ORIGINS"):
        origin_guard.build_guard("127.0.0.1", [origin])
