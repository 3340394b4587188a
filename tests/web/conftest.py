"""The web process for most tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.configuration.settings import Settings
from tests.web.support_site import Site, site


@pytest.fixture
async def whisper(own_settings: Settings) -> AsyncIterator[Site]:
    """A site that answers "Hello world." to every prompt."""
    async with site(own_settings) as running:
        yield running
