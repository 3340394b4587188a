"""The requirements of the chat platforms: scopes, URLs and tokens, for the bots and the commands that check them."""

from __future__ import annotations

from urllib.parse import urlsplit

SLACK_SCOPES = (
    *("app_mentions:read", "assistant:write", "channels:history", "channels:read", "chat:write", "commands"),
    *("files:read", "files:write", "groups:history", "im:history", "im:write", "mpim:history", "usergroups:read"),
    "users:read",
)

MICROSOFT_LOGIN_URL = "https://login.microsoftonline.com"  # followed by the tenant
MICROSOFT_SCOPE = "https://api.botframework.com"
MICROSOFT_KEYS_URL = "https://login.botframework.com/v1/.well-known/openidconfiguration"
MICROSOFT_ISSUER = "https://api.botframework.com"


def missing_scopes(granted: str) -> list[str]:
    """The scopes that a bot in Slack still needs. `granted`: the header `X-OAuth-Scopes`."""
    scopes = {scope.strip() for scope in granted.split(",")}
    return [scope for scope in SLACK_SCOPES if scope not in scopes]


def microsoft_authority(login_url: str | None, tenant: str) -> str:
    """The URL at which a tenant's bot logs in. A login URL with a path, such as an AD FS's, is used as it is."""
    login = (login_url or MICROSOFT_LOGIN_URL).rstrip("/")
    return login if urlsplit(login).path.strip("/") else f"{login}/{tenant}"


def microsoft_token_url(authority: str) -> str:
    """The token endpoint of an authority without a discovery document."""
    return f"{authority}/oauth2/v2.0/token"


def microsoft_discovery_url(authority: str) -> str | None:
    """The discovery document of an AD FS, which names its `token_endpoint`. None for other authorities."""
    return f"{authority}/.well-known/openid-configuration" if authority.endswith("/adfs") else None


def microsoft_scope(scope: str | None) -> str:
    """The scope in the form that a token request needs."""
    resource = scope or MICROSOFT_SCOPE
    return resource if resource.endswith("/.default") else f"{resource}/.default"
