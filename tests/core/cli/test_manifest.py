"""What the platforms are told of the bot."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.cli import manifest
from core.errors import ConfigError


def test_slack_over_socket_mode_needs_no_address() -> None:
    """No URL of ours is in the manifest, and Socket Mode is on."""
    made = manifest.slack_manifest("Whisper", None)

    assert made["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in json.dumps(made)
    assert "chat:write" in made["oauth_config"]["scopes"]["bot"]


def test_slack_over_http_has_one_address_everywhere() -> None:
    """Events, buttons and commands all come to /slack/events."""
    made = manifest.slack_manifest("Whisper", "https://bot.example.gc.ca/")
    address = "https://bot.example.gc.ca/slack/events"

    assert made["settings"]["socket_mode_enabled"] is False
    assert {
        made["settings"]["event_subscriptions"]["request_url"],
        made["settings"]["interactivity"]["request_url"],
        *(command["url"] for command in made["features"]["slash_commands"]),
    } == {address}


def test_slack_names_are_within_its_limits() -> None:
    """Slack refuses descriptions above 140 characters, and commands' above 2000."""
    made = manifest.slack_manifest("Whisper", None)

    assert len(made["display_information"]["description"]) <= 140
    assert all(len(command["description"]) <= 100 for command in made["features"]["slash_commands"])


def test_a_teams_package_is_whole() -> None:
    """Manifest and the two icons, of the sizes that Teams demands; the same app id each time."""
    made = manifest.teams_manifest("1111-2222", "Whisper", "https://example.gc.ca/")
    with zipfile.ZipFile(io.BytesIO(manifest.teams_package(made, PROJECT_ROOT / "config" / "icons"))) as package:
        held = json.loads(package.read("manifest.json"))
        sizes = {icon: width_of(package.read(icon)) for icon in manifest.ICONS}

    assert held == made == manifest.teams_manifest("1111-2222", "Whisper", "https://example.gc.ca/")
    assert held["bots"][0]["botId"] == "1111-2222"
    assert sizes == {"color.png": 192, "outline.png": 32}
    assert len(held["description"]["short"]) <= 80
    assert len(held["name"]["short"]) <= 30


def width_of(png: bytes) -> int:
    return int.from_bytes(png[16:20], "big")


def test_teams_needs_its_app_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one the package could not be right."""
    monkeypatch.delenv("TEAMS_APP_ID", raising=False)
    with pytest.raises(ConfigError, match="TEAMS_APP_ID"):
        manifest.teams(Path("x.zip"), "Whisper", "https://example.gc.ca/")


def test_the_discord_link_grants_what_is_listed() -> None:
    """Sending in threads, reading history, no administration."""
    granted = manifest.discord_permissions()

    assert f"permissions={granted}" in manifest.discord_link("42")
    assert granted & (1 << 38)
    assert not granted & (1 << 3)
