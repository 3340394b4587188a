"""The sections of settings.toml. Each field has its environment variable, its meaning, its unit and an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from core.configuration.setting_types import (
    CommaList,
    EditorList,
    EngineUrl,
    Host,
    OptionalBool,
    OptionalInt,
    OptionalKvType,
    OptionalPath,
    OptionalSecret,
    OptionalStr,
    OptionalTimeZone,
    UrlPrefix,
    env,
    hub_repo,
)
from core.configuration.toml import Section

DOCUMENT_MAX_BYTES = 16 * 1024 * 1024  # `core.rag.reading` reads nothing above


class ModelSettings(Section):
    """The model that answers, and its share of the machine."""

    file: OptionalPath = env(
        "LLM_MODEL_FILE",
        "The path of a GGUF file. It takes precedence over the Hugging Face repository.",
        "/srv/models/SmolLM2-1.7B-Instruct-Q4_K_M.gguf",
    )
    huggingface_repo: Annotated[OptionalStr, AfterValidator(hub_repo)] = env(
        "LLM_HUGGINGFACE_REPO",
        "The Hugging Face repository that the model is downloaded from, as owner/name.",
        "bartowski/SmolLM2-1.7B-Instruct-GGUF",
    )
    huggingface_file: OptionalStr = env(
        "LLM_HUGGINGFACE_FILE",
        "The file to take from that repository; wildcards are allowed. It is downloaded once and checked by SHA-256.",
        "*Q4_K_M.gguf",
    )
    auto: bool = env(
        "LLM_AUTO",
        "If no model is set: on chooses the best model for this machine and downloads it while the starter answers. off"
        " answers from the starter and downloads nothing.",
        "off",
    )
    gpu_layers: OptionalInt = env(
        "LLM_GPU_LAYERS",
        "The number of layers on the GPU: -1 for all, 0 for none. Empty: as many as fit into its free memory.",
        "-1",
        ge=-1,
    )
    context_window: OptionalInt = env(
        "LLM_CONTEXT_WINDOW",
        "The tokens that a conversation and its answer share. Empty: the model's own window, at most 8192. A default"
        " model that was trained for less is refused; another one takes its own window."
        " With LLM_URL, the engine's own window applies if it is smaller; 4096 if neither names one.",
        "8192",
        ge=256,
    )
    cpu_threads: OptionalInt = env(
        "LLM_CPU_THREADS",
        "The threads for inference. Empty: the fast physical cores within the limits of containers and services, or"
        " what `csps-llm tune` found.",
        "8",
        ge=1,
        le=512,
    )
    url: EngineUrl = env(
        "LLM_URL",
        "The URL of an OpenAI-compatible engine that is used instead of the local model process.",
        "http://localhost:8000/v1",
    )
    api_key: OptionalSecret = env(
        "LLM_API_KEY",
        "The API key of the engine at LLM_URL, or the key that a local model process on TCP requires of its callers.",
        "sk-0123456789",
    )
    name: OptionalStr = env(
        "LLM_MODEL",
        "The default model: an id of config/models.toml. With LLM_URL: the model to request from that engine. Empty:"
        " the best one for this machine, or the first that the engine lists.",
        "ministral-8b",
    )
    listen: OptionalStr = env(
        "LLM_LISTEN",
        "The host:port of the local model process. It needs LLM_API_KEY. Empty: a Unix socket.",
        "127.0.0.1:8080",
    )
    slots: int = env("LLM_SLOTS", "The number of answers generated at the same time.", "16", ge=1, le=128)
    queue_limit: int = env(
        "LLM_QUEUE", "The number of requests that may wait for a slot. Further requests get status 503.", "256", ge=1
    )
    cache_tokens: OptionalInt = env(
        "LLM_CACHE_TOKENS",
        "The size of the KV cache in tokens. Empty: two context windows, or less if memory is short.",
        "16384",
        ge=256,
    )
    kv_type: OptionalKvType = env(
        "LLM_KV_TYPE",
        "The type of the values in the KV cache: f16, q8_0 or q4_0. q8_0 takes half of the memory of f16, q4_0 a"
        " quarter, with less exact answers. Both need flash attention. Empty: f16, or q8_0 where one context window"
        " would not fit otherwise.",
        "q8_0",
    )
    flash_attention: OptionalBool = env(
        "LLM_FLASH_ATTENTION",
        "Flash attention, which takes less memory: on or off. Empty: on where the model and the device allow it, or"
        " what `csps-llm tune` found.",
        "off",
    )
    memory_mb: OptionalInt = env(
        "LLM_MEMORY_MB",
        "The memory, in MiB, that loaded models may take together. The one that was used least recently leaves first."
        " Empty: four fifths of the memory that is free at the start.",
        "16384",
        ge=1,
    )
    suspend_mb: int = env(
        "LLM_SUSPEND_MB", "The host memory, in MiB, for conversations that left the KV cache.", "512", ge=0
    )
    suspend_disk_mb: int = env(
        "LLM_SUSPEND_DISK_MB",
        "The disk space, in MiB, for idle conversations of all local models together, encrypted in the data folder."
        " 0: none are kept.",
        "4096",
        ge=0,
    )
    wait_s: float = env("LLM_WAIT_S", "The seconds that an answer waits for a model that is away.", "60", gt=0)
    timeout_s: float = env(
        "LLM_TIMEOUT_S",
        "The seconds that an engine may be silent, before an answer begins and within it. Time in the engine's queue"
        " counts.",
        "600",
        gt=0,
    )


class WebSettings(Section):
    """The web server: its address, its limits and its users."""

    host: Host = env("HOST", "The address that the web server listens on.", "0.0.0.0")  # noqa: S104 - an example
    port: int = env("PORT", "The TCP port that the web server listens on.", "5000", ge=0, le=65535)
    origins: CommaList = env(
        "WEB_ORIGINS",
        "The addresses at which people reach the page, separated by commas and compared exactly. http://HOST:PORT is"
        " always one of them.",
        "https://chat.example.gc.ca",
    )
    prefix: UrlPrefix = env(
        "WEB_PREFIX",
        "The path under which a proxy shows the service, if that is not the root of its host. The proxy may remove it"
        " from requests or leave it.",
        "/chat",
    )
    trusted: CommaList = env(
        "WEB_TRUSTED",
        "The proxies and applications trusted to report the real user, as addresses and networks separated by commas."
        " Proxies use X-Forwarded-For, applications the field user of /v1.",
        "10.0.0.5, 10.1.0.0/16",
    )
    user_header: OptionalStr = env(
        "WEB_USER_HEADER",
        "The header in which the proxies of WEB_TRUSTED name the person who is signed in: the owner of the"
        " page's conversations, and `web:` in FACTS_EDITORS. Empty: nobody is identified.",
        "X-Forwarded-User",
    )
    email_header: OptionalStr = env(
        "WEB_EMAIL_HEADER",
        "The header in which these proxies give the person's e-mail address, for access lists. It needs"
        " WEB_USER_HEADER.",
        "X-Forwarded-Email",
    )
    groups_header: OptionalStr = env(
        "WEB_GROUPS_HEADER",
        "The header in which these proxies list the person's groups, separated by commas, for access lists. It needs"
        " WEB_USER_HEADER.",
        "X-Forwarded-Groups",
    )
    keys_required: CommaList = env(
        "WEB_KEYS_REQUIRED",
        "The paths that need an API key or a person who is signed in, separated by commas: toil, v1, gpt. With gpt, the"
        " page answers signed-in people only. Keys: `csps-llm keys`.",
        "toil, v1",
    )
    person_rate: OptionalInt = env(
        "WEB_PERSON_RATE",
        "The questions of one person or visitor in a minute, in each web process. Empty: as many as they like.",
        "20",
        ge=1,
    )
    person_tokens_per_day: OptionalInt = env(
        "WEB_PERSON_TOKENS_PER_DAY",
        "The tokens of one person or visitor in a day (UTC), prompts and answers, in each web process. Empty: as many"
        " as they like.",
        "200000",
        ge=1,
    )
    connections: int = env("WEB_CONNECTIONS", "The number of requests and sockets open at once.", "1000", ge=1)
    body_limit_bytes: int = env(
        "WEB_BODY_LIMIT", "The largest request body or WebSocket frame, in bytes.", "1048576", ge=1024
    )
    file_limit_bytes: int = env(
        "WEB_FILE_LIMIT",
        "The largest attached file, in bytes. Empty: DOCUMENT_LIMIT.",
        "4194304",
        ge=1024,
        le=DOCUMENT_MAX_BYTES,
    )
    read_timeout_s: float = env("WEB_READ_TIMEOUT_S", "The seconds for a whole request to arrive.", "15", gt=0)
    notice_s: float = env(
        "WEB_NOTICE_S",
        "The seconds after SIGTERM in which /readyz already answers 503 and requests are still accepted, so that a"
        " balancer sends no more of them. Longer than the balancer takes to notice; 0 without a balancer.",
        "10",
        ge=0,
        le=600,
    )
    drain_s: float = env(
        "WEB_DRAIN_S", "The seconds that running answers may continue after SIGTERM and WEB_NOTICE_S.", "30", ge=0
    )


class BotSettings(Section):
    """Limits of the bots on all platforms."""

    answers: int = env("BOT_ANSWERS", "The number of answers that one bot writes at the same time.", "16", ge=1)
    user_limit: int = env(
        "BOT_USER_LIMIT", "The number of messages of one person that are answered within ten minutes.", "40", ge=1
    )
    file_limit_bytes: int = env(
        "BOT_FILE_LIMIT",
        "The largest attached file, in bytes. Empty: DOCUMENT_LIMIT.",
        "2097152",
        ge=1024,
        le=DOCUMENT_MAX_BYTES,
    )
    row_limit: int = env("BOT_ROW_LIMIT", "The number of rows of a file that is answered row by row.", "5000", ge=1)
    drain_s: float = env(
        "BOT_DRAIN_S", "The seconds that a bot's running answers may continue after SIGTERM.", "30", ge=0
    )
    lease_s: float = env(
        "BOT_LEASE_S",
        "The seconds after which other processes on the same PostgreSQL continue the answers of a silent one.",
        "10",
        ge=1,
    )


class TimeSettings(Section):
    """The time zone of dates."""

    zone: OptionalTimeZone = env(
        "TIME_ZONE",
        "The time zone of the date in each prompt and of dates in answers, by its IANA name. Empty: the machine's.",
        "America/Toronto",
    )


class RagSettings(Section):
    """Pages, feeds and facts that answers are based on."""

    document_limit_bytes: int = env(
        "DOCUMENT_LIMIT",
        "The largest document that is read, in bytes; at most 16777216. It counts for attached files and for addresses."
        " Longer pages, feeds and texts at an address are cut, and the answer says so; other documents are refused.",
        "4194304",
        ge=1024,
        le=DOCUMENT_MAX_BYTES,
    )
    contact: OptionalStr = env(
        "RAG_CONTACT",
        "A URL or an e-mail address for the owners of fetched sites. The User-Agent header contains it.",
        "https://example.gc.ca/contact",
    )
    allow: CommaList = env(
        "RAG_ALLOW",
        "The host:port pairs inside your network from which pages may be fetched, separated by commas.",
        "intranet.example.gc.ca:443",
    )
    deny: CommaList = env(
        "RAG_DENY",
        "The networks that are never fetched from although their addresses are public, separated by commas.",
        "198.103.0.0/16",
    )
    embeddings_url: EngineUrl = env(
        "RAG_EMBEDDINGS_URL",
        "The URL of an OpenAI-compatible engine that computes embeddings. Empty: the bundled encoder.",
        "http://localhost:8000/v1",
    )
    embeddings_model: OptionalStr = env(
        "RAG_EMBEDDINGS_MODEL", "The model to request from the engine at RAG_EMBEDDINGS_URL.", "bge-m3"
    )
    embeddings_api_key: OptionalSecret = env(
        "RAG_EMBEDDINGS_API_KEY", "The API key of the engine at RAG_EMBEDDINGS_URL.", "sk-0123456789"
    )
    facts_editors: EditorList = env(
        "FACTS_EDITORS",
        "Who may add documents to collections and remove them, separated by commas: `slack:`, `discord:`, `teams:` or"
        " `web:` before an id, role or group as in access lists. `facts_editors` of a collection in facts.toml takes"
        " precedence. Empty: nobody.",
        "slack:U0123, discord:112233445566778899, web:ana@example.gc.ca",
    )


class DataSettings(Section):
    """The place of stored data, and its retention period."""

    folder: str = env(
        "CSPS_LLM_DATA",
        "The folder for the database, models, caches and sockets. A relative path starts at the checkout.",
        "/srv/csps-llm",
    )
    database_url: OptionalStr = env(
        "DATABASE_URL",
        "The URL of the database: SQLite or PostgreSQL. Facts use pgvector if PostgreSQL has it and this user may"
        " create it. Empty: csps-llm.db in the data folder.",
        "postgresql+psycopg://user:password@host/name",
    )
    keep_days: int = env(
        "SESSION_KEEP_DAYS", "The days after which a conversation without new messages is deleted.", "30", ge=1
    )


class LogSettings(Section):
    """The log on standard error."""

    level: Literal["debug", "info", "warning", "error"] = env(
        "LOG_LEVEL", "The lowest level that is logged: debug, info, warning or error.", "warning"
    )
    format: Literal["text", "json"] = env("LOG_FORMAT", "The format of log lines: text or json.", "json")
