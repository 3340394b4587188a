"""The types of settings' fields: how they read a text from the environment, and which values they refuse.

Pydantic reports each ValueError with the variable's name. No message repeats a value: it may be a secret.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints

from core.local_time import find_zone

HUB_REPO = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
URL_PREFIX = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*", re.ASCII)
VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
SHARDS_LIMIT = 1024
NAME_KINDS = ("user", "group", "key", "slack", "discord", "teams")
EDITOR_PLATFORMS = ("slack", "discord", "teams", "web")


def env(variable: str, description: str, example: str, **constraints: Any) -> Any:
    """A field that the environment variable `variable` overrides. `example`: a value as one writes it there.

    The reference in docs/operating.md is generated from these.
    """
    return Field(description=description, examples=[example], json_schema_extra={"env": variable}, **constraints)


def split_commas(value: object) -> object:
    """A list from the environment: "a, b" → ["a", "b"]."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def none_if_empty(value: object) -> object:
    """Reads "" as "not set": TOML has no null, and shells often unset a variable by emptying it."""
    return None if value == "" else value


def split_pairs(value: object) -> object:
    """A table from the environment: "C1=chuchotte, T2=whisper" → {"C1": "chuchotte", "T2": "whisper"}."""
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
    except ValueError:  # an invalid port, or brackets without an address
        return False


def token(beginnings: tuple[str, ...], kind: str) -> AfterValidator:
    """Refuses a value that is no token of this kind before it is sent anywhere: it may be another secret."""

    def check(value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(beginnings):
            raise ValueError(f"expected {kind}, which begins with {beginnings[0]}")
        return value

    return AfterValidator(check)


def sendable(value: SecretStr | None) -> SecretStr | None:
    """Refuses a secret that no HTTP header can carry."""
    if value is not None and not VISIBLE_ASCII.fullmatch(value.get_secret_value()):
        raise ValueError("expected letters, digits and signs of ASCII, without blanks: copy it again")
    return value


def shard_count(value: str) -> str:
    """Accepts "auto" and a number of shards."""
    if value == "auto" or (value.isascii() and value.isdecimal() and 1 <= int(value) <= SHARDS_LIMIT):
        return value
    raise ValueError(f'expected "auto" or a number from 1 to {SHARDS_LIMIT}')


def hub_repo(value: str | None) -> str | None:
    if value is not None and not HUB_REPO.fullmatch(value):
        raise ValueError("expected owner/name, such as bartowski/SmolLM2-1.7B-Instruct-GGUF")
    return value


def hub_file(value: str) -> str:
    """Accepts a file of a repository, also in a folder of it, and wildcards. Its path may not leave the repository."""
    if "\\" in value or any(part in ("", ".", "..") for part in value.split("/")):
        raise ValueError("expected a file of the repository, such as *Q4_K_M.gguf")
    return value


def url_prefix(value: str) -> str:
    """Accepts "" and a path such as "/chat", also without its slash or with one at its end."""
    path = value.strip("/")
    if path and not URL_PREFIX.fullmatch(path):
        raise ValueError("expected a path such as /chat, of letters, digits, dots, hyphens and underscores")
    return f"/{path}" if path else ""


def time_zone(value: str | None) -> str | None:
    if value is not None:
        try:
            find_zone(value)
        except ValueError as exc:
            raise ValueError("expected the name of a time zone, such as America/Toronto") from exc
    return value


def named_editors(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses entries without a platform: they would name nobody, and nobody would notice."""
    for platform, _, name in (value.partition(":") for value in values):
        if platform not in EDITOR_PLATFORMS or not name:
            raise ValueError(f'expected {", ".join(EDITOR_PLATFORMS)}, a colon and an id, such as "slack:U0123"')
    return values


def named_callers(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses entries that can name nobody: such a list would lock everybody out, and nobody would know why."""
    for kind, _, name in (value.partition(":") for value in values):
        if kind not in NAME_KINDS or not name.strip():
            raise ValueError(f'expected {", ".join(NAME_KINDS)}, a colon and a name, such as "group:hr"')
    return values


CommaList = Annotated[tuple[str, ...], BeforeValidator(split_commas)]
EditorList = Annotated[CommaList, AfterValidator(named_editors)]
AllowList = Annotated[tuple[str, ...], AfterValidator(named_callers)]
OptionalStr = Annotated[str | None, BeforeValidator(none_if_empty)]
# A file name is any bytes; pydantic strips only valid UTF-8.
PathStr = Annotated[str, StringConstraints(strip_whitespace=False)]
OptionalPath = Annotated[PathStr | None, BeforeValidator(none_if_empty)]
OptionalBool = Annotated[bool | None, BeforeValidator(none_if_empty)]
OptionalKvType = Annotated[Literal["f16", "q8_0", "q4_0"] | None, BeforeValidator(none_if_empty)]
OptionalInt = Annotated[int | None, BeforeValidator(whole_number)]
# An empty address would listen on all interfaces.
Host = Annotated[str, StringConstraints(min_length=1)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(none_if_empty), AfterValidator(sendable)]
EngineUrl = Annotated[OptionalStr, web_url("http://localhost:8000/v1")]
UrlPrefix = Annotated[str, AfterValidator(url_prefix)]
OptionalTimeZone = Annotated[OptionalStr, AfterValidator(time_zone)]
OptionalUrl = Annotated[OptionalStr, web_url("https://proxy.example.org/api")]
Pairs = Annotated[dict[str, str], BeforeValidator(split_pairs)]
DirectThreads = Literal["auto", "on", "off"]
ReplyMode = Literal["all", "asked", "mentions"]
ReplyModes = Annotated[dict[str, ReplyMode], BeforeValidator(split_pairs)]
CloudName = Literal["public", "gcch", "dod", "china"]
CredentialKind = Literal["secret", "certificate", "managed_identity", "federated"]
OptionalCredential = Annotated[CredentialKind | None, BeforeValidator(none_if_empty)]
