"""What every test may ask for: settings of its own, in a folder of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from core.configuration import settings

# How fast this machine is just now is no property of what is tested.
hypothesis_settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any-machine")

pytest_plugins = ("tests.support.databases", "tests.support.starter")


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """What a test sets up for its process's log ends with the test: level, and a stream that is then closed."""
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def own_settings(tmp_path: Path) -> settings.Settings:
    """The shipped configuration, with its data in the test's folder and no other variable of the environment."""
    return settings.load({"CSPS_LLM_DATA": str(tmp_path / "var"), "LLM_WAIT_S": "20"})
