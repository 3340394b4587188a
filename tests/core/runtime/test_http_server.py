"""The URLs of a server, and the error when it cannot listen."""

from __future__ import annotations

import socket

import pytest

from core.runtime.addresses import is_local, listen_url, reachable_url
from core.runtime.http_server import listen_error


@pytest.mark.parametrize(
    ("exc", "advice"),
    [
        (OSError(98, "Address already in use"), "set SLACK_PORT"),
        (PermissionError(13, "Permission denied"), "above 1023"),
        (OSError(99, "Cannot assign requested address"), "check SLACK_HOST"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known; check SLACK_HOST"),
    ],
)
def test_a_listen_error_says_what_to_do(exc: OSError, advice: str) -> None:
    """Each cause has its own advice, with the name of the setting."""
    assert advice in listen_error(exc, "127.0.0.1", 80, "SLACK_HOST", "SLACK_PORT").message


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
def test_a_wildcard_host_is_reachable_on_the_loopback(host: str, url: str) -> None:
    """A wildcard address becomes the loopback; IPv6 gets its brackets, once."""
    assert reachable_url(host, 80) == reachable_url(host, "80") == url


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://0.0.0.0:80/"), ("::1", "http://[::1]:80/"), ("h", "http://h:80/")]
)
def test_a_listen_url_keeps_the_host(host: str, url: str) -> None:
    """The log shows the address as it is configured."""
    assert listen_url(host, 80) == url


def test_local_addresses() -> None:
    """A wildcard or loopback host is local, so a link may say `localhost`."""
    assert all(map(is_local, ["", "0.0.0.0", "::", "::1", "127.0.0.1", "localhost"]))
    assert not any(map(is_local, ["192.0.2.1", "host.example", "2001:db8::1"]))
