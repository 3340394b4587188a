"""Fixtures: a client of the starter's process, and a tiny model with a SentencePiece vocabulary and sliding windows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.core.model.worker.support_model_client import connect
from tests.support.starter import ModelProcess
from tests.support.tiny_model import write_tiny_model


@pytest.fixture
async def http(starter_process: ModelProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(starter_process) as client:
        yield client


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf")
