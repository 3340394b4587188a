"""The model with random weights: its shape is right, and llama.cpp computes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving import random_model
from core.model.worker.llama.runner import BatchRow
from tests.core.model.worker.support_loaded_model import load_tiny


@pytest.fixture
def small_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LAYERS": 2, "WIDTH": 128, "INNER": 256, "HEADS": 4, "KV_HEADS": 2}.items():
        monkeypatch.setattr(random_model, name, value)


@pytest.mark.slow
@pytest.mark.usefixtures("small_shape")
@pytest.mark.parametrize("form", random_model.FORMATS)
def test_random_model_is_computed(starter_file: Path, tmp_path: Path, form: str) -> None:
    """Its logits are numbers that differ, and it has the other model's vocabulary and chat template."""
    path = tmp_path / "random.gguf"
    random_model.write_model(path, starter_file, random_model.FORMATS[form])
    runner = load_tiny(path, window=256, cache_tokens=256, threads=1)
    try:
        logits = runner.logits(runner.decode([BatchRow(0, 0, [10, 11, 12], True)])[0])

        assert np.isfinite(logits).all()
        assert logits.std() > 0
        assert runner.vocabulary.size == 49152
    finally:
        runner.close()


def test_random_model_has_a_billion_weights() -> None:
    """Its matrices are those of a model of 1B with the starter's vocabulary."""
    weights = sum(rows * columns for _, rows, columns in random_model.matrices(49152))

    assert 1.0e9 < weights < 1.2e9
