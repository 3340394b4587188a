"""Loads the bundled encoder once for all tests: it takes a second."""

from __future__ import annotations

import pytest

from core.rag.embeddings import LocalEmbedder


@pytest.fixture(scope="session")
def encoder() -> LocalEmbedder:
    return LocalEmbedder(threads=1)
