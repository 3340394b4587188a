"""What the platforms want: the same for the bots and for the commands that check them."""

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
def test_where_a_bot_of_a_tenant_logs_in(
    login_url: str | None, authority: str, token_url: str, discovery_url: str | None
) -> None:
    """At Microsoft's, at a government's, at another tenant's, and at an AD FS, which has to be asked."""
    found = platforms.microsoft_authority(login_url, "t")

    assert authority == found
    assert token_url == platforms.microsoft_token_url(found)
    assert discovery_url == platforms.microsoft_discovery_url(found)


@pytest.mark.parametrize("scope", [None, "https://api.botframework.com", "https://api.botframework.com/.default"])
def test_a_scope_is_asked_for_by_default(scope: str | None) -> None:
    """However it is written."""
    assert "https://api.botframework.com/.default" == platforms.microsoft_scope(scope)


def test_scopes_that_slack_did_not_grant_are_known() -> None:
    """In the manifest's order, whatever stands between them."""
    assert [] == platforms.missing_scopes(", ".join(platforms.SLACK_SCOPES))
    assert ["assistant:write", "users:read"] == platforms.missing_scopes(
        ",".join(set(platforms.SLACK_SCOPES) - {"users:read", "assistant:write"})
    )
