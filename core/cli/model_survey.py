"""The models with their states, as `csps-llm models`, `up` and `doctor` show them: from catalogue, disk and host."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.cli.model_host import ServedModel
from core.configuration import settings as settings_module
from core.configuration.personalities import HubModel, Personalities, Personality
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.model.library.catalogue import FILE, CatalogueModel, ModelCatalogue
from core.model.library.choice import STARTER, Choice, choose_default
from core.model.library.download.progress import DownloadProgress, read_progress
from core.model.library.fit import Resources, Verdict, judge_all
from core.model.library.installed import find_installed, installed_bytes, list_installed
from core.model.library.resources import find_resources
from core.model.library.selection import models_folder
from core.model.library.specs import HubFile, ModelSpec
from core.model.library.starter import STARTER_LANGUAGES, STARTER_LICENCE
from core.runtime import log

ModelState = Literal[
    "in_use",  # the running service answers with it by default
    "loaded",
    "loading",
    "downloading",
    "waiting",
    "checking",
    "paused",
    "failed",
    "downloaded",
    "installed",  # the starter in its package, before it is prepared
    "available",
    "unfit",  # `verdict` says why
]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model. `entry` and `verdict` are None outside the catalogue."""

    spec: ModelSpec
    state: ModelState
    is_default: bool
    size_bytes: int
    path: Path | None = None
    entry: CatalogueModel | None = None
    licence: str | None = None
    languages: tuple[str, ...] = ()
    verdict: Verdict | None = None
    progress: DownloadProgress | None = None


@dataclass(frozen=True, slots=True)
class ModelSurvey:
    """The known facts about all models. `served` is None while no host runs."""

    settings: Settings
    catalogue: ModelCatalogue
    choice: Choice
    verdicts: Mapping[str, Verdict]
    resources: Resources
    served: Sequence[ServedModel] | None = None

    @property
    def models(self) -> Path:
        return models_folder(self.settings.data_folder)

    def rows(self) -> list[ModelRow]:
        """The catalogue in its order, the starter, then other models that are used or on disk."""
        specs = {each: self.catalogue.spec(each) for each in self.catalogue.by_id}
        known = {self.file_of(spec) for spec in specs.values()} - {None}
        specs[STARTER.id] = STARTER
        specs.setdefault(self.choice.spec.id, self.choice.spec)
        for installed in list_installed(self.models):
            if installed.path not in known:
                specs.setdefault(installed.spec.id, installed.spec)
        return [self.row(spec) for spec in specs.values()]

    def row(self, spec: ModelSpec) -> ModelRow:
        entry = self.catalogue.by_id.get(spec.id)
        path = self.file_of(spec)
        progress = self.progress_of(spec)
        size = entry.size_bytes if entry else 0
        if path is not None:
            size = installed_bytes(path)
        return ModelRow(
            spec=spec,
            state=self.state_of(spec, path, progress),
            is_default=spec.id == self.choice.id and not self.settings.model.url,
            size_bytes=size,
            path=path,
            entry=entry,
            licence=entry.licence if entry else STARTER_LICENCE if spec == STARTER else None,
            languages=entry.languages if entry else STARTER_LANGUAGES if spec == STARTER else (),
            verdict=self.verdicts.get(spec.id),
            progress=progress,
        )

    def personalities_of(self, spec: ModelSpec) -> list[str]:
        """The names of the personalities that name the model."""
        personalities = Personalities(self.settings.config_file("personalities"))
        with suppress(ConfigError):  # `personalities validate` reports it
            personalities.load()
        return [name for name in personalities.names() if is_model(personalities.get(name), spec)]

    @property
    def default_is_here(self) -> bool:
        return self.choice.remote_id is not None or self.file_of(self.choice.spec) is not None

    def file_of(self, spec: ModelSpec) -> Path | None:
        return find_installed(self.models, spec.source)

    def progress_of(self, spec: ModelSpec) -> DownloadProgress | None:
        """The download of the host if it runs, else the one on disk."""
        served = self.served_entry(spec.id)
        if served and served.progress:
            return served.progress
        return read_progress(self.models, spec.source) if isinstance(spec.source, HubFile) else None

    @property
    def answering(self) -> ServedModel | None:
        """The model that the running service answers with by default: the default one, or another in its place."""
        if self.choice.remote_id:
            return None
        return next((each for each in (self.served or ())[:2] if each.state == "loaded"), None)

    def served_entry(self, model_id: str) -> ServedModel | None:
        return next((each for each in self.served or () if each.id == model_id), None)

    def state_of(self, spec: ModelSpec, path: Path | None, progress: DownloadProgress | None) -> ModelState:
        served = self.served_entry(spec.id)
        if served and served.state == "loaded":
            return "in_use" if served is self.answering else "loaded"
        if served and served.state in ("loading", "failed"):
            return "loading" if served.state == "loading" else "failed"
        if path is not None:
            return "downloaded"
        if progress is not None:
            return progress.state
        if spec == STARTER:
            return "installed"
        verdict = self.verdicts.get(spec.id)
        return "available" if verdict is None or verdict.fits else "unfit"


def is_model(personality: Personality, spec: ModelSpec) -> bool:
    """Tells whether the personality names the model, by its id or its file."""
    named = personality.model
    if isinstance(named, HubModel):
        return isinstance(spec.source, HubFile) and (named.repo, named.file) == (spec.source.repo, spec.source.pattern)
    return named == spec.id


def load_settings() -> Settings:
    """Raises ConfigError."""
    settings = settings_module.load(os.environ)
    log.configure(settings.log.model_copy(update={"level": "error"}), "models")
    return settings


def load_catalogue(settings: Settings) -> ModelCatalogue:
    """Raises ConfigError."""
    catalogue = ModelCatalogue(settings.config_file(FILE))
    catalogue.load()
    return catalogue


def survey_models(settings: Settings, served: Sequence[ServedModel] | None = None) -> ModelSurvey:
    """Inspects the machine and the models folder. Blocks for up to seconds. Raises ConfigError."""
    catalogue = load_catalogue(settings)
    resources = find_resources(settings, catalogue)
    verdicts = {verdict.id: verdict for verdict in judge_all(catalogue.by_id, resources)}
    choice = choose_default(settings, catalogue, lambda: resources)
    return ModelSurvey(settings, catalogue, choice, verdicts, resources, served)
