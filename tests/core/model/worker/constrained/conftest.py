"""Fixtures: the starter's real vocabulary, and a compiler of grammars over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.model.worker.constrained.grammar import GrammarCompiler
from core.model.worker.llama.loading import RunnerConfig, load
from core.model.worker.llama.runner import LlamaRunner
from core.model.worker.llama.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def runner(starter_file: Path) -> Iterator[LlamaRunner]:
    loaded = load(starter_file, RunnerConfig(window=256, cache_tokens=256, sequences=1, threads=1))
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def vocabulary(runner: LlamaRunner) -> Vocabulary:
    return runner.vocabulary


@pytest.fixture(scope="module")
def grammars(vocabulary: Vocabulary) -> GrammarCompiler:
    return GrammarCompiler(vocabulary)
