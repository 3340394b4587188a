"""`csps-llm manifest slack|teams|discord`: what each platform wants to know of the bot before it lets it in.

What `doctor` and the bots ask for too is in `core.platforms`, so that they ask for exactly what this grants.
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

from core.cli.words import Table, Words, language_of
from core.configuration import settings
from core.errors import ConfigError
from core.platforms import SLACK_SCOPES

WORDS: Table = {
    "written": ("{path} is written: upload it in Teams.", "{path} est écrit : téléversez-le dans Teams."),
    "link": ("Open this link to add the bot to a server:", "Ouvrez ce lien pour ajouter le robot à un serveur :"),
    "link_needs": (
        "Put your application's id in place of APPLICATION_ID, or set it by --application.",
        "Remplacez APPLICATION_ID par l'identifiant de votre application, ou donnez-le par --application.",
    ),
}

SLACK_EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "assistant_thread_context_changed",
    "assistant_thread_started",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "tokens_revoked",
)
COMMANDS = {
    "ask": "Ask a question · Poser une question",
    "personality": "Choose who answers here · Choisir qui répond ici",
    "toil": "Get JSON that fits a schema · Obtenir du JSON conforme à un schéma",
    "forget": "Forget this conversation · Oublier cette conversation",
}
DISCORD_PERMISSIONS = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
    "Send Messages in Threads": 1 << 38,
}
SHORT = "An assistant for public servants · Un assistant pour les fonctionnaires"
LONG = (
    "Answers questions in the language they are asked in, from the model and the sources that your organisation runs."
    " It is a program and can be wrong. · Répond dans la langue de la question, avec le modèle et les sources de votre"
    " organisation. C'est un programme, qui peut se tromper."
)
TEAMS_SCHEMA = "https://developer.microsoft.com/en-us/json-schemas/teams/v1.19/MicrosoftTeams.schema.json"
ICONS = ("color.png", "outline.png")


def slack(name: str, url: str | None) -> None:
    """The app manifest, as JSON. `url`: https://…, for events over HTTP; None: Socket Mode."""
    json.dump(slack_manifest(name, url), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def discord(application: str | None) -> None:
    """The link by which somebody adds the bot to a server, and the permissions in it."""
    words = Words(WORDS, language_of(os.environ))
    for permission in DISCORD_PERMISSIONS:
        typer.echo(f"  {permission}")
    typer.echo(f"  = {discord_permissions()}\n")
    typer.echo(words("link") if application else words("link_needs"))
    typer.echo(discord_link(application or "APPLICATION_ID"))


def teams(output: Path, name: str, website: str) -> None:
    """Write the app package, a zip with manifest and icons. Raises ConfigError without TEAMS_APP_ID."""
    loaded = settings.load(os.environ)
    if not loaded.teams.app_id:
        raise ConfigError("TEAMS_APP_ID is not set: it is the id of the bot's registration in Azure (docs/teams.md)")
    output.write_bytes(teams_package(teams_manifest(loaded.teams.app_id, name, website), loaded.config_file("icons")))
    typer.echo(Words(WORDS, language_of(os.environ))("written", path=output))


def slack_manifest(name: str, url: str | None) -> dict[str, Any]:
    """https://docs.slack.dev/reference/app-manifest. Without `url`, over Socket Mode."""
    at = {} if url is None else {"url": f"{url.rstrip('/')}/slack/events"}
    request = {} if url is None else {"request_url": at["url"]}
    return {
        "display_information": {"name": name, "description": SHORT, "background_color": "#1f5f6b"},
        "features": {
            "app_home": {"messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
            "bot_user": {"display_name": name, "always_online": True},
            "assistant_view": {"assistant_description": SHORT},
            "slash_commands": [
                {"command": f"/{command}", "description": about, "should_escape": True, **at}
                for command, about in COMMANDS.items()
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


def discord_permissions() -> int:
    return sum(DISCORD_PERMISSIONS.values())


def discord_link(application: str) -> str:
    """https://discord.com/developers/docs/topics/oauth2#bot-authorization-flow"""
    scopes = "bot%20applications.commands"
    return (
        "https://discord.com/oauth2/authorize"
        f"?client_id={application}&scope={scopes}&permissions={discord_permissions()}&integration_type=0"
    )


def teams_manifest(app_id: str, name: str, website: str) -> dict[str, Any]:
    """https://learn.microsoft.com/microsoftteams/platform/resources/schema/manifest-schema"""
    site = website.rstrip("/")
    words = (
        ("help", "aide"),
        ("stop", "arrêter"),
        ("forget", "oublier"),
        ("regenerate", "recommencer"),
        ("personality", "personnalité"),
    )
    commands = [{"title": english, "description": f"{english} · {french}"} for english, french in words]
    return {
        "$schema": TEAMS_SCHEMA,
        "manifestVersion": "1.19",
        "version": "1.0.0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"csps-llm:{app_id}")),
        "developer": {"name": name, "websiteUrl": site, "privacyUrl": site, "termsOfUseUrl": site},
        "name": {"short": name[:30], "full": name[:100]},
        "description": {"short": SHORT[:80], "full": LONG},
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": "#1f5f6b",
        "bots": [
            {
                "botId": app_id,
                "scopes": ["personal", "team", "groupChat"],
                "supportsFiles": True,
                "isNotificationOnly": False,
                "commandLists": [{"scopes": ["personal", "team", "groupChat"], "commands": commands}],
            }
        ],
        "permissions": ["identity", "messageTeamMembers"],
        # So that replies in a thread in which the bot takes part reach it without a mention.
        "webApplicationInfo": {"id": app_id, "resource": f"https://{app_id}.invalid"},
        "authorization": {
            "permissions": {"resourceSpecific": [{"name": "ChannelMessage.Read.Group", "type": "Application"}]}
        },
        "validDomains": [],
    }


def teams_package(manifest: dict[str, Any], icons: Path) -> bytes:
    """The zip that Teams takes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2))
        for icon in ICONS:
            package.write(icons / icon, icon)
    return packed.getvalue()
