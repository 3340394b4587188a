"""The identity of a client, for fairness."""

from __future__ import annotations

import pytest

from core.errors import ConfigError
from web.client_identity import ClientIdentity

PROXIED = ClientIdentity.parse(["10.0.0.1", "10.1.0.0/16", "fd00::/8"])


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # anybody can send the header
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),  # the person sent the first address
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1, 10.1.2.3"], "198.51.100.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "nonsense"),
        ("10.0.0.1", ["10.1.0.9"], "10.1.0.9"),
        (None, ["198.51.100.1"], ""),
    ],
)
def test_address_is_the_nearest_untrusted_one(remote: str | None, forwarded: list[str], address: str) -> None:
    """Anybody can forge the addresses before it in the headers."""
    assert PROXIED.identify(remote, forwarded) == (address, "")


def test_only_trusted_programs_may_name_a_user() -> None:
    """Otherwise each name would be another place in the queue."""
    assert PROXIED.identify("10.0.0.1", [], "alice") == ("10.0.0.1", "alice")
    assert PROXIED.identify("203.0.113.9", [], "alice") == ("203.0.113.9", "")
    assert ClientIdentity().identify("127.0.0.1", ["1.2.3.4"], "alice") == ("127.0.0.1", "")


@pytest.mark.parametrize("wrong", ["proxy.example", "10.0.0.1/8", ""])
def test_invalid_trusted_address_is_a_config_error(wrong: str) -> None:
    """The message has the setting's name and an example."""
    with pytest.raises(ConfigError, match=r"WEB_TRUSTED: .*10\.0\.0\.5"):
        ClientIdentity.parse([wrong])
