"""A fixture: a client of the starter's process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.core.model.worker.support_model_client import connect
from tests.support.starter import ModelProcess


@pytest.fixture
async def http(starter_process: ModelProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(starter_process) as client:
        yield client
