"""The bot's token goes only to Microsoft's hosts, not to similar URLs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bindings.delivery.outlet import Refused
from bindings.incoming import IncomingMessage
from bindings.teams.connector import Connector
from bindings.teams.outlet import TeamsOutlet
from bindings.teams.transport import TrustedHosts
from tests.bindings.teams.support_outlets import page, place


@pytest.mark.parametrize(
    "url",
    [
        "http://smba.trafficmanager.net/amer/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://evil.trafficmanager.net/",
        "https://smba.trafficmanager.net@evil.example/",
        "https://evil.example\\@smba.trafficmanager.net/",
        "https://botframework.com.evil.example/",
        "https://evilbotframework.com/",
        "https://smba.trafficmanager.net:8443/",
        "https://127.0.0.1/",
        "http://169.254.169.254/",
        "https://smba.trafficmanager.net /",
        "file:///etc/passwd",
        "//smba.trafficmanager.net",
        "https://ſmba.trafficmanager.net/",
        "",
    ],
)
async def test_nothing_is_sent_to_an_untrusted_host(url: str) -> None:
    """No connection is opened: the transport here would fail the test."""

    async def fail(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("called")

    assert not TrustedHosts().is_connector(url)
    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
        none: Any = None
        incoming = IncomingMessage("e", place("group", url), "1", "u", "")
        outlet = TeamsOutlet(incoming, Connector(http, None, TrustedHosts()), none, none, none)
        with pytest.raises(Refused):
            await outlet.post(page("secret"), "n1")


@pytest.mark.parametrize(
    "url",
    [
        "https://smba.trafficmanager.net/amer/",
        "https://smba.trafficmanager.net:443/ca/2222/",
        "https://smba.infra.gcc.teams.microsoft.com/gcc",
        "https://smba.infra.gov.teams.microsoft.us/gcch",
        "https://europe.botframework.com/",
    ],
)
def test_hosts_of_microsoft_are_trusted(url: str) -> None:
    """The table covers all clouds."""
    assert TrustedHosts().is_connector(url)
