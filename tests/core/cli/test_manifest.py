"""The manifests by which platforms register the bot."""

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
    made = manifest.build_slack_manifest("Whisper", None)

    assert made["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in json.dumps(made)
    assert "chat:write" in made["oauth_config"]["scopes"]["bot"]


def test_slack_over_http_has_one_address() -> None:
    """Events, buttons and commands all use /slack/events."""
    made = manifest.build_slack_manifest("Whisper", "https://bot.example.gc.ca/")
    address = "https://bot.example.gc.ca/slack/events"

    assert made["settings"]["socket_mode_enabled"] is False
    assert {
        made["settings"]["event_subscriptions"]["request_url"],
        made["settings"]["interactivity"]["request_url"],
        *(command["url"] for command in made["features"]["slash_commands"]),
    } == {address}


def test_a_slack_app_is_an_agent() -> None:
    """Slack makes no new apps with `assistant_view`; agents have other events for a conversation that begins."""
    made = manifest.build_slack_manifest("Whisper", None)
    events = made["settings"]["event_subscriptions"]["bot_events"]

    assert 0 < len(made["features"]["agent_view"]["agent_description"]) <= 300
    assert "assistant_view" not in made["features"]
    assert {"app_home_opened", "agent_session_stopped", "message.im"} <= set(events)
    assert not any(event.startswith("assistant_thread") for event in events)
    assert {"assistant:write", "im:write"} <= set(made["oauth_config"]["scopes"]["bot"])


def test_slack_descriptions_are_within_its_limits() -> None:
    """Slack refuses descriptions above 140 characters, and those of commands above 2,000."""
    made = manifest.build_slack_manifest("Whisper", None)

    assert len(made["display_information"]["description"]) <= 140
    assert all(len(command["description"]) <= 100 for command in made["features"]["slash_commands"])


def test_a_teams_package_is_complete() -> None:
    """It has the manifest and two icons in the sizes that Teams requires. The app id is the same each time."""
    made = manifest.build_teams_manifest("1111-2222", "Whisper", "https://example.gc.ca/")
    with zipfile.ZipFile(io.BytesIO(manifest.pack_teams_app(made, PROJECT_ROOT / "config" / "icons"))) as package:
        packed = json.loads(package.read("manifest.json"))
        sizes = {icon: width_of(package.read(icon)) for icon in manifest.ICONS}

    assert packed == made == manifest.build_teams_manifest("1111-2222", "Whisper", "https://example.gc.ca/")
    assert packed["bots"][0]["botId"] == "1111-2222"
    assert sizes == {"color.png": 192, "outline.png": 32}
    assert len(packed["description"]["short"]) <= 80
    assert len(packed["name"]["short"]) <= 30


def test_a_teams_manifest_follows_todays_schema() -> None:
    """Version 1.25 and later refuse the scope "team" without channel features; Copilot shows the bot as an agent."""
    made = manifest.build_teams_manifest("1111-2222", "Whisper", "https://example.gc.ca/")

    assert made["$schema"].endswith(f"/teams/v{made['manifestVersion']}/MicrosoftTeams.schema.json")
    assert (1, 25) <= tuple(int(part) for part in made["manifestVersion"].split("."))
    assert "tier1" == made["supportsChannelFeatures"]
    assert {"customEngineAgents": [{"type": "bot", "id": "1111-2222"}]} == made["copilotAgents"]
    (bot,) = made["bots"]
    assert {"personal", "team", "groupChat", "copilot"} == set(bot["scopes"]) == set(bot["commandLists"][0]["scopes"])


def test_the_permissions_to_read_are_optional_in_teams() -> None:
    """Without them, the bot gets only messages that mention it. The app then asks no owner for consent."""
    reading = manifest.build_teams_manifest("1111-2222", "Whisper", "https://example.gc.ca/")
    mentions = manifest.build_teams_manifest("1111-2222", "Whisper", "https://example.gc.ca/", read_all=False)
    asked = reading.pop("authorization")["permissions"]["resourceSpecific"]

    assert ["ChannelMessage.Read.Group", "ChatMessage.Read.Chat"] == [each["name"] for each in asked]
    assert {"Application"} == {each["type"] for each in asked}
    assert reading == mentions


def test_a_long_name_fits_in_a_teams_manifest() -> None:
    """The schema allows 32 characters for the developer's name, 30 for the app's."""
    made = manifest.build_teams_manifest("1111-2222", "W" * 50, "https://example.gc.ca/")

    assert (32, 30) == (len(made["developer"]["name"]), len(made["name"]["short"]))


def width_of(png: bytes) -> int:
    return int.from_bytes(png[16:20], "big")


def test_teams_needs_its_app_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TEAMS_APP_ID no package is written."""
    monkeypatch.delenv("TEAMS_APP_ID", raising=False)
    with pytest.raises(ConfigError, match="TEAMS_APP_ID"):
        manifest.teams(Path("x.zip"), "Whisper", "https://example.gc.ca/")


def test_the_discord_link_grants_the_listed_permissions() -> None:
    """The bot may send in threads and read the history, but not administer."""
    granted = manifest.discord_permissions()

    assert f"permissions={granted}" in manifest.build_discord_link("42")
    assert granted & (1 << 38)
    assert not granted & (1 << 3)
