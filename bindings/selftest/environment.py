"""The environment of the bot under test: the operator's settings, with the stage in place of the platform.

The data folder is temporary, so that the self-test reads and changes no real conversation. Access lists hold ids of the
real workspace, which do not exist on the stage, so they are empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bindings.incoming import PlatformName
from core.configuration import settings as settings_module
from core.configuration import toml
from core.configuration.settings import Settings

# What people on the stage see of a platform's settings. All others are ids, addresses or secrets of the real platform.
KEPT = ("personality", "personality_of", "reply_in_threads", "message_content")
USER_LIMIT = 1000
LOOPBACK = "127.0.0.1"


def build_environ(
    environ: Mapping[str, str], settings: Settings, platform: PlatformName, folder: Path, stage: Mapping[str, str]
) -> dict[str, str]:
    """`folder` is the bot's data folder, `stage` are the settings that direct it to the stage."""
    prefix = platform.upper()
    own = {
        "CSPS_LLM_DATA": str(folder),
        "CSPS_LLM_CONFIG": str(settings.config),
        "DATABASE_URL": "",
        "BOT_USER_LIMIT": str(max(USER_LIMIT, settings.bot.user_limit)),
        "LOG_LEVEL": "info",
        "LOG_FORMAT": "json",
        "NO_PROXY": f"{LOOPBACK},localhost",
        "no_proxy": f"{LOOPBACK},localhost",
        f"{prefix}_HOST": LOOPBACK,
        f"{prefix}_PORT": "0",
    }
    return {**environ, **shipped_values(platform), **own, **stage}


def shipped_values(platform: PlatformName) -> dict[str, str]:
    """The shipped values of a platform's settings, which override those of the operator."""
    table = toml.read_tables(settings_module.SHIPPED / settings_module.FILE)[platform]
    return {
        settings_module.variable_of(field): as_variable(table[key])
        for section, key, field in settings_module.variables()
        if section == platform and key in table and key not in KEPT
    }


def as_variable(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if isinstance(value, list | dict) else str(value)


def link_model_socket(settings: Settings, folder: Path) -> None:
    """Lets the bot reach the running model process, whose socket is in the real data folder."""
    if settings.model.url or settings.model.listen:
        return
    link = folder / "run" / "model.sock"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(settings.model_socket)
