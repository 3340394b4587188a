"""The bot's token goes only to Microsoft's hosts, not to similar URLs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bindings.delivery.outlet import Refused
from bindings.incoming import IncomingMessage
from bindings.teams.adapter import build_trusted_hosts
from bindings.teams.connector import Connector
from bindings.teams.outlet import TeamsOutlet
from bindings.teams.transport import TrustedHosts
from core.configuration import settings
from core.configuration.setting_types import CloudName
from core.microsoft_clouds import CLOUDS
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


CONNECTORS = {
    "https://smba.trafficmanager.net/amer/": ["public"],
    "https://smba.trafficmanager.net:443/ca/2222/": ["public"],
    "https://smba.onyx.prod.teams.trafficmanager.net/amer/": ["public"],
    "https://smba.infra.gcc.teams.microsoft.com/gcc": ["public"],
    "https://europe.botframework.com/": ["public"],
    "https://smba.infra.gov.teams.microsoft.us/gcch": ["gcch"],
    "https://smba.infra.dod.teams.microsoft.us/dod": ["dod"],
    "https://directline.botframework.azure.us/": ["gcch", "dod"],
    "https://frontend.botapi.msg.infra.teams.microsoftonline.cn/": ["china"],
    "https://msteams.botframework.azure.cn/teams": ["china"],
}


@pytest.mark.parametrize(("url", "clouds"), CONNECTORS.items())
def test_a_connector_is_trusted_in_its_own_cloud(url: str, clouds: list[str]) -> None:
    """A bot of one cloud sends nothing to the connectors of another."""
    assert clouds == [name for name, cloud in CLOUDS.items() if TrustedHosts([cloud]).is_connector(url)]


@pytest.mark.parametrize(
    "url",
    [
        "https://login.botframework.com/",
        "https://login.botframework.azure.us/v1/",
        "https://login.botframework.azure.cn/",
        "https://login.microsoftonline.com/tenant/",
        "https://login.partner.microsoftonline.cn/tenant/",
        "https://token.botframework.com/",
        "https://europe.token.botframework.com/",
        "https://tokengcch.botframework.azure.us/",
        "https://apiDoD.botframework.azure.us/",
        "https://api.botframework.com/",
    ],
)
def test_a_login_is_no_connector(url: str) -> None:
    """Microsoft's services for tokens are on the connectors' domains, and take no messages."""
    assert not TrustedHosts(CLOUDS.values()).is_connector(url)


def test_the_login_that_the_operator_sets_is_no_connector() -> None:
    """Its host, a proxy for instance, receives the credential and nothing else."""
    loaded = settings.load({"TEAMS_LOGIN_URL": "https://proxy.example.gc.ca/tenant"})
    hosts = build_trusted_hosts(loaded.teams)

    assert not hosts.is_connector("https://proxy.example.gc.ca/amer/")
    assert not hosts.has_files("https://proxy.example.gc.ca/file")
    assert hosts.is_connector("https://smba.trafficmanager.net/amer/")


@pytest.mark.parametrize(
    ("cloud", "url"),
    [
        ("public", "https://contoso-my.sharepoint.com/f"),
        ("gcch", "https://contoso-my.sharepoint.us/f"),
        ("dod", "https://contoso-my.sharepoint-mil.us/f"),
        ("china", "https://contoso-my.sharepoint.cn/f"),
    ],
)
def test_files_are_in_the_cloud_of_the_bot(cloud: CloudName, url: str) -> None:
    """No other cloud's SharePoint is called."""
    assert [cloud] == [name for name, each in CLOUDS.items() if TrustedHosts([each]).has_files(url)]


def test_addresses_of_a_cloud_trust_its_connectors() -> None:
    """A set-up from before TEAMS_CLOUD, with four single addresses, goes on working."""
    gcch = CLOUDS["gcch"]
    loaded = settings.load(
        {
            "TEAMS_OPENID_METADATA_URL": gcch.openid_metadata_url,
            "TEAMS_TOKEN_ISSUER": gcch.token_issuer,
            "TEAMS_LOGIN_URL": gcch.login_url,
            "TEAMS_OAUTH_SCOPE": gcch.oauth_scope,
        }
    )

    assert build_trusted_hosts(loaded.teams).is_connector("https://smba.infra.gov.teams.microsoft.us/gcch")
