"""What the chat platforms want, for the bots that meet it and the commands that check it. Values only: asks nobody."""

from __future__ import annotations

from urllib.parse import urlsplit

SLACK_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "im:history",
    "mpim:history",
    "users:read",
)

MICROSOFT_LOGIN_URL = "https://login.microsoftonline.com"  # and the tenant
MICROSOFT_SCOPE = "https://api.botframework.com"
MICROSOFT_KEYS_URL = "https://login.botframework.com/v1/.well-known/openidconfiguration"
MICROSOFT_ISSUER = "https://api.botframework.com"


def lacking_scopes(granted: str) -> list[str]:
    """Of those that a bot in Slack needs; `granted` is the header `X-OAuth-Scopes`."""
    given = {scope.strip() for scope in granted.split(",")}
    return [scope for scope in SLACK_SCOPES if scope not in given]


def microsoft_authority(login_url: str | None, tenant: str) -> str:
    """Where a bot of a tenant logs in: at a URL with a path as it stands, as an AD FS has one; else at its tenant's."""
    login = (login_url or MICROSOFT_LOGIN_URL).rstrip("/")
    return login if urlsplit(login).path.strip("/") else f"{login}/{tenant}"


def microsoft_token_url(authority: str) -> str:
    """Where an authority gives tokens, unless it has to be asked for that."""
    return f"{authority}/oauth2/v2.0/token"


def microsoft_discovery_url(authority: str) -> str | None:
    """Where an AD FS says, as its `token_endpoint`, where it gives tokens. None: it is no AD FS."""
    return f"{authority}/.well-known/openid-configuration" if authority.endswith("/adfs") else None


def microsoft_scope(scope: str | None) -> str:
    """As a token for it is asked for."""
    wanted = scope or MICROSOFT_SCOPE
    return wanted if wanted.endswith("/.default") else f"{wanted}/.default"
