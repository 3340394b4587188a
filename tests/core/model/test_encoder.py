"""The bundled sentence encoder, served by the model process so that it is in memory once."""

from __future__ import annotations

import numpy as np

from core.bootstrap import shared_embedder
from core.configuration.settings import Settings, load
from core.rag.embeddings import LocalEmbedder
from tests.support.starter import ModelProcess


async def test_the_vectors_are_the_encoders_own(starter_process: ModelProcess) -> None:
    """Over the process's socket as in this process, under the same name: a collection may be made by either."""
    texts = ["How long is parental leave?", "Combien de temps dure le congé parental?", "half \ud800"]
    served, local = shared_embedder(starter_process.settings), LocalEmbedder(1)
    try:
        assert np.allclose(await served.embed(texts), await local.embed(texts), atol=1e-5)
    finally:
        await served.close()
        await local.close()

    assert served.name == local.name


def test_a_remote_engine_needs_the_encoder_here(own_settings: Settings) -> None:
    """Nobody else serves it; and an engine for embeddings of the operator's goes before both."""
    variables = {"CSPS_LLM_DATA": str(own_settings.data_folder), "LLM_URL": "http://engine:8000/v1"}

    assert isinstance(shared_embedder(load(variables)), LocalEmbedder)
    named = {**variables, "RAG_EMBEDDINGS_URL": "http://embedder:8000/v1", "RAG_EMBEDDINGS_MODEL": "m"}
    assert shared_embedder(load(named)).name == "m at embedder"
