"""The bundled sentence encoder, served by the model process so that memory holds it once."""

from __future__ import annotations

import numpy as np
import pytest

from core.bootstrap import build_bundled_encoder, build_shared_embedder
from core.configuration.settings import Settings, load
from core.rag.embeddings import LocalEmbedder, UrlEmbedder
from tests.support.starter import ModelProcess


async def test_served_and_local_vectors_are_equal(starter_process: ModelProcess) -> None:
    """The names are equal too, so that either may build a collection."""
    texts = ["How long is parental leave?", "Combien de temps dure le congé parental?", "half \ud800"]
    local = LocalEmbedder(1)
    served = build_bundled_encoder(starter_process.settings, build_shared_embedder(starter_process.settings))
    try:
        first, second = await served.embed_counted(texts), await local.embed_counted(texts)
        assert np.allclose(first.vectors, second.vectors, atol=1e-5)
        assert first.tokens == second.tokens > 0
    finally:
        await served.close()
        await local.close()

    assert served.name == local.name


def test_with_a_remote_engine_the_encoder_runs_locally(own_settings: Settings) -> None:
    """An operator's embeddings engine takes precedence over both."""
    variables = {"CSPS_LLM_DATA": str(own_settings.data_folder), "LLM_URL": "http://engine:8000/v1"}

    assert isinstance(build_shared_embedder(load(variables)), LocalEmbedder)
    named = {**variables, "RAG_EMBEDDINGS_URL": "http://embedder:8000/v1", "RAG_EMBEDDINGS_MODEL": "m"}
    assert build_shared_embedder(load(named)).name == "m at embedder"


OTHER = {"RAG_EMBEDDINGS_URL": "http://embedder:8000/v1", "RAG_EMBEDDINGS_MODEL": "m"}


@pytest.mark.parametrize(
    ("variables", "kind", "is_shared"),
    [
        ({}, UrlEmbedder, False),
        (OTHER, UrlEmbedder, False),
        ({"LLM_URL": "http://engine:8000/v1"}, LocalEmbedder, True),
        ({"LLM_URL": "http://engine:8000/v1", **OTHER}, LocalEmbedder, False),
    ],
)
def test_callers_always_get_the_bundled_encoder(
    own_settings: Settings, variables: dict[str, str], kind: type, is_shared: bool
) -> None:
    """It is served whatever makes the operator's own embeddings, and is in memory once."""
    loaded = load({"CSPS_LLM_DATA": str(own_settings.data_folder), **variables})
    shared = build_shared_embedder(loaded)
    encoder = build_bundled_encoder(loaded, shared)

    assert (type(encoder), encoder.name, encoder is shared) == (kind, LocalEmbedder.name, is_shared)
