"""Requirements of the chat platforms."""

from __future__ import annotations

import pytest

from core import platforms


@pytest.mark.parametrize(
    ("login_url", "authority", "token_url", "discovery_url"),
    [
        (
            None,
            "https://login.microsoftonline.com/t",
            "https://login.microsoftonline.com/t/oauth2/v2.0/token",
            None,
        ),
        (
            "https://login.microsoftonline.us/",
            "https://login.microsoftonline.us/t",
            "https://login.microsoftonline.us/t/oauth2/v2.0/token",
            None,
        ),
        (
            "https://login.example/other/",
            "https://login.example/other",
            "https://login.example/other/oauth2/v2.0/token",
            None,
        ),
        (
            "https://sts.example/adfs",
            "https://sts.example/adfs",
            "https://sts.example/adfs/oauth2/v2.0/token",
            "https://sts.example/adfs/.well-known/openid-configuration",
        ),
    ],
)
def test_login_urls_of_a_tenants_bot(
    login_url: str | None, authority: str, token_url: str, discovery_url: str | None
) -> None:
    """Logins go to the public cloud, a government cloud, another tenant, or an AD FS with a discovery document."""
    found = platforms.microsoft_authority(login_url, "t")

    assert authority == found
    assert token_url == platforms.microsoft_token_url(found)
    assert discovery_url == platforms.microsoft_discovery_url(found)


@pytest.mark.parametrize("scope", [None, "https://api.botframework.com", "https://api.botframework.com/.default"])
def test_a_scope_ends_in_default(scope: str | None) -> None:
    """This holds with and without the suffix in the setting."""
    assert "https://api.botframework.com/.default" == platforms.microsoft_scope(scope)


def test_missing_scopes_of_slack() -> None:
    """The result has the manifest's order; extra scopes do not matter."""
    assert [] == platforms.missing_scopes(", ".join(platforms.SLACK_SCOPES))
    assert ["assistant:write", "users:read"] == platforms.missing_scopes(
        ",".join(set(platforms.SLACK_SCOPES) - {"users:read", "assistant:write"})
    )
