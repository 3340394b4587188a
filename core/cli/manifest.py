"""`csps-llm manifest slack | discord | teams`: the file or link by which a platform registers the bot.

`core.platforms` holds the scopes, so that `doctor` and the bots require exactly what the manifest requests. Manifests
are in both languages: everybody on a platform sees the same one.
"""

from __future__ import annotations

import io
import json
import os
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Any

import typer

from core.cli.localization import locale_language
from core.configuration import settings
from core.errors import ConfigError
from core.platforms import SLACK_SCOPES
from core.texts import LANGUAGES, text

SLACK_EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "tokens_revoked",
)
SLACK_COMMANDS = {
    "ask": "cli-manifest-command-ask",
    "aside": "cli-manifest-command-aside",
    "personality": "cli-manifest-command-personality",
    "toil": "cli-manifest-command-toil",
    "forget": "cli-manifest-command-forget",
    "facts": "cli-manifest-command-facts",
}
DISCORD_PERMISSIONS = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
    "Send Messages in Threads": 1 << 38,
}
TEAMS_MANIFEST_VERSION = "1.30"
TEAMS_SCHEMA = (
    f"https://developer.microsoft.com/json-schemas/teams/v{TEAMS_MANIFEST_VERSION}/MicrosoftTeams.schema.json"
)
TEAMS_SCOPES = ("personal", "team", "groupChat", "copilot")
# With these the bot gets messages that do not mention it, and may read them and their files. The owner of each team or
# chat consents. https://learn.microsoft.com/microsoftteams/platform/graph-api/rsc/resource-specific-consent
TEAMS_READ_PERMISSIONS = ("ChannelMessage.Read.Group", "ChatMessage.Read.Chat")
ICONS = ("color.png", "outline.png")


def slack(name: str, url: str | None) -> None:
    """Prints the app manifest as JSON. `url` is https://… for events over HTTP; None means Socket Mode."""
    json.dump(build_slack_manifest(name, url), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def discord(application: str | None) -> None:
    """Prints the link that adds the bot to a server, and the permissions that it requests."""
    language = locale_language(os.environ)
    for permission in DISCORD_PERMISSIONS:
        typer.echo(f"  {permission}")
    typer.echo(f"  = {discord_permissions()}\n")
    typer.echo(text("cli-manifest-link" if application else "cli-manifest-link-incomplete", language))
    typer.echo(build_discord_link(application or "APPLICATION_ID"))


def teams(output: Path, name: str, website: str, *, read_all: bool = True) -> None:
    """Writes the app package, a zip file with manifest and icons. Raises ConfigError without TEAMS_APP_ID."""
    loaded, language = settings.load(os.environ), locale_language(os.environ)
    if not loaded.teams.app_id:
        raise ConfigError(text("cli-manifest-no-app-id", language))
    manifest = build_teams_manifest(loaded.teams.app_id, name, website, read_all=read_all)
    output.write_bytes(pack_teams_app(manifest, loaded.config_file("icons")))
    typer.echo(text("cli-manifest-written", language, path=str(output)))


def build_slack_manifest(name: str, url: str | None) -> dict[str, Any]:
    """The manifest of https://docs.slack.dev/reference/app-manifest. Without `url` it is for Socket Mode.

    New apps are agents: Slack accepts `assistant_view` and its events from existing apps only.
    """
    events_url = {} if url is None else {"url": f"{url.rstrip('/')}/slack/events"}
    request = {} if url is None else {"request_url": events_url["url"]}
    return {
        "display_information": {
            "name": name,
            "description": bilingual("cli-manifest-short"),
            "background_color": "#1f5f6b",
        },
        "features": {
            "app_home": {"messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
            "bot_user": {"display_name": name, "always_online": True},
            "agent_view": {"agent_description": bilingual("cli-manifest-short")},
            "slash_commands": [
                {
                    "command": f"/{command}",
                    "description": bilingual(description),
                    "should_escape": True,
                    **events_url,
                }
                for command, description in SLACK_COMMANDS.items()
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SLACK_SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(SLACK_EVENTS), **request},
            "interactivity": {"is_enabled": True, **request},
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": False,
        },
    }


def bilingual(key: str) -> str:
    """A text in both languages, for the pages of a platform that everybody sees in one form."""
    return " · ".join(text(key, language) for language in LANGUAGES)


def discord_permissions() -> int:
    return sum(DISCORD_PERMISSIONS.values())


def build_discord_link(application: str) -> str:
    """The link of https://discord.com/developers/docs/topics/oauth2#bot-authorization-flow"""
    scopes = "bot%20applications.commands"
    return (
        "https://discord.com/oauth2/authorize"
        f"?client_id={application}&scope={scopes}&permissions={discord_permissions()}&integration_type=0"
    )


def build_teams_manifest(app_id: str, name: str, website: str, *, read_all: bool = True) -> dict[str, Any]:
    """The manifest of https://learn.microsoft.com/microsoft-365/extensibility/schema/

    `read_all`: the bot asks for TEAMS_READ_PERMISSIONS.
    """
    site = website.rstrip("/")
    names = (
        ("help", "aide"),
        ("stop", "arrêter"),
        ("forget", "oublier"),
        ("regenerate", "recommencer"),
        ("personality", "personnalité"),
        ("facts list", "faits liste"),
    )
    commands = [{"title": english, "description": f"{english} · {french}"} for english, french in names]
    permissions = [{"name": name, "type": "Application"} for name in TEAMS_READ_PERMISSIONS]
    return {
        "$schema": TEAMS_SCHEMA,
        "manifestVersion": TEAMS_MANIFEST_VERSION,
        "version": "1.0.0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"csps-llm:{app_id}")),
        "developer": {"name": name[:32], "websiteUrl": site, "privacyUrl": site, "termsOfUseUrl": site},
        "name": {"short": name[:30], "full": name[:100]},
        "description": {"short": bilingual("cli-manifest-short")[:80], "full": bilingual("cli-manifest-long")},
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": "#1f5f6b",
        "bots": [
            {
                "botId": app_id,
                "scopes": list(TEAMS_SCOPES),
                "supportsFiles": True,
                "isNotificationOnly": False,
                "commandLists": [{"scopes": list(TEAMS_SCOPES), "commands": commands}],
            }
        ],
        # Required from version 1.25 on for the scope "team": shared and private channels too.
        "supportsChannelFeatures": "tier1",
        "copilotAgents": {"customEngineAgents": [{"type": "bot", "id": app_id}]},
        "permissions": ["identity", "messageTeamMembers"],
        "webApplicationInfo": {"id": app_id, "resource": f"https://{app_id}.invalid"},
        **({"authorization": {"permissions": {"resourceSpecific": permissions}}} if read_all else {}),
        "validDomains": [],
    }


def pack_teams_app(manifest: dict[str, Any], icons: Path) -> bytes:
    """The zip file that Teams accepts."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2))
        for icon in ICONS:
            package.write(icons / icon, icon)
    return archive.getvalue()
