"""The bundled sentence encoder, served by the model process so that memory holds it once."""

from __future__ import annotations

import numpy as np

from core.bootstrap import build_shared_embedder
from core.configuration.settings import Settings, load
from core.rag.embeddings import LocalEmbedder
from tests.support.starter import ModelProcess


async def test_served_and_local_vectors_are_equal(starter_process: ModelProcess) -> None:
    """The names are equal too, so that either may build a collection."""
    texts = ["How long is parental leave?", "Combien de temps dure le congé parental?", "half \ud800"]
    served, local = build_shared_embedder(starter_process.settings), LocalEmbedder(1)
    try:
        assert np.allclose(await served.embed(texts), await local.embed(texts), atol=1e-5)
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
