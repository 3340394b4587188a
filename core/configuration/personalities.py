"""Loads and validates the personalities of config/personalities/*.toml, and replaces them when a file changes.

Owns what a personality is and which are there. Knows nothing of models or conversations. An answer takes a
frozen `Personality` and keeps it to its end, even if the files change meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from core.configuration import toml
from core.configuration.setting_types import AllowList, hub_file, hub_repo
from core.configuration.toml import NAME, BilingualText, Section, ShortText
from core.configuration.watched_config import WatchedConfig, unknown
from core.contract import Language, Sampling
from core.errors import ConfigError, PersonalityUnknown
from core.texts import text

WINDOW_MINIMUM_TOKENS = 256
MODEL_NAME_LIMIT_CHARS = 200
MODEL_OPTIONS = ("context_window", "gpu_layers")
MODEL_EXAMPLE = '{ repo = "owner/name", file = "*Q4_K_M.gguf" }'
SUGGESTIONS_LIMIT = 6
SUGGESTION_LIMIT_CHARS = 120  # three lines of a button on a phone
SHOWN_NAME_CHARS = 40  # the longest part of an unknown name that an error message repeats

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class SamplingDefaults(Section):
    """The sampling for callers that choose none. The model chooses what is missing here."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=1)
    min_p: float | None = Field(default=None, ge=0, le=1)
    repeat_penalty: float | None = Field(default=None, gt=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)  # the token limit of one answer

    def under(self, requested: Sampling) -> Sampling:
        """`requested`, completed by these defaults."""
        requested_values = {name: value for name, value in asdict(requested).items() if value is not None}
        return Sampling(**{**self.model_dump(), **requested_values})


class HubModel(Section):
    """A model of the Hugging Face hub that only this personality names. Missing values are chosen for the machine."""

    repo: Annotated[str, AfterValidator(hub_repo)]  # owner/name
    file: Annotated[ShortText, AfterValidator(hub_file)]  # of that repository; wildcards are allowed
    context_window: int | None = Field(default=None, ge=WINDOW_MINIMUM_TOKENS)
    gpu_layers: int | None = Field(default=None, ge=-1)  # -1: all

    @property
    def id(self) -> str:
        """The same for two personalities that name the same model in the same way: it is in memory once."""
        options = [f"{key}={value}" for key, value in self if key in MODEL_OPTIONS and value is not None]
        return "?".join([f"{self.repo}/{self.file}", *filter(None, ["&".join(options)])])


class PersonalityFile(Section):
    """The content of one file."""

    title: ShortText  # the name that people see
    position: int = 100  # the order in lists, then by name; the first of a language is its default
    language: Language  # the language of its answers, and of the service's texts around them
    description: BilingualText
    system: str = Field(min_length=1, max_length=20_000)  # the system prompt
    facts: tuple[ShortText, ...] = ()  # added to the system prompt, so each costs tokens in every answer
    greeting: ShortText
    suggestions: tuple[ShortText, ...] = ()  # questions in its language that a person may begin with
    sampling: SamplingDefaults = SamplingDefaults()
    sources: tuple[Identifier, ...] = ()  # the names of public feeds in config/sources.toml that it may read
    collections: tuple[Identifier, ...] = ()  # the collections of facts that it searches
    allow: AllowList | None = None  # who may use it: "group:hr", "user:ana@example.gc.ca"; missing: everybody
    # The model that answers: an id of config/models.toml, a name that the engine behind LLM_URL serves, or a model of
    # the hub. Missing: the service's default model.
    model: str | HubModel | None = None

    @field_validator("suggestions")
    @classmethod
    def _check_suggestions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Each is the text of a button, and the question that it asks."""
        if len(value) > SUGGESTIONS_LIMIT:
            raise ValueError(f"expected at most {SUGGESTIONS_LIMIT} questions, not {len(value)}")
        for number, question in enumerate(value, 1):
            if len(question) > SUGGESTION_LIMIT_CHARS:
                limit = f"at most {SUGGESTION_LIMIT_CHARS}"
                raise ValueError(f"question {number} has {len(question)} characters; expected {limit}")
            if not question.isprintable():
                raise ValueError(f"question {number} has a line break or a control character; expected one line")
            if question in value[: number - 1]:
                raise ValueError(f"question {number} is there twice")
        return value

    @field_validator("model", mode="plain")
    @classmethod
    def _read_model(cls, value: object) -> object:
        """Chooses by the value's type, so that an error names the table's key rather than every alternative."""
        if value is None or isinstance(value, HubModel):
            return value
        if isinstance(value, dict):
            return HubModel.model_validate(value)
        if isinstance(value, str) and 0 < len(name := value.strip()) <= MODEL_NAME_LIMIT_CHARS:
            return name
        raise ValueError(f"expected a model's name in quotation marks, or a table such as {MODEL_EXAMPLE}")


class Personality(PersonalityFile):
    name: str  # the file's name without .toml

    @property
    def model_id(self) -> str | None:
        """The model to request; None: the service's default."""
        return self.model.id if isinstance(self.model, HubModel) else self.model

    @cached_property
    def instructions(self) -> str:
        """The system prompt with the facts, as the model sees it."""
        if not self.facts:
            return self.system
        return "\n".join([self.system, "", text("prompt-facts", self.language), *(f"- {fact}" for fact in self.facts)])


