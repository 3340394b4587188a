"""The models that requests may name, and which of them are on this machine. Blocks: it reads configuration and files.

They are the default model, those that personalities name, those of config/models.toml that are here, and the starter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.configuration.personalities import HubModel, Personalities
from core.configuration.settings import Settings
from core.errors import NotFound
from core.model.hardware.placement import Room
from core.model.host.deploying import deploy
from core.model.host.deployment import Deployment
from core.model.library.catalogue import ModelCatalogue
from core.model.library.choice import STARTER, WILDCARDS, find_spec, hub_spec
from core.model.library.installed import find_installed
from core.model.library.selection import models_folder
from core.model.library.specs import HubFile, ModelSpec


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model that requests may name. `deployment` is None while its file is not here."""

    spec: ModelSpec
    deployment: Deployment | None

    @property
    def missing(self) -> HubFile | None:
        """The file to download."""
        return self.spec.source if self.deployment is None and isinstance(self.spec.source, HubFile) else None


@dataclass(frozen=True, slots=True)
class LocalModels:
    """All models at one moment. The starter may be the default."""

    default: LocalModel
    starter: LocalModel
    others: Mapping[str, LocalModel]
    interim: LocalModel | None = None  # a lesser model of the catalogue, which precedes the starter as a substitute

    def find(self, model_id: str | None) -> LocalModel | None:
        """Returns the default for None, and None for an unknown id. A title is also an id of the default."""
        if model_id in (None, self.default.spec.id, self.default.spec.title):
            return self.default
        return self.starter if model_id == self.starter.spec.id else self.others.get(str(model_id))

    def substitutes(self) -> list[LocalModel]:
        """The models that may answer in the place of the default one, the best first."""
        return [each for each in (self.interim, self.starter) if each and each.deployment]

    def wanted(self) -> Iterator[LocalModel]:
        """Yields the models that stay loaded while there is room: all but a starter that nobody names."""
        yield self.default
        yield from self.others.values()

    def listed(self) -> list[LocalModel]:
        """The default first, then the model that answers in its place."""
        models = [self.default, *self.substitutes(), *self.others.values()]
        return list({each.spec.id: each for each in models}.values())


def find_models(
    settings: Settings,
    default: ModelSpec,
    catalogue: ModelCatalogue,
    personalities: Personalities,
    room: Room,
    interim: ModelSpec = STARTER,
) -> LocalModels:
    """`room`: the memory by which caches are sized."""
    folder = models_folder(settings.data_folder)

    def find(spec: ModelSpec) -> LocalModel:
        path, is_default = find_installed(folder, spec.source), spec.id == default.id
        if path is None:
            return LocalModel(spec, None)
        try:
            return LocalModel(spec, deploy(named_by_file(spec, path), path, settings, room, is_default=is_default))
        except OSError:  # it vanished just now
            return LocalModel(spec, None)

    named = {spec.id: find(spec) for spec in personality_specs(personalities, catalogue)}
    offered = {each: find(catalogue.spec(each)) for each in catalogue.by_id if each not in named}
    others = {**named, **{each: model for each, model in offered.items() if model.deployment}}
    others.pop(default.id, None)
    return LocalModels(find(default), find(STARTER), others, others.get(interim.id))


def personality_specs(personalities: Personalities, catalogue: ModelCatalogue) -> Iterator[ModelSpec]:
    """Yields the local models that personalities name. A name that is unknown here may be an engine's."""
    for model in (personalities.get(name).model for name in personalities.names()):
        if isinstance(model, HubModel):
            spec = hub_spec(HubFile(model.repo, model.file))
            yield replace(spec, id=model.id, context_window=model.context_window, gpu_layers=model.gpu_layers)
        elif model is not None:
            try:
                yield find_spec(model, catalogue)
            except NotFound:
                continue


def named_by_file(spec: ModelSpec, path: Path | None) -> ModelSpec:
    """A wildcard gives a model no title; its file does."""
    if path and isinstance(spec.source, HubFile) and WILDCARDS & set(spec.source.pattern):
        return replace(spec, title=path.stem)
    return spec
