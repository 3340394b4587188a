"""The engine that tests of the core talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.configuration.settings import Settings
from core.engine import ChatEngine
from tests.core.support_chatting import chat_on


@pytest.fixture
async def chat(own_settings: Settings) -> AsyncIterator[ChatEngine]:
    async with chat_on(own_settings) as built:
        yield built
