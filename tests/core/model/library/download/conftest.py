from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.model.library.download.support import NAME, model_bytes
from tests.support.fake_hub import FakeHub


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """A hub with one model of 200 kB, among other files."""
    with FakeHub({"README.md": b"# A model", NAME: model_bytes(), "a-model-Q8_0.gguf": b"GGUF other"}) as served:
        yield served
