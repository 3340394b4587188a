"""Decides which model answers where nothing else is asked for, and says why. Downloads nothing.

In this order: LLM_MODEL_FILE; LLM_HUGGINGFACE_REPO and _FILE; LLM_MODEL; `csps-llm models use`; the best model for
this machine, unless LLM_AUTO is off; the starter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.configuration.setting_types import hub_file, hub_repo
from core.configuration.settings import Settings
from core.configuration.watched_config import unknown
from core.errors import ConfigError, NotFound
from core.model.library.catalogue import ModelCatalogue
from core.model.library.fit import Resources, Verdict, choose_best, judge_all
from core.model.library.selection import read_selection
from core.model.library.specs import STARTER_ID, HubFile, LocalFile, ModelSpec, Starter
from core.model.library.starter import STARTER_NAME

STARTER = ModelSpec(STARTER_ID, STARTER_NAME, Starter())
WILDCARDS = frozenset("*?[")

ChoiceReason = Literal[
    "file",  # LLM_MODEL_FILE
    "repository",  # LLM_HUGGINGFACE_REPO and LLM_HUGGINGFACE_FILE
    "variable",  # LLM_MODEL
    "selected",  # csps-llm models use
    "automatic",  # the best for this machine
    "off",  # the starter: LLM_AUTO is off
    "nothing_fits",  # the starter: this machine is too small for the catalogue
]


@dataclass(frozen=True, slots=True)
class Choice:
    """The default model. `verdicts`: on the models of the catalogue, in its order, if the choice is automatic.

    `interim`: the model that answers until this one is downloaded. `ignored`: the id that `csps-llm models use`
    stored, if no such model exists any more. `remote_id`, `remote_title`: of the model behind URLs that is the default;
    nothing is downloaded then, and `spec` is the starter.
    """

    spec: ModelSpec
    reason: ChoiceReason
    verdicts: tuple[Verdict, ...] = ()
    interim: ModelSpec = STARTER
    ignored: str | None = None
    remote_id: str | None = None
    remote_title: str = ""

    @property
    def id(self) -> str:
        return self.remote_id or self.spec.id

    @property
    def title(self) -> str:
        return self.remote_title or self.spec.title


def choose_default(settings: Settings, catalogue: ModelCatalogue, find_resources: Callable[[], Resources]) -> Choice:
    """Blocks for up to seconds if the machine must be inspected. Raises ConfigError for an unknown LLM_MODEL."""
    return choose_configured(settings, catalogue) or choose_unasked(settings, catalogue, find_resources)


def choose_configured(settings: Settings, catalogue: ModelCatalogue) -> Choice | None:
    """Returns the model that the settings name; None if they name none."""
    model = settings.model
    if model.file:
        path = Path(model.file).expanduser()
        return Choice(ModelSpec(path.name, path.stem, LocalFile(path)), "file")
    if model.huggingface_repo and model.huggingface_file:
        return Choice(hub_spec(HubFile(model.huggingface_repo, model.huggingface_file)), "repository")
    if model.name and not model.url:
        try:
            return choose_named(model.name, catalogue, "variable")
        except NotFound as exc:
            raise ConfigError(f"LLM_MODEL: {exc.message}") from exc
    return None


def choose_named(model_id: str, catalogue: ModelCatalogue, reason: ChoiceReason) -> Choice:
    """Raises NotFound."""
    if model_id in catalogue.remote:
        return Choice(STARTER, reason, remote_id=model_id, remote_title=catalogue.remote[model_id].title)
    return Choice(find_spec(model_id, catalogue), reason)


def choose_unasked(settings: Settings, catalogue: ModelCatalogue, find_resources: Callable[[], Resources]) -> Choice:
    """Returns the selected model, the best for this machine, or the starter."""
    selected = read_selection(settings.data_folder)
    if selected is not None:
        try:
            return choose_named(selected, catalogue, "selected")
        except NotFound:
            pass  # removed from the catalogue: `ignored` says so
    if not settings.model.auto:
        return Choice(STARTER, "off", ignored=selected)
    verdicts = judge_all(catalogue.by_id, find_resources())
    best = choose_best(catalogue.by_id, verdicts)
    if best is None:
        return Choice(STARTER, "nothing_fits", verdicts, ignored=selected)
    here = choose_best(catalogue.by_id, tuple(each for each in verdicts if each.downloaded))
    interim = catalogue.spec(here) if here else STARTER
    return Choice(catalogue.spec(best), "automatic", verdicts, interim, selected)


def find_spec(model_id: str, catalogue: ModelCatalogue) -> ModelSpec:
    """Returns the model with this id: of the catalogue, the starter, or owner/name/file of the hub. Raises NotFound."""
    if model_id == STARTER_ID:
        return STARTER
    if model_id in catalogue.by_id:
        return catalogue.spec(model_id)
    if (source := parse_hub_id(model_id)) is not None:
        return hub_spec(source)
    raise NotFound(f"{unknown('model', model_id, [*catalogue.names(), STARTER_ID])} ({catalogue.file})")


def parse_hub_id(model_id: str) -> HubFile | None:
    """Parses owner/name/file, as `hub_spec` writes it; None for anything else."""
    owner, _, rest = model_id.partition("/")
    name, _, file = rest.partition("/")
    try:
        repo, pattern = hub_repo(f"{owner}/{name}"), hub_file(file)
    except ValueError:
        return None
    return HubFile(repo, pattern) if repo and pattern.endswith(".gguf") else None


def hub_spec(source: HubFile) -> ModelSpec:
    """A model of the hub that is not in the catalogue. Until a wildcard is resolved, the repository names it."""
    file = Path(source.pattern)
    title = source.repo.partition("/")[2] if WILDCARDS & set(source.pattern) else file.stem
    return ModelSpec(f"{source.repo}/{source.pattern}", title, source)
