"""The only reader of the environment and of settings.toml.

Defaults live in our config/settings.toml, a folder of the operator's own (CSPS_LLM_CONFIG) says what differs, the
environment wins, and what results is one frozen `Settings`, built once by `load` and passed in. Each field names its
variable, so that docs and `doctor` can list them without a second table.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints
from pydantic.fields import FieldInfo

from core import PROJECT_ROOT
from core.configuration import toml
from core.configuration.toml import Section
from core.errors import ConfigError

SHIPPED = PROJECT_ROOT / "config"
FILE = "settings.toml"
HUB_REPO = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
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


def split_pairs(value: object) -> object:
    """A table given by the environment: "C1=chuchotte, T2=whisper" → {"C1": "chuchotte", "T2": "whisper"}."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if any(not key.strip() or not name.strip() for key, _, name in pairs):
        raise ValueError('expected pairs such as "C1=chuchotte, T2=whisper"')
    return {key.strip(): name.strip() for key, _, name in pairs}


def whole_number(value: object) -> object:
    value = none_if_empty(value)
    if isinstance(value, str) and not re.fullmatch(r"\s*-?\d+\s*", value, re.ASCII):
        raise ValueError("expected a whole number, or nothing for the automatic choice")
    return value


def web_url(example: str) -> AfterValidator:
    def check(value: str | None) -> str | None:
        if value is not None and not is_web_url(value):
            raise ValueError(f"expected a URL that begins with http:// or https://, such as {example}")
        return value

    return AfterValidator(check)


def is_web_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, brackets without an address
        return False


