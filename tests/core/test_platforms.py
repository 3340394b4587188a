"""Requirements of the chat platforms."""

from __future__ import annotations

from core import platforms


def test_missing_scopes_of_slack() -> None:
    """The result has the manifest's order; extra scopes do not matter."""
    assert [] == platforms.missing_scopes(", ".join(platforms.SLACK_SCOPES))
    assert ["assistant:write", "users:read"] == platforms.missing_scopes(
        ",".join(set(platforms.SLACK_SCOPES) - {"users:read", "assistant:write"})
    )
