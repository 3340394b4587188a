"""Microsoft's clouds: their addresses, and sets of addresses that belong to several."""

from __future__ import annotations

import pytest

from core.configuration import settings
from core.configuration.platform_sections import TeamsSettings
from core.errors import ConfigError
from core.microsoft_clouds import MicrosoftEndpoints, choose_endpoints, find_foreign_endpoints

US_METADATA = "https://login.botframework.azure.us/v1/.well-known/openidconfiguration"


def teams(**environ: str) -> TeamsSettings:
    return settings.load(environ).teams


@pytest.mark.parametrize(
    ("cloud", "expected"),
    [
        (
            "public",
            MicrosoftEndpoints(
                "https://login.botframework.com/v1/.well-known/openidconfiguration",
                "https://api.botframework.com",
                "https://login.microsoftonline.com",
                "https://api.botframework.com",
                "https://graph.microsoft.com",
            ),
        ),
        (
            "gcch",
            MicrosoftEndpoints(
                US_METADATA,
                "https://api.botframework.us",
                "https://login.microsoftonline.us",
                "https://api.botframework.us",
                "https://graph.microsoft.us",
            ),
        ),
        (
            "dod",
            MicrosoftEndpoints(
                US_METADATA,
                "https://api.botframework.us",
                "https://login.microsoftonline.us",
                "https://api.botframework.us",
                "https://dod-graph.microsoft.us",
            ),
        ),
        (
            "china",
            MicrosoftEndpoints(
                "https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
                "https://api.botframework.azure.cn",
                "https://login.partner.microsoftonline.cn",
                "https://api.botframework.azure.cn",
                "https://microsoftgraph.chinacloudapi.cn",
            ),
        ),
    ],
)
def test_a_cloud_gives_its_addresses(cloud: str, expected: MicrosoftEndpoints) -> None:
    """They are those of Microsoft's pages on each cloud."""
    assert expected == choose_endpoints(teams(TEAMS_CLOUD=cloud))


def test_a_single_address_takes_precedence() -> None:
    """The other three stay those of the cloud. A proxy belongs to no cloud."""
    chosen = teams(TEAMS_CLOUD="gcch", TEAMS_LOGIN_URL="https://proxy.example.gc.ca/login")

    assert "https://proxy.example.gc.ca/login" == choose_endpoints(chosen).login_url
    assert US_METADATA == choose_endpoints(chosen).openid_metadata_url
    assert [] == find_foreign_endpoints(chosen)


def test_an_unknown_cloud_is_refused() -> None:
    """The error names the variable."""
    with pytest.raises(ConfigError, match="TEAMS_CLOUD"):
        teams(TEAMS_CLOUD="germany")


@pytest.mark.parametrize(
    ("environ", "foreign"),
    [
        ({"TEAMS_LOGIN_URL": "https://login.microsoftonline.us/tenant"}, {"TEAMS_LOGIN_URL": ("gcch", "dod")}),
        (
            {"TEAMS_CLOUD": "china", "TEAMS_OAUTH_SCOPE": "https://api.botframework.com/.default"},
            {"TEAMS_OAUTH_SCOPE": ("public",)},
        ),
        ({"TEAMS_CLOUD": "gcch", "TEAMS_OPENID_METADATA_URL": US_METADATA}, {}),
        ({"TEAMS_CLOUD": "dod", "TEAMS_TOKEN_ISSUER": "https://api.botframework.us"}, {}),
        ({"TEAMS_TOKEN_ISSUER": "https://api.botframework.azure.cn"}, {"TEAMS_TOKEN_ISSUER": ("china",)}),
    ],
)
def test_addresses_of_other_clouds_are_found(environ: dict[str, str], foreign: dict[str, tuple[str, ...]]) -> None:
    """GCC High and DoD share their addresses, but for the connectors."""
    assert foreign == {each.variable: each.clouds for each in find_foreign_endpoints(teams(**environ))}
