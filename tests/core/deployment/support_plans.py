"""Settings as an operator has them, and the plans of their deployments."""

from __future__ import annotations

from pathlib import Path

from core.cli.export import read_plan
from core.configuration.settings import Settings, load
from core.deployment.service_plan import ServicePlan

PLANTED = "planted-0123456789"
POSTGRESQL = f"postgresql+psycopg://csps:{PLANTED}@db.example.gc.ca/csps"
REMOTE = {"LLM_URL": "http://gpu.example.gc.ca:8000/v1", "LLM_API_KEY": PLANTED, "DATABASE_URL": POSTGRESQL}
BOTS = {
    "SLACK_BOT_TOKEN": f"xoxb-{PLANTED}",
    "SLACK_SIGNING_SECRET": PLANTED,
    "DISCORD_BOT_TOKEN": PLANTED,
    "TEAMS_APP_ID": "00000000-0000-0000-0000-000000000001",
    "TEAMS_APP_PASSWORD": PLANTED,
    "TEAMS_TENANT_ID": "00000000-0000-0000-0000-000000000002",
}
WHOLE = {**REMOTE, **BOTS, "WEB_ORIGINS": "https://chat.example.gc.ca", "WEB_DRAIN_S": "45"}


def plan_of(environ: dict[str, str]) -> ServicePlan:
    return read_plan(settings_of(environ), environ, "en")


def settings_of(environ: dict[str, str]) -> Settings:
    return load(environ)


def own_folder(folder: Path) -> Path:
    """An operator's folder with a personality, an icon and settings that hold a secret."""
    (folder / "personalities").mkdir(parents=True)
    (folder / "personalities" / "guide.toml").write_text('title = "Guide"\n', encoding="utf-8")
    (folder / "icons").mkdir()
    (folder / "icons" / "color.png").write_bytes(b"\x89PNG\x00\xff")
    (folder / "settings.toml").write_text(f'[model]\nurl = "http://gpu/v1"\napi_key = "{PLANTED}"\n', encoding="utf-8")
    return folder
