"""The requirements of the chat platforms, for the bots and the commands that check them."""

from __future__ import annotations

SLACK_SCOPES = (
    *("app_mentions:read", "assistant:write", "channels:history", "channels:read", "chat:write", "commands"),
    *("files:read", "files:write", "groups:history", "im:history", "im:write", "mpim:history", "usergroups:read"),
    "users:read",
)


def missing_scopes(granted: str) -> list[str]:
    """The scopes that a bot in Slack still needs. `granted`: the header `X-OAuth-Scopes`."""
    scopes = {scope.strip() for scope in granted.split(",")}
    return [scope for scope in SLACK_SCOPES if scope not in scopes]