def token(beginnings: tuple[str, ...], kind: str) -> AfterValidator:
    """What is no token of this kind is refused before it is sent anywhere; it may be another secret."""

    def check(value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(beginnings):
            raise ValueError(f"expected {kind}, which begins with {beginnings[0]}")
        return value

    return AfterValidator(check)


def sendable(value: SecretStr | None) -> SecretStr | None:
    """What a header can carry. The message must not repeat it."""
    if value is not None and not VISIBLE_ASCII.fullmatch(value.get_secret_value()):
        raise ValueError("expected letters, digits and signs of ASCII, without blanks: copy it once more")
    return value


def hub_repo(value: str | None) -> str | None:
    if value is not None and not HUB_REPO.fullmatch(value):
        raise ValueError("expected owner/name, such as bartowski/SmolLM2-1.7B-Instruct-GGUF")
    return value


CommaList = Annotated[tuple[str, ...], BeforeValidator(split_commas)]
OptionalStr = Annotated[str | None, BeforeValidator(none_if_empty)]
# A file's name is any bytes: to strip it would ask for UTF-8.
PathStr = Annotated[str, StringConstraints(strip_whitespace=False)]
OptionalPath = Annotated[PathStr | None, BeforeValidator(none_if_empty)]
OptionalInt = Annotated[int | None, BeforeValidator(whole_number)]
# An empty one would listen everywhere.
Host = Annotated[str, StringConstraints(min_length=1)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(none_if_empty), AfterValidator(sendable)]
EngineUrl = Annotated[OptionalStr, web_url("http://localhost:8000/v1")]
OptionalUrl = Annotated[OptionalStr, web_url("https://proxy.example.org/api")]
Pairs = Annotated[dict[str, str], BeforeValidator(split_pairs)]


class ModelSettings(Section):
    """Which model answers, and how much of the machine it may use."""

    file: OptionalPath = env("LLM_MODEL_FILE")
    huggingface_repo: Annotated[OptionalStr, AfterValidator(hub_repo)] = env("LLM_HUGGINGFACE_REPO")
    huggingface_file: OptionalStr = env("LLM_HUGGINGFACE_FILE")
    gpu_layers: OptionalInt = env("LLM_GPU_LAYERS", ge=-1)  # None: all if there is a GPU, else none; -1: all
    context_window: OptionalInt = env("LLM_CONTEXT_WINDOW", ge=256)  # tokens a conversation may take
    cpu_threads: OptionalInt = env("LLM_CPU_THREADS", ge=1, le=512)  # None: the physical cores
    url: EngineUrl = env("LLM_URL")  # an OpenAI-compatible engine instead of the local process
    api_key: OptionalSecret = env("LLM_API_KEY")
    name: OptionalStr = env("LLM_MODEL")  # the model to ask the remote engine for
    listen: OptionalStr = env("LLM_LISTEN")  # "host:port" for the local process instead of its Unix socket
    slots: int = env("LLM_SLOTS", ge=1, le=128)  # sequences that are decoded together
    queue_limit: int = env("LLM_QUEUE", ge=1)  # requests that may wait for a slot
    cache_tokens: OptionalInt = env("LLM_CACHE_TOKENS", ge=256)  # KV cells; None: by window and free memory
    suspend_mb: int = env("LLM_SUSPEND_MB", ge=0)  # host memory for suspended conversations
    wait_s: float = env("LLM_WAIT_S", gt=0)  # how long a reply waits for a model process that is away
    timeout_s: float = env("LLM_TIMEOUT_S", gt=0)  # how long an engine may be silent while it owes an answer


class WebSettings(Section):
    host: Host = env("HOST")
    port: int = env("PORT", ge=0, le=65535)
    origins: CommaList = env("WEB_ORIGINS")  # exact; added to the service's own address
    trusted: CommaList = env("WEB_TRUSTED")  # addresses and networks that say truly for whom they ask
    connections: int = env("WEB_CONNECTIONS", ge=1)  # requests and sockets open at once
    body_limit_bytes: int = env("WEB_BODY_LIMIT", ge=1024)
    file_limit_bytes: int = env("WEB_FILE_LIMIT", ge=1024, le=16 * 1024 * 1024)  # above, core.rag.reading reads nothing
    read_timeout_s: float = env("WEB_READ_TIMEOUT_S", gt=0)  # for a request's whole body
    drain_s: float = env("WEB_DRAIN_S", ge=0)  # how long running replies may go on after SIGTERM


class BotSettings(Section):
    """What holds for the bots of all platforms."""

    answers: int = env("BOT_ANSWERS", ge=1)  # written at once by one process
    user_limit: int = env("BOT_USER_LIMIT", ge=1)  # messages of one person that are answered in ten minutes
    file_limit_bytes: int = env("BOT_FILE_LIMIT", ge=1024)  # of one attached file
    row_limit: int = env("BOT_ROW_LIMIT", ge=1)  # of one CSV that is answered row by row
    drain_s: float = env("BOT_DRAIN_S", ge=0)  # how long running answers may go on after SIGTERM


class PlatformSettings(Section):
    """What each platform's section has. Ids are the platform's own."""

    host: str
    port: int
    personality: str | None  # None: the first personality of the language that a conversation begins in
    personality_of: dict[str, str]  # by workspace or channel; the channel's goes before
    allow: tuple[str, ...]  # if there are any, nobody else is answered
    deny: tuple[str, ...]

    @property
    @abstractmethod
    def missing(self) -> str | None:
        """The variable without which the adapter cannot start."""

    @property
    @abstractmethod
    def wanted(self) -> bool:
        """Something that only this platform's bot needs is set."""


class SlackSettings(PlatformSettings):
    """Socket Mode with an app token; else HTTP with a signing secret."""

    bot_token: Annotated[OptionalSecret, token(("xoxb-", "xoxe.xoxb-"), "a bot token")] = env("SLACK_BOT_TOKEN")
    app_token: Annotated[OptionalSecret, token(("xapp-",), "an app-level token")] = env("SLACK_APP_TOKEN")
    signing_secret: OptionalSecret = env("SLACK_SIGNING_SECRET")
    host: Host = env("SLACK_HOST")
    port: int = env("SLACK_PORT", ge=0, le=65535)
    personality: OptionalStr = env("SLACK_PERSONALITY")
    personality_of: Pairs = env("SLACK_PERSONALITIES")
    allow: CommaList = env("SLACK_ALLOW")
    deny: CommaList = env("SLACK_DENY")
    api_base_url: Annotated[str, web_url("https://slack.com/api/")] = env("SLACK_API_BASE_URL")

    @property
    def missing(self) -> str | None:
        if self.bot_token is None:
            return "SLACK_BOT_TOKEN"
        return None if self.app_token or self.signing_secret else "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET"

    @property
    def wanted(self) -> bool:
        return any((self.bot_token, self.app_token, self.signing_secret))


class DiscordSettings(PlatformSettings):
    bot_token: OptionalSecret = env("DISCORD_BOT_TOKEN")
    message_content: bool = env("DISCORD_MESSAGE_CONTENT")  # the privileged intent was granted to the application
    host: Host = env("DISCORD_HOST")
    port: int = env("DISCORD_PORT", ge=0, le=65535)
    personality: OptionalStr = env("DISCORD_PERSONALITY")
    personality_of: Pairs = env("DISCORD_PERSONALITIES")
    allow: CommaList = env("DISCORD_ALLOW")
    deny: CommaList = env("DISCORD_DENY")
    api_base_url: OptionalUrl = env("DISCORD_API_BASE_URL")
    gateway_url: OptionalStr = env("DISCORD_GATEWAY_URL")

    @property
    def missing(self) -> str | None:
        return None if self.wanted else "DISCORD_BOT_TOKEN"

    @property
    def wanted(self) -> bool:
        return self.bot_token is not None


class TeamsSettings(PlatformSettings):
    app_id: OptionalStr = env("TEAMS_APP_ID")
    app_password: OptionalSecret = env("TEAMS_APP_PASSWORD")
    tenant_id: OptionalStr = env("TEAMS_TENANT_ID")
    host: Host = env("TEAMS_HOST")
    port: int = env("TEAMS_PORT", ge=0, le=65535)
    personality: OptionalStr = env("TEAMS_PERSONALITY")
    personality_of: Pairs = env("TEAMS_PERSONALITIES")
    allow: CommaList = env("TEAMS_ALLOW")
    deny: CommaList = env("TEAMS_DENY")
    openid_metadata_url: OptionalUrl = env("TEAMS_OPENID_METADATA_URL")
    token_issuer: OptionalStr = env("TEAMS_TOKEN_ISSUER")
    login_url: OptionalUrl = env("TEAMS_LOGIN_URL")
    oauth_scope: OptionalStr = env("TEAMS_OAUTH_SCOPE")
    allow_unauthenticated: bool = env("TEAMS_ALLOW_UNAUTHENTICATED")  # for the playground; on loopback only

    @property
    def missing(self) -> str | None:
        if self.allow_unauthenticated:
            return None
        needed = {"TEAMS_APP_ID": self.app_id, "TEAMS_APP_PASSWORD": self.app_password}
        needed["TEAMS_TENANT_ID"] = self.tenant_id
        return next((variable for variable, value in needed.items() if value is None), None)

    @property
    def wanted(self) -> bool:
        return any((self.app_id, self.app_password, self.allow_unauthenticated))


class RagSettings(Section):
    """Where answers may be looked up."""

    contact: OptionalStr = env("RAG_CONTACT")  # in the User-Agent: a URL or an e-mail address
    allow: CommaList = env("RAG_ALLOW")  # "host:port" inside the network that pages may be fetched from
    deny: CommaList = env("RAG_DENY")  # networks that are not reached although they look public
    embeddings_url: EngineUrl = env("RAG_EMBEDDINGS_URL")  # "https://…/v1" instead of the bundled encoder
    embeddings_model: OptionalStr = env("RAG_EMBEDDINGS_MODEL")
    embeddings_api_key: OptionalSecret = env("RAG_EMBEDDINGS_API_KEY")


class DataSettings(Section):
    folder: str = env("CSPS_LLM_DATA")
    database_url: OptionalStr = env("DATABASE_URL")
    keep_days: int = env("SESSION_KEEP_DAYS", ge=1)


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = env("LOG_LEVEL")
    format: Literal["text", "json"] = env("LOG_FORMAT")


class Settings(Section):
    model: ModelSettings
    web: WebSettings
    bot: BotSettings
    slack: SlackSettings
    discord: DiscordSettings
    teams: TeamsSettings
    rag: RagSettings
    data: DataSettings
    log: LogSettings
    config: Path  # the folder that was read over the shipped one
    file: Path  # the settings.toml that mistakes are in
    from_environment: dict[str, str] = Field(default_factory=dict)  # "web.port": "PORT", where that was set

    @property
    def data_folder(self) -> Path:
        """Absolute; a relative setting is taken from the checkout, not from wherever a process was started."""
        return PROJECT_ROOT / Path(self.data.folder).expanduser()

    @property
    def database_url(self) -> str:
        return self.data.database_url or f"sqlite:///{self.data_folder / 'csps-llm.db'}"

    def platform(self, name: str) -> PlatformSettings:
        """The section of "slack", "discord" or "teams"."""
        section = getattr(self, name)
        assert isinstance(section, PlatformSettings)
        return section

    def config_file(self, name: str) -> Path:
        """A file or folder of the configuration: the operator's own where there is one, else the shipped one."""
        own = self.config / name
        return own if own.exists() else SHIPPED / name

    def origin(self, section: str, key: str) -> str:
        """Where somebody who has to change a setting finds it: its variable, or the file."""
        return self.from_environment.get(f"{section}.{key}") or str(self.file)

    @property
    def model_socket(self) -> Path:
        """Where the local model process listens. Long checkouts get a short path: the kernel's limit is about 100."""
        path = self.data_folder / "run" / "model.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT_BYTES:
            return path
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"csps-llm-{os.getuid()}-{digest}" / "model.sock"


def load(environ: Mapping[str, str] | None = None, config: Path | None = None) -> Settings:
    """Read settings.toml and the environment. Raises ConfigError naming the file or variable and the key."""
    environ = os.environ if environ is None else environ
    config = config or config_folder(environ)
    tables, file = layered(config)
    overridden: dict[tuple[str, ...], str] = {}
    for section, key, field in variables():
        variable = variable_of(field)
        table = tables.setdefault(section, {})
        if variable in environ and isinstance(table, dict):
            table[key] = environ[variable]
            overridden[(section, key)] = variable
    named = {".".join(key): variable for key, variable in overridden.items()}
    read = {**tables, "config": config, "file": file, "from_environment": named}
    loaded = toml.validate(Settings, read, file, overridden)
    require_whole(loaded.model)
    return loaded


def config_folder(environ: Mapping[str, str]) -> Path:
    """The folder that lies over the shipped one. A relative path begins at the checkout.

    Not at the working directory: the processes of one service start in different ones.
    """
    return PROJECT_ROOT / Path(environ.get("CSPS_LLM_CONFIG") or SHIPPED).expanduser()


def layered(config: Path) -> tuple[dict[str, Any], Path]:
    """What is shipped, and over it, key by key, what the folder says; with the file that mistakes are in."""
    if not config.is_dir():
        raise ConfigError(f"CSPS_LLM_CONFIG: there is no folder {config}")
    tables, own = toml.read(SHIPPED / FILE), config / FILE
    if config.resolve() == SHIPPED or not own.exists():
        return tables, SHIPPED / FILE
    for section, says in toml.read(own).items():
        under = tables.get(section)
        tables[section] = {**under, **says} if isinstance(under, dict) and isinstance(says, dict) else says
    return tables, own


def require_whole(model: ModelSettings) -> None:
    """Raises ConfigError where half of what is needed is there."""
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