class Personalities(WatchedConfig):
    """The personalities of one folder."""

    what = "personalities"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._by_name: Mapping[str, Personality] = {}

    def load(self) -> None:
        """Loads the folder. If a file is bad, changes nothing and raises ConfigError with all problems of all files."""
        loaded, problems = {}, []
        for file in self._files():
            try:
                loaded[file.stem] = read_personality(file)
            except ConfigError as exc:
                problems.append(exc.message)
        if not loaded and not problems:
            problems.append(f"{self.folder}: there is no personality; add a file such as whisper.toml")
        if problems:
            raise ConfigError("\n".join(problems))
        self._by_name = dict(sorted(loaded.items(), key=lambda entry: (entry[1].position, entry[0])))

    def concerns(self, file: Path) -> bool:
        return file.suffix == ".toml"

    def _files(self) -> list[Path]:
        """The files, by name."""
        try:
            return sorted(file for file in self.folder.iterdir() if self.is_of(file))
        except OSError as exc:
            raise ConfigError(f"{self.folder}: {exc.strerror}") from exc

    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def model_ids(self) -> tuple[str, ...]:
        """The models that personalities name, each once. Those of tables are left out: a table needs no entry."""
        named = (each.model for each in self._by_name.values())
        return tuple(dict.fromkeys(model for model in named if isinstance(model, str)))

    def get(self, name: str) -> Personality:
        """Raises PersonalityUnknown, which names the nearest name and all names."""
        if name in self._by_name:
            return self._by_name[name]
        raise PersonalityUnknown(unknown("personality", name[:SHOWN_NAME_CHARS], self._by_name))


def read_personality(file: Path) -> Personality:
    """Reads one file. Raises ConfigError with all its problems, each with its line."""
    if not NAME.fullmatch(file.stem):
        raise ConfigError(f"{file}: the file's name is the personality's, so use only a-z, 0-9 and - before .toml")
    content = toml.validate(PersonalityFile, toml.read_tables(file), file)
    return Personality(name=file.stem, **dict(content))


def unknown_sources(personalities: Personalities, known_names: Collection[str]) -> tuple[str, ...]:
    """One sentence for each unknown source, with its file and line. Raises ConfigError if a file cannot be read."""
    return tuple(unknown_references(personalities, "sources", "source", known_names))


def unknown_collections(personalities: Personalities, known_names: Collection[str]) -> tuple[str, ...]:
    """One sentence for each unknown collection, with the command that creates it."""
    problems = unknown_references(personalities, "collections", "collection", known_names)
    return tuple(f"{each}. `csps-llm facts add` makes one" for each in problems)


def unknown_models(personalities: Personalities, known_names: Collection[str]) -> tuple[str, ...]:
    """One sentence for each model that a personality names and that neither config/models.toml nor an engine has."""
    return tuple(unknown_references(personalities, "model", "model", known_names))


def unknown_references(
    personalities: Personalities, key: str, what: str, known_names: Collection[str]
) -> Iterator[str]:
    for name in personalities.names():
        value = getattr(personalities.get(name), key)
        named = value if isinstance(value, tuple) else [value] if isinstance(value, str) else []
        if absent := [each for each in named if each not in known_names]:
            file = personalities.folder / f"{name}.toml"
            place = toml.place_of((key,), file, toml.text_of(file))
            yield from (f"{place}: {unknown(what, each, known_names)}" for each in absent)
