"""The only reader of the environment and of config/settings.toml.

Defaults live in config/settings.toml, the environment wins, and what results is one frozen `Settings`, built once by
`load` and passed in. Each field names its variable, so that docs and `doctor` can list them without a second table.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

from core import toml

ROOT = Path(__file__).resolve().parent.parent
SOCKET_PATH_LIMIT_BYTES = 100  # sun_path holds 104 to 108 bytes, by platform


def env(variable: str, **constraints: Any) -> Any:
    """A field that the environment variable `variable` overrides."""
    return Field(json_schema_extra={"env": variable}, **constraints)


def split_commas(value: object) -> object:
    """A list given by the environment: "a, b" → ["a", "b"]."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def none_if_empty(value: object) -> object:
    """TOML has no null and a shell unsets by emptying: "" means "not set" for optional fields."""
    return None if value == "" else value


CommaList = Annotated[tuple[str, ...], BeforeValidator(split_commas)]
OptionalStr = Annotated[str | None, BeforeValidator(none_if_empty)]
OptionalInt = Annotated[int | None, BeforeValidator(none_if_empty)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(none_if_empty)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelSettings(Section):
    """Which model answers, and how much of the machine it may use."""

    file: OptionalStr = env("LLM_MODEL_FILE")
    huggingface_repo: OptionalStr = env("LLM_HUGGINGFACE_REPO")
    huggingface_file: OptionalStr = env("LLM_HUGGINGFACE_FILE")
    gpu_layers: OptionalInt = env("LLM_GPU_LAYERS", ge=-1)  # None: all if there is a GPU, else none; -1: all
    context_window: OptionalInt = env("LLM_CONTEXT_WINDOW", ge=256)  # tokens a conversation may take
    cpu_threads: OptionalInt = env("LLM_CPU_THREADS", ge=1, le=512)  # None: the physical cores
    url: OptionalStr = env("LLM_URL")  # an OpenAI-compatible engine instead of the local process
    api_key: OptionalSecret = env("LLM_API_KEY")
    name: OptionalStr = env("LLM_MODEL")  # the model to ask the remote engine for
    listen: OptionalStr = env("LLM_LISTEN")  # "host:port" for the local process instead of its Unix socket
    slots: int = env("LLM_SLOTS", ge=1, le=128)  # sequences that are decoded together
    queue_limit: int = env("LLM_QUEUE", ge=1)  # requests that may wait for a slot
    cache_tokens: OptionalInt = env("LLM_CACHE_TOKENS", ge=256)  # KV cells; None: by window, slots and free memory
    suspend_mb: int = env("LLM_SUSPEND_MB", ge=0)  # host memory for suspended conversations
    wait_s: float = env("LLM_WAIT_S", gt=0)  # how long a reply waits for a model process that is away


class WebSettings(Section):
    host: str = env("HOST")
    port: int = env("PORT", ge=0, le=65535)
    origins: CommaList = env("WEB_ORIGINS")  # exact; added to the service's own address
    connections: int = env("WEB_CONNECTIONS", ge=1)  # sockets open at once
    body_limit_bytes: int = env("WEB_BODY_LIMIT", ge=1024)
    read_timeout_s: float = env("WEB_READ_TIMEOUT_S", gt=0)  # for a request's whole body
    drain_s: float = env("WEB_DRAIN_S", ge=0)  # how long running replies may go on after SIGTERM


class DataSettings(Section):
    folder: str = env("CSPS_LLM_DATA")
    database_url: OptionalStr = env("DATABASE_URL")
    keep_days: int = env("SESSION_KEEP_DAYS", ge=1)


class LogSettings(Section):
    level: str = env("LOG_LEVEL", pattern="^(debug|info|warning|error)$")
    format: str = env("LOG_FORMAT", pattern="^(text|json)$")


class Settings(Section):
    model: ModelSettings
    web: WebSettings
    data: DataSettings
    log: LogSettings
    config: Path  # the folder that was read

    @property
    def data_folder(self) -> Path:
        """Absolute; a relative setting is taken from the checkout, not from wherever a process was started."""
        return ROOT / Path(self.data.folder).expanduser()

    @property
    def database_url(self) -> str:
        return self.data.database_url or f"sqlite:///{self.data_folder / 'csps-llm.db'}"

    @property
    def model_socket(self) -> Path:
        """Where the local model process listens. Long checkouts get a short path: the kernel's limit is about 100."""
        path = self.data_folder / "run" / "model.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT_BYTES:
            return path
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"csps-llm-{os.getuid()}-{digest}" / "model.sock"


def load(environ: Mapping[str, str] | None = None, config: Path | None = None) -> Settings:
    """Read config/settings.toml and the environment. Raises ConfigError naming the file or variable and the key."""
    environ = os.environ if environ is None else environ
    config = config or Path(environ.get("CSPS_LLM_CONFIG") or ROOT / "config")
    file = config / "settings.toml"
    tables = toml.read(file)
    overridden: dict[tuple[str, ...], str] = {}
    for section, key, field in variables():
        variable = variable_of(field)
        if variable in environ:
            tables.setdefault(section, {})[key] = environ[variable]
            overridden[(section, key)] = variable
    return toml.validate(Settings, {**tables, "config": config}, file, overridden)


def variables() -> list[tuple[str, str, FieldInfo]]:
    """(section, key, field) of every setting that a variable overrides."""
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
