"""OpenAI's client for most tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from openai import AsyncOpenAI

from tests.web.support_site import Site
from tests.web.v1.support_openai import build_client


@pytest.fixture
async def client(whisper: Site) -> AsyncIterator[AsyncOpenAI]:
    async with build_client(whisper) as made:
        yield made
