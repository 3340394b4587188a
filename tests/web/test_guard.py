"""Who may ask, by what a request says of itself."""

from __future__ import annotations

import pytest

from core.errors import BadRequest, ConfigError, CspsError
from web import guard
from web.guard import Call
from web.problems import HostRefused, OriginRefused

GUARD = guard.build("127.0.0.1", ["https://chat.example.gc.ca"])


def call(
    path: str = "/gpt/whisper",
    host: str | None = "localhost:5000",
    origin: str | None = None,
    site: str | None = None,
    ip: str = "127.0.0.1",
    port: int = 5000,
) -> Call:
    return Call(path, [] if host is None else [host], [] if origin is None else [origin], site, ip, port)


def verdict(of: Call, by: guard.Guard = GUARD) -> type[CspsError] | None:
    try:
        by.check(of)
    except CspsError as refusal:
        return type(refusal)
    return None


@pytest.mark.parametrize(
    "allowed",
    [
        call(),
        call(host="127.0.0.1:5000"),
        call(host="127.0.0.1"),
        call(host="127.8.9.10:5000"),
        call(host="[::1]:5000", ip="::1"),
        call(host="LOCALHOST:5000"),
        call(host="localhost:8080"),
        call(host="10.1.2.3:5000", ip="10.1.2.3"),
        call(host="10.1.2.3:5000", ip="::ffff:10.1.2.3"),
        call(host="chat.example.gc.ca"),
        call(origin="http://localhost:5000"),
        call(origin="http://127.0.0.1:5000"),
        call(origin="http://[::1]:5000"),
        call(origin="http://localhost", port=80),
        call(origin="http://10.1.2.3:5000", host="10.1.2.3:5000", ip="10.1.2.3"),
        call(origin="https://chat.example.gc.ca"),
        call(origin="https://chat.example.gc.ca", site="cross-site"),
        call(origin="http://localhost:5000", site="same-origin"),
        call(site="none"),
        call("/", site="cross-site"),
        call("/static/index.html", site="same-site"),
        call("/healthz", host="web:5000"),
        call("/readyz", host=None),
    ],
)
def test_allowed(allowed: Call) -> None:
    """Programs, the service's own page, and the operator's origins get through."""
    assert None is verdict(allowed)


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (call(origin="https://evil.example"), OriginRefused),
        (call(origin="null"), OriginRefused),
        (call(origin=""), OriginRefused),
        (call(origin="http://localhost"), OriginRefused),
        (call(origin="http://localhost:5001"), OriginRefused),
        (call(origin="https://localhost:5000"), OriginRefused),
        (call(origin="http://localhost:5000/"), OriginRefused),
        (call(origin="http://localhost:5000.evil.example"), OriginRefused),
        (call(origin="http://chat.example.gc.ca"), OriginRefused),
        (call(origin="https://chat.example.gc.ca.evil.example"), OriginRefused),
        (call(origin="https://xchat.example.gc.ca"), OriginRefused),
        (call(site="cross-site"), OriginRefused),
        (call(site="same-site"), OriginRefused),
        (call(site="new-kind"), OriginRefused),
        (call(origin="http://localhost:5000", site="cross-site"), OriginRefused),
        (call("/gpt-socket/whisper", origin="https://evil.example"), OriginRefused),
        (call("/metrics", origin="https://evil.example"), OriginRefused),
        (call("/staticx", site="cross-site"), OriginRefused),
        (call(host="evil.example:5000"), HostRefused),
        (call(host="localhost.evil.example"), HostRefused),
        (call(host="10.1.2.3:5000"), HostRefused),
        (call("/", host="evil.example"), HostRefused),
        (call("/static/index.html", host="evil.example"), HostRefused),
        (call("/healthz/", host="evil.example"), HostRefused),
        (call(host=None), BadRequest),
        (call(host=""), BadRequest),
        (call(host="local host"), BadRequest),
        (call(host="a@localhost"), BadRequest),
        (call(host="localhost:5000:1"), BadRequest),
        (call(host="xn--🦊"), BadRequest),
    ],
)
def test_refused(refused: Call, why: type[CspsError]) -> None:
    """Foreign origins, sites and names are refused, and nothing passes by resembling ours."""
    assert why is verdict(refused)


def test_doubled_headers_are_refused() -> None:
    """Of two Host or Origin headers, the harmless one would be believed."""
    assert BadRequest is verdict(Call("/gpt/x", ["localhost", "evil.example"], [], None, "127.0.0.1", 5000))
    origins = ["http://localhost:5000", "https://evil.example"]
    assert OriginRefused is verdict(Call("/gpt/x", ["localhost"], origins, None, "127.0.0.1", 5000))


def test_the_host_setting_is_a_name_of_ours() -> None:
    """What the operator set as HOST is an address of the service."""
    named = guard.build("Chat.local", [])

    assert None is verdict(call(host="chat.local:5000", origin="http://chat.local:5000", ip="10.0.0.1"), named)
    assert HostRefused is verdict(call(host="chat.local:5000"))


@pytest.mark.parametrize("origin", ["https://Chat.example.gc.ca", "https://chat.example.gc.ca:443"])
def test_origins_are_normalised(origin: str) -> None:
    """An operator may write an origin in another way than browsers do."""
    assert None is verdict(call(origin="https://chat.example.gc.ca"), guard.build("127.0.0.1", [origin]))


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
def test_an_origin_that_cannot_be_meant_is_a_config_error(origin: str) -> None:
    """The message names WEB_ORIGINS, the entry, and what to do."""
    with pytest.raises(ConfigError, match="WEB_ORIGINS"):
        guard.build("127.0.0.1", [origin])
