"""The bundled encoder, which takes a second to load, once for all tests."""

from __future__ import annotations

import pytest

from core.rag.embeddings import LocalEmbedder


@pytest.fixture(scope="session")
def encoder() -> LocalEmbedder:
    return LocalEmbedder(threads=1)
