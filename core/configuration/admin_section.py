"""The section of settings.toml for the administrators' page."""

from __future__ import annotations

from core.configuration.setting_types import CommaList, OptionalSecret, env
from core.configuration.toml import Section


class AdminSettings(Section):
    """The administrators' page at /admin. Without a key and without names there is none."""

    key: OptionalSecret = env(
        "ADMIN_KEY",
        "The operator's key to /admin, at least 32 characters. It opens the page from this machine only"
        " (for another machine: an SSH tunnel).",
        "0123456789abcdef0123456789abcdef",
    )
    allow: CommaList = env(
        "ADMIN_ALLOW",
        "Who may open /admin from anywhere once signed in, separated by commas: `group:` or `user:` before a name as in"
        " the personalities' `allow`.",
        "group:it-admins, user:ana@example.gc.ca",
    )
    currency: str = env("ADMIN_CURRENCY", "The currency of the prices in models.toml.", "CAD")
