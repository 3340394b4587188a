"""The engines of an entry of models.toml: URLs that answer for a model, instead of a file on this machine."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from core.configuration.setting_types import web_url
from core.configuration.toml import Section, ShortText
from core.openai.dialects import Feature

EXAMPLE = "http://localhost:8000/v1"
CHAT_PATH = "/chat/completions"  # people copy the whole URL of a request


def without_query(url: str) -> str:
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError(f"expected a URL without ? and #, such as {EXAMPLE}")
    return url


class EngineEntry(Section):
    """One engine. Its key is in the environment, never in the file: `key_env` names the variable."""

    url: Annotated[str, web_url(EXAMPLE), AfterValidator(without_query)]
    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0  # its share of the requests
    key_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    model: ShortText | None = None  # the model's name there; None: the entry's id, or the first that it lists
    enforces: tuple[Feature, ...] | None = None  # the features that it has; None: they are tried out once

    @property
    def label(self) -> str:
        """Host, port and path: the engine's name in messages, logs and metrics. Never a password."""
        return label_of(self.url)


def distinct_engines(entries: tuple[EngineEntry, ...]) -> tuple[EngineEntry, ...]:
    """Raises ValueError if there is none, or one twice."""
    if not entries:
        raise ValueError("name at least one engine by its url")
    labels = [entry.label for entry in entries]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ValueError(f"{twice[0]} is listed twice; give it a weight instead")
    return entries


def label_of(url: str) -> str:
    """Host, port and path of a URL, without /v1, user name and password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] + strip_version(parts.path)


def strip_version(url: str) -> str:
    """`url` without a final /v1: OpenAI's clients want it there, but /health and /tokenize are beside it."""
    return url.rstrip("/").removesuffix(CHAT_PATH).removesuffix("/v1")
