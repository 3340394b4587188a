"""Where a process listens, and what it says when it cannot."""

from __future__ import annotations

import socket

import pytest

from core.runtime.http_server import cannot_listen, is_here, reached_at, url_of


@pytest.mark.parametrize(
    ("exc", "said"),
    [
        (OSError(98, "Address already in use"), "set SLACK_PORT"),
        (PermissionError(13, "Permission denied"), "above 1023"),
        (OSError(99, "Cannot assign requested address"), "check SLACK_HOST"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known; check SLACK_HOST"),
    ],
)
def test_why_an_address_cannot_be_listened_on(exc: OSError, said: str) -> None:
    """Each reason says what to do."""
    assert said in cannot_listen(exc, "127.0.0.1", 80, "SLACK_HOST", "SLACK_PORT").message


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("[::]", "http://[::1]:80"),
        ("2001:db8::1", "http://[2001:db8::1]:80"),
        ("host.example", "http://host.example:80"),
    ],
)
def test_where_this_machine_reaches_a_listener(host: str, url: str) -> None:
    """Who listens everywhere is reached on the loopback; IPv6 gets its brackets, once."""
    assert reached_at(host, 80) == reached_at(host, "80") == url


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://0.0.0.0:80/"), ("::1", "http://[::1]:80/"), ("h", "http://h:80/")]
)
def test_what_is_listened_on_as_a_url(host: str, url: str) -> None:
    """As it is, for whoever reads the log."""
    assert url_of(host, 80) == url


def test_which_addresses_are_here() -> None:
    """A person on this machine may be sent to `localhost`."""
    assert all(map(is_here, ["", "0.0.0.0", "::", "::1", "127.0.0.1", "localhost"]))
    assert not any(map(is_here, ["192.0.2.1", "host.example", "2001:db8::1"]))
