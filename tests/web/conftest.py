"""The web process as most tests want it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.configuration.settings import Settings
from tests.web.support_site import Site, site


@pytest.fixture
async def whisper(own_settings: Settings) -> AsyncIterator[Site]:
    """Answers "Hello world." to everything."""
    async with site(own_settings) as running:
        yield running
