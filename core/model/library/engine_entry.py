"""The engines of an entry of models.toml: URLs that answer for a model, instead of a file on this machine."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from core.configuration.setting_types import web_url
from core.configuration.toml import Section, ShortText

EngineFeature = Literal["json_schema", "continuation", "tokenize", "embeddings", "cancellation"]
EXAMPLE = "http://localhost:8000/v1"


class EngineEntry(Section):
    """One engine. Its key is in the environment, never in the file: `key_env` names the variable."""

    url: Annotated[str, web_url(EXAMPLE)]
    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0  # its share of the requests
    key_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    model: ShortText | None = None  # the model's name there; None: the entry's id, or the first that it lists
    enforces: tuple[EngineFeature, ...] | None = None  # the features that it has; None: they are tried out once
