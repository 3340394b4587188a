"""Whom a request is from, for fairness."""

from __future__ import annotations

import pytest

from core.errors import ConfigError
from web.peers import Peers

BEHIND = Peers.of(["10.0.0.1", "10.1.0.0/16", "fd00::/8"])


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # anybody can send the header
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),  # what the person sent stands in front
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1, 10.1.2.3"], "198.51.100.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "nonsense"),
        ("10.0.0.1", ["10.1.0.9"], "10.1.0.9"),
        (None, ["198.51.100.1"], ""),
    ],
)
def test_the_nearest_address_that_is_not_trusted(remote: str | None, forwarded: list[str], address: str) -> None:
    """What stands before it in the headers is anybody's claim."""
    assert BEHIND.person(remote, forwarded) == (address, "")


def test_only_who_is_trusted_may_name_somebody() -> None:
    """Otherwise each name would be another place in the queue."""
    assert BEHIND.person("10.0.0.1", [], "alice") == ("10.0.0.1", "alice")
    assert BEHIND.person("203.0.113.9", [], "alice") == ("203.0.113.9", "")
    assert Peers().person("127.0.0.1", ["1.2.3.4"], "alice") == ("127.0.0.1", "")


@pytest.mark.parametrize("wrong", ["proxy.example", "10.0.0.1/8", ""])
def test_what_is_no_address_is_told(wrong: str) -> None:
    """With the setting's name and an example."""
    with pytest.raises(ConfigError, match=r"WEB_TRUSTED: .*10\.0\.0\.5"):
        Peers.of([wrong])
