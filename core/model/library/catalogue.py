"""The catalogue of models, config/models.toml: loads it, validates it, and reloads it when it changes.

The order of the file is the order of quality. Knows neither this machine nor what is downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, create_model

from core.configuration import toml
from core.configuration.setting_types import hub_file, hub_repo, is_web_url
from core.configuration.toml import BilingualText, Section, ShortText
from core.configuration.watched_config import WatchedConfig, unknown
from core.errors import ConfigError, NotFound
from core.model.library.engine_entry import EngineEntry, distinct_engines
from core.model.library.specs import STARTER_ID, HubFile, ModelSpec

FILE = "models.toml"
RESERVED_IDS = (STARTER_ID, "auto")
MODEL_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
SHA256 = re.compile(r"[0-9a-f]{64}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
KV_SHARE = 20_000  # the KV bytes of a token if an entry has none: the file's bytes divided by this, which is plenty


def one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def web_address(value: str) -> str:
    if not is_web_url(value):
        raise ValueError("expected an address that begins with https:// or http://")
    return value


def gguf_pattern(value: str) -> str:
    if not value.endswith(".gguf"):
        raise ValueError("expected the name of a .gguf file in the repository, such as *Q4_K_M.gguf")
    return hub_file(value)


def sha256_digits(value: str) -> str:
    """Accepts also the forms that checksum tools print: capitals, and `sha256:` before the digits."""
    digits = value.strip().lower().removeprefix("sha256:")
    if not SHA256.fullmatch(digits):
        raise ValueError("expected the 64 hexadecimal digits of a SHA-256")
    return digits


def language_code(value: str) -> str:
    if not LANGUAGE.fullmatch(value):
        raise ValueError('expected codes of two or three small letters, such as ["en", "fr"]')
    return value


Sha256 = Annotated[str, AfterValidator(sha256_digits)]
FilePattern = Annotated[ShortText, AfterValidator(gguf_pattern)]
HubRepo = Annotated[ShortText, AfterValidator(hub_repo)]
LanguageCode = Annotated[str, AfterValidator(language_code)]


class ModelPrice(Section):
    """The price of a million tokens, in the currency of the setting ADMIN_CURRENCY."""

    prompt: float = Field(ge=0)
    answer: float = Field(ge=0)


class CatalogueModel(Section):
    """One table of the file."""

    title: ShortText
    kind: Literal["chat", "embedder"] = "chat"
    repo: HubRepo
    file: FilePattern
    sha256: Annotated[tuple[Sha256, ...], BeforeValidator(one_or_many)] = ()
    size_bytes: int = Field(gt=0)
    licence: ShortText
    licence_url: Annotated[ShortText, AfterValidator(web_address)]
    languages: Annotated[tuple[LanguageCode, ...], BeforeValidator(one_or_many)] = Field(min_length=1)
    architecture: ShortText | None = None
    context_window: int = Field(ge=256)
    kv_bytes_per_token: int | None = Field(default=None, ge=0)
    good_for: BilingualText
    price: ModelPrice | None = None  # None: it costs nothing

    @property
    def source(self) -> HubFile:
        return HubFile(self.repo, self.file, self.sha256)

    @property
    def kv_bytes(self) -> int:
        """The KV cache of one token, estimated if the entry does not have it."""
        return self.size_bytes // KV_SHARE if self.kv_bytes_per_token is None else self.kv_bytes_per_token


class RemoteModel(Section):
    """A table of the file that has engines instead of a file: those URLs answer, and never this machine."""

    title: ShortText
    engines: Annotated[tuple[EngineEntry, ...], AfterValidator(distinct_engines)]
    context_window: int | None = Field(default=None, ge=256)  # the limit of all engines; None: each one's own
    price: ModelPrice | None = None  # None: it costs nothing


class ModelCatalogue(WatchedConfig):
    """The watched file of models."""

    what = "models"

    def __init__(self, file: Path) -> None:
        self.file = file
        self.folder = file.parent
        self.by_id: Mapping[str, CatalogueModel] = {}
        self.remote: Mapping[str, RemoteModel] = {}

    def load(self) -> None:
        """Raises ConfigError with every problem; then nothing changes."""
        models = load_models(self.file)
        self.by_id = {name: model for name, model in models.items() if isinstance(model, CatalogueModel)}
        self.remote = {name: model for name, model in models.items() if isinstance(model, RemoteModel)}

    def concerns(self, file: Path) -> bool:
        return file.name == self.file.name

    def names(self) -> tuple[str, ...]:
        return (*self.by_id, *self.remote)

    def get(self, model_id: str) -> CatalogueModel:
        """Raises NotFound, with the nearest id and all others."""
        if model_id in self.by_id:
            return self.by_id[model_id]
        raise NotFound(unknown("model", model_id, self.by_id) + f" ({self.file})")

    def spec(self, model_id: str) -> ModelSpec:
        """Raises NotFound."""
        model = self.get(model_id)
        return ModelSpec(model_id, model.title, model.source, embedder=model.kind == "embedder")


def load_models(file: Path) -> dict[str, CatalogueModel | RemoteModel]:
    """Raises ConfigError with every problem of the file, each with its line."""
    content = toml.read_tables(file)
    if problems := list(invalid_ids(content, file)):
        raise ConfigError("\n".join(problems))
    # A field for each table, so that validation names the place of each problem.
    fields: dict[str, Any] = {
        field_name(name): (table_kind(table), Field(alias=name)) for name, table in content.items()
    }
    models = toml.validate(create_model("ModelsFile", __base__=Section, **fields), content, file)
    return {each: getattr(models, field_name(each)) for each in content}


def table_kind(table: object) -> type[CatalogueModel | RemoteModel]:
    return RemoteModel if isinstance(table, dict) and "engines" in table else CatalogueModel


def invalid_ids(content: Mapping[str, Any], file: Path) -> Iterator[str]:
    text = toml.text_of(file)
    for model_id, table in content.items():
        if parts := dotted_parts(table):
            place = toml.place_of((model_id, parts[0]), file, text)
            shown = ".".join([model_id, *parts])
            yield f"{place}: {shown!r} cannot be a model's id, because TOML reads a dot as a table in a table: use -"
        elif not MODEL_ID.fullmatch(model_id) or model_id in RESERVED_IDS:
            place = toml.place_of((model_id,), file, text)
            reserved = " or ".join(repr(each) for each in RESERVED_IDS)
            yield f"{place}: {model_id!r} cannot be a model's id: use small letters, digits and -, but not {reserved}"


def dotted_parts(table: object) -> list[str]:
    """Returns the names of the tables that a dotted id such as [qwen2.5] makes; an empty list for a model."""
    if not isinstance(table, dict) or len(table) != 1:
        return []
    [(name, inner)] = table.items()
    known = {*CatalogueModel.model_fields, *RemoteModel.model_fields}
    return [name, *dotted_parts(inner)] if isinstance(inner, dict) and name not in known else []


def field_name(model_id: str) -> str:
    """Pydantic's names of fields begin with a letter and have no hyphen; the alias is the id."""
    return "x_" + model_id.replace("-", "_")
