"""The only reader of the environment and of settings.toml.

Defaults come from the shipped config/settings.toml. The operator's own folder (CSPS_LLM_CONFIG) overrides them key by
key, and the environment overrides both. `load` builds one frozen `Settings`, which is passed in everywhere. Each field
names its variable, so docs and `doctor` list the settings without a second table.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo

from core import PROJECT_ROOT
from core.configuration import toml
from core.configuration.admin_section import AdminSettings
from core.configuration.platform_sections import DiscordSettings, PlatformSettings, SlackSettings, TeamsSettings
from core.configuration.record_section import RecordKind, RecordSettings
from core.configuration.setting_sections import (
    BotSettings,
    DataSettings,
    LogSettings,
    ModelSettings,
    RagSettings,
    TimeSettings,
    WebSettings,
)
from core.configuration.toml import Section
from core.errors import ConfigError

SHIPPED = PROJECT_ROOT / "config"
FILE = "settings.toml"
SOCKET_PATH_LIMIT_BYTES = 100  # sun_path holds 104 to 108 bytes, by platform


class Settings(Section):
    model: ModelSettings
    web: WebSettings
    bot: BotSettings
    slack: SlackSettings
    discord: DiscordSettings
    teams: TeamsSettings
    time: TimeSettings
    rag: RagSettings
    data: DataSettings
    records: RecordSettings
    admin: AdminSettings
    log: LogSettings
    config: Path  # the operator's folder, which overrides the shipped one
    file: Path  # the settings.toml that error messages name
    from_environment: dict[str, str] = Field(default_factory=dict)  # "web.port": "PORT", for each variable that is set

    @property
    def data_folder(self) -> Path:
        """An absolute path. A relative setting starts at the checkout, not at the working directory."""
        return PROJECT_ROOT / Path(self.data.folder).expanduser()

    @property
    def database_url(self) -> str:
        return self.data.database_url or f"sqlite:///{self.data_folder / 'csps-llm.db'}"

    @property
    def retention(self) -> dict[RecordKind, timedelta]:
        """How long each kind of stored data is kept."""
        return self.records.retention(self.data.keep_days)

    def platform(self, name: str) -> PlatformSettings:
        """The section of "slack", "discord" or "teams"."""
        section = getattr(self, name)
        assert isinstance(section, PlatformSettings)
        return section

    def config_file(self, name: str) -> Path:
        """A file or folder of the configuration: the operator's own if it exists, else the shipped one."""
        own = self.config / name
        return own if own.exists() else SHIPPED / name

    def origin(self, section: str, key: str) -> str:
        """The place where a setting was set: its variable, or the file."""
        return self.from_environment.get(f"{section}.{key}") or str(self.file)

    @property
    def model_socket(self) -> Path:
        """The Unix socket of the local model process. A path above the kernel's limit moves to the temporary folder."""
        path = self.data_folder / "run" / "model.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT_BYTES:
            return path
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"csps-llm-{os.getuid()}-{digest}" / "model.sock"


def load(environ: Mapping[str, str] | None = None, config: Path | None = None) -> Settings:
    """Reads settings.toml and the environment. Raises ConfigError, which names the file or variable, and the key."""
    environ = os.environ if environ is None else environ
    config = config or config_folder(environ)
    tables, file = overlay_tables(config)
    overridden: dict[tuple[str, ...], str] = {}
    for section, key, field in variables():
        variable = variable_of(field)
        table = tables.setdefault(section, {})
        if variable in environ and isinstance(table, dict):
            table[key] = environ[variable]
            overridden[(section, key)] = variable
    share_document_limit(tables)
    named = {".".join(key): variable for key, variable in overridden.items()}
    values = {**tables, "config": config, "file": file, "from_environment": named}
    loaded = toml.validate(Settings, values, file, overridden)
    require_complete(loaded.model)
    return loaded


def config_folder(environ: Mapping[str, str]) -> Path:
    """The operator's folder; a relative path starts at the checkout, as processes start in different folders."""
    return PROJECT_ROOT / Path(environ.get("CSPS_LLM_CONFIG") or SHIPPED).expanduser()


def overlay_tables(config: Path) -> tuple[dict[str, Any], Path]:
    """The shipped tables, overridden key by key by the folder's, and the file that error messages name."""
    if not config.is_dir():
        raise ConfigError(f"CSPS_LLM_CONFIG: there is no folder {config}")
    tables, own = toml.read_tables(SHIPPED / FILE), config / FILE
    if config.resolve() == SHIPPED or not own.exists():
        return tables, SHIPPED / FILE
    for section, table in toml.read_tables(own).items():
        shipped = tables.get(section)
        tables[section] = {**shipped, **table} if isinstance(shipped, dict) and isinstance(table, dict) else table
    return tables, own


def share_document_limit(tables: Mapping[str, Any]) -> None:
    """Gives the web and the bots the limit of all documents, unless they have their own."""
    rag = tables.get("rag")
    for section in ("web", "bot"):
        table = tables.get(section)
        if isinstance(table, dict) and isinstance(rag, dict) and table.get("file_limit_bytes") == "":
            table["file_limit_bytes"] = rag.get("document_limit_bytes")


def require_complete(model: ModelSettings) -> None:
    """Raises ConfigError if only one of Hugging Face repository and file is set."""
    repo, file = model.huggingface_repo, model.huggingface_file
    if model.url or model.file or bool(repo) == bool(file):
        return
    if repo:
        raise ConfigError(
            f"LLM_HUGGINGFACE_FILE is missing: it says which file of {repo} to take, for example *Q4_K_M.gguf"
        )
    raise ConfigError(
        f"LLM_HUGGINGFACE_REPO is missing: it says where {file} is, as owner/name, "
        "for example bartowski/SmolLM2-1.7B-Instruct-GGUF"
    )


def variables() -> list[tuple[str, str, FieldInfo]]:
    """(section, key, field) of each setting that a variable overrides."""
    return [
        (section, key, field)
        for section, table in Settings.model_fields.items()
        if isinstance(table.annotation, type) and issubclass(table.annotation, Section)
        for key, field in table.annotation.model_fields.items()
    ]


def variable_of(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    return str(extra["env"])
