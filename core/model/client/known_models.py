"""The models that a personality may name, and the prices of models."""

from __future__ import annotations

from collections.abc import Iterable

from core.configuration.settings import Settings
from core.model.library.catalogue import FILE, CatalogueModel, ModelCatalogue, RemoteModel
from core.model.library.choice import parse_hub_id
from core.model.library.specs import STARTER_ID


def known_models(settings: Settings, named: Iterable[str]) -> tuple[str, ...] | None:
    """Returns the ids of models.toml and the starter's, and those of `named` that are addresses on the hub.

    None: the engine at LLM_URL knows its models. Blocks. Raises ConfigError.
    """
    if settings.model.url:
        return None
    catalogue = ModelCatalogue(settings.config_file(FILE))
    catalogue.load()
    return (*catalogue.names(), STARTER_ID, *(each for each in named if parse_hub_id(each)))


def model_prices(settings: Settings) -> dict[str, tuple[float, float]]:
    """The prices of models.toml, by the model's title: of a million prompt tokens, and of a million answer tokens.

    Blocks. Raises ConfigError.
    """
    catalogue = ModelCatalogue(settings.config_file(FILE))
    catalogue.load()
    models: Iterable[CatalogueModel | RemoteModel] = (*catalogue.by_id.values(), *catalogue.remote.values())
    return {model.title: (model.price.prompt, model.price.answer) for model in models if model.price}
